#pragma once

#include <immintrin.h>

// The vector types of AVX2, for code that is compiled once per instruction set: `Wide` for
// most work, `Half` where fewer lanes are enough. Only for files compiled for AVX2; in an anonymous
// namespace for the reason that micro_body.hpp gives.

namespace minicnn {
namespace {

// Eight ints loaded from kLaneMasks + 8 - lanes are a mask of the first `lanes` lanes.
constexpr int kLaneMasks[16] = {-1, -1, -1, -1, -1, -1, -1, -1};

struct Half {
  using V = __m128;
  using Mask = __m128i;
  static constexpr int kLanes = 4;
  static Mask mask(int lanes) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(kLaneMasks + 8 - lanes));
  }
  static V broadcast(float x) { return _mm_set1_ps(x); }
  static V load(const float* p, Mask mask) { return _mm_maskload_ps(p, mask); }
  static void store(float* p, V v, Mask mask) { _mm_maskstore_ps(p, mask, v); }
  static void stream(float* p, V v) { _mm_stream_ps(p, v); }
  static V multiply_add(V a, V b, V c) { return _mm_fmadd_ps(a, b, c); }
  static V relu(V v) { return _mm_and_ps(v, _mm_cmp_ps(v, _mm_setzero_ps(), _CMP_NLE_UQ)); }
  static V narrow(__m256 v) { return _mm256_castps256_ps128(v); }
};

struct Wide {
  using V = __m256;
  using Mask = __m256i;
  static constexpr int kLanes = 8;
  static Mask mask(int lanes) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kLaneMasks + 8 - lanes));
  }
  static V broadcast(float x) { return _mm256_set1_ps(x); }
  static V load(const float* p) { return _mm256_loadu_ps(p); }
  static V load(const float* p, Mask mask) { return _mm256_maskload_ps(p, mask); }
  static void store(float* p, V v) { _mm256_storeu_ps(p, v); }
  static void store(float* p, V v, Mask mask) { _mm256_maskstore_ps(p, mask, v); }
  static void stream(float* p, V v) { _mm256_stream_ps(p, v); }
  static V multiply_add(V a, V b, V c) { return _mm256_fmadd_ps(a, b, c); }
  static V relu(V v) {
    return _mm256_and_ps(v, _mm256_cmp_ps(v, _mm256_setzero_ps(), _CMP_NLE_UQ));
  }
  static V narrow(V v) { return v; }
};

}  // namespace
}  // namespace minicnn
