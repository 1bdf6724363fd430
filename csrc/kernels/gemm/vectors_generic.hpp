#pragma once

#include <cstring>

// The vector type for every machine, with the interface of those in vectors_avx2.hpp.

namespace minicnn {
namespace {

// Four floats in the compiler's vector type: SSE2, NEON or whatever the machine has.
struct Wide {
  using V [[gnu::vector_size(16)]] = float;
  using Mask = int;
  static constexpr int kLanes = 4;
  static Mask mask(int lanes) { return lanes; }
  static V broadcast(float x) { return V{x, x, x, x}; }
  static V load(const float* p) {
    V v;
    std::memcpy(&v, p, sizeof v);
    return v;
  }
  static V load(const float* p, Mask lanes) {
    if (lanes == kLanes) return load(p);
    return V{p[0], lanes > 1 ? p[1] : 0, lanes > 2 ? p[2] : 0, 0};
  }
  static void store(float* p, V v) { std::memcpy(p, &v, sizeof v); }
  static void store(float* p, V v, Mask lanes) {
    if (lanes == kLanes) return store(p, v);
    for (int i = 0; i < lanes; ++i) p[i] = v[i];
  }
  static void stream(float* p, V v) { store(p, v); }
  static V multiply_add(V a, V b, V c) { return a * b + c; }  // two roundings: no contraction
  static V relu(V v) { return v <= V{} ? V{} : v; }
  static V narrow(V v) { return v; }
};

}  // namespace
}  // namespace minicnn
