#include "bindings/call.hpp"
#include "kernels/fold_batch_norm.hpp"

namespace minicnn {
namespace {

using Fold = void (*)(const FoldedShape& shape, const float* w, const float* b,
                      const FixedBatchNorm& norm, float* folded_w, float* folded_b,
                      char* scratch) noexcept;

template <Fold fold, bool kAfter>
Prepared prepare(const Call& call) {
  const auto [kh, kw, channels, filters] = call.shape4(call.read(0));
  const FoldedShape shape{kh * kw, channels, filters};
  call.require(filters >= 1 && channels >= 1, "w must have at least one channel and one filter");
  if (call.reads(1)) call.require_shape(call.read(1), {filters});
  for (std::size_t i = 2; i < 6; ++i) {
    call.require_shape(call.read(i), {kAfter ? filters : channels});
  }
  call.require_shape(call.write(0), call.read(0).shape);
  call.require_shape(call.write(1), {filters});
  const float *w = call.in<float>(0), *b = call.in<float>(1);
  const FixedBatchNorm norm{call.in<float>(2), call.in<float>(3), call.in<float>(4),
                            call.in<float>(5), call.number("epsilon")};
  float *folded_w = call.out<float>(0), *folded_b = call.out<float>(1);
  return {[=](char* scratch) { fold(shape, w, b, norm, folded_w, folded_b, scratch); },
          fold_batch_norm_scratch(shape)};
}

}  // namespace

std::vector<Kernel> fold_kernels() {
  return {{"fold_batch_norm_after_conv2d", prepare<fold_batch_norm_after_conv2d, true>},
          {"fold_batch_norm_before_conv2d", prepare<fold_batch_norm_before_conv2d, false>}};
}

}  // namespace minicnn
