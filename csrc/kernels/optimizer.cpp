#include "kernels/optimizer.hpp"

#include "core/blocks.hpp"

namespace minicnn {
namespace {

struct Pair {
  float w, g;
};

// The weights that a rule moves, with the interface that optimizer_rules.hpp describes.
class Moving {
 public:
  Moving(const Weights& weights, std::int64_t first, const Rates& rates, const WeightDecay& decay)
      : weights_(weights), first_(first), rates_(rates), decay_(decay) {}

  float rate() const { return rates_.rate(); }
  float step() const { return rates_.step(); }
  float given(std::int64_t i) const { return rates_.given(i); }

  // Returns the part of a slot that belongs to these weights; null stays null.
  float* part(float* slot) const { return slot == nullptr ? nullptr : slot + first_; }

  // w[i] = next(i, w, g) after weight decay. There is a loop for each kind of decay, so that no
  // loop has a branch.
  template <class Next>
  void each(Next next) const {
    const float factor = decay_.factor, shrink = rate() * decay_.factor;
    if (factor == 0.0F) {
      each_after([](float w, float g) { return Pair{w, g}; }, next);
    } else if (decay_.decoupled) {
      each_after([=](float w, float g) { return Pair{w - shrink * w, g}; }, next);
    } else {
      each_after([=](float w, float g) { return Pair{w, g + factor * w}; }, next);
    }
  }

 private:
  template <class Decayed, class Next>
  void each_after(Decayed decayed, Next next) const {
    const auto [w, dw, size] = weights_;
    for (std::int64_t i = 0; i < size; ++i) {
      const Pair pair = decayed(w[i], dw[i]);
      w[i] = next(i, pair.w, pair.g);
    }
  }

  const Weights& weights_;
  std::int64_t first_;
  const Rates& rates_;
  const WeightDecay& decay_;
};

}  // namespace

void update_part(const Weights& part, std::int64_t first, const Optimizer& optimizer) noexcept {
  const Moving weights(part, first, optimizer.rates, optimizer.decay);
  std::visit([&](const auto& rule) { rule.move(weights); }, optimizer.rule);
}

void update(const Weights& weights, const Optimizer& optimizer) noexcept {
  parallel_blocks(weights.size, [&](std::int64_t begin, std::int64_t end) {
    update_part({weights.w + begin, weights.dw + begin, end - begin}, begin, optimizer);
  });
}

}  // namespace minicnn
