#pragma once

#include <immintrin.h>

// The vector types of AVX-512, for code that is compiled once per instruction set: `Wide`
// for most work, `Half` where fewer lanes are enough. Only for files compiled for AVX-512; in an
// anonymous namespace for the reason that micro_body.hpp gives.

namespace minicnn {
namespace {

struct Half {
  using V = __m256;
  using Mask = __mmask8;
  static constexpr int kLanes = 8;
  static Mask mask(int lanes) { return Mask((1U << lanes) - 1); }
  static V broadcast(float x) { return _mm256_set1_ps(x); }
  static V load(const float* p, Mask mask) { return _mm256_maskz_loadu_ps(mask, p); }
  static void store(float* p, V v, Mask mask) { _mm256_mask_storeu_ps(p, mask, v); }
  static void stream(float* p, V v) { _mm256_stream_ps(p, v); }
  static V multiply_add(V a, V b, V c) { return _mm256_fmadd_ps(a, b, c); }
  static V relu(V v) {
    return _mm256_maskz_mov_ps(_mm256_cmp_ps_mask(v, _mm256_setzero_ps(), _CMP_NLE_UQ), v);
  }
  static V narrow(__m512 v) { return __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7); }
};

struct Wide {
  using V = __m512;
  using Mask = __mmask16;
  static constexpr int kLanes = 16;
  static Mask mask(int lanes) { return Mask((1U << lanes) - 1); }
  static V broadcast(float x) { return _mm512_set1_ps(x); }
  static V load(const float* p) { return _mm512_loadu_ps(p); }
  static V load(const float* p, Mask mask) { return _mm512_maskz_loadu_ps(mask, p); }
  static void store(float* p, V v) { _mm512_storeu_ps(p, v); }
  static void store(float* p, V v, Mask mask) { _mm512_mask_storeu_ps(p, mask, v); }
  static void stream(float* p, V v) { _mm512_stream_ps(p, v); }
  static V multiply_add(V a, V b, V c) { return _mm512_fmadd_ps(a, b, c); }
  static V relu(V v) {
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(v, _mm512_setzero_ps(), _CMP_NLE_UQ), v);
  }
  static V narrow(V v) { return v; }
};

}  // namespace
}  // namespace minicnn
