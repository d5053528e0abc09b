/* Vectors of one level of x86-64, and functions of them.

   Included once for each level, after a `#pragma GCC target`. Whatever the level, results are the
   same: no function of a C library is called, products and sums are fused where `fma` stands and
   nowhere else (-ffp-contract=off), and sums run in LANES lanes whatever a vector holds. */

#include <immintrin.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

enum { LANES = 16 }; /* rows are padded to a multiple of it */

#ifdef __AVX512F__
enum { VL = 16, MR = 8 }; /* numbers in a vector; rows of a tile */
#else
enum { VL = 8, MR = 6 };
#endif
enum { NV = 2, NR = NV * VL }; /* vectors, and columns, of a tile */

typedef float vec __attribute__((vector_size(VL * 4), aligned(4), may_alias));
typedef int32_t ivec __attribute__((vector_size(VL * 4), aligned(4), may_alias));
typedef float vec8 __attribute__((vector_size(32), aligned(4), may_alias));
typedef int32_t ivec8 __attribute__((vector_size(32)));

INLINE vec load(const float *x) { return *(const vec *)x; }
INLINE void store(float *x, vec v) { *(vec *)x = v; }
INLINE vec all(float x) { return (vec){} + x; }
INLINE vec pick(ivec which, vec a, vec b) { return (vec)(((ivec)a & which) | ((ivec)b & ~which)); }

/* a b + c, rounded once */
INLINE vec fma_(vec a, vec b, vec c) {
#ifdef __AVX512F__
    return (vec)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#else
    return (vec)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#endif
}

/* Comparisons are false for NaN, so that NaN goes through. */
INLINE vec clip(vec x, vec low, vec high) {
    x = pick(x < low, low, x);
    return pick(x > high, high, x);
}

/* e^x by x = n log 2 + r; relative error below 1e-7 */
INLINE vec vexp(vec x) {
    x = clip(x, all(-87.0f), all(88.0f));
    vec magic = all(12582912.0f);
    vec n = fma_(x, all(1.44269504f), magic) - magic;
    vec r = fma_(n, all(2.12194440e-4f), fma_(n, all(-0.693359375f), x));
    vec p = all(0.001392625083f);
    p = fma_(p, r, all(0.008363232884f));
    p = fma_(p, r, all(0.04166655421f));
    p = fma_(p, r, all(0.1666657667f));
    p = fma_(p, r, all(0.5f));
    p = fma_(p * r, r, r) + 1.0f;
    return p * (vec)((__builtin_convertvector(n, ivec) + 127) << 23);
}

/* log(1 + f) for f from sqrt(1/2) - 1 to sqrt(2) - 1 */
INLINE vec log_near_one(vec f) {
    vec p = all(-0.07903643705f);
    p = fma_(p, f, all(0.1262373853f));
    p = fma_(p, f, all(-0.1299849062f));
    p = fma_(p, f, all(0.1421435652f));
    p = fma_(p, f, all(-0.1664124746f));
    p = fma_(p, f, all(0.200010484f));
    p = fma_(p, f, all(-0.2500030703f));
    p = fma_(p, f, all(0.3333333072f));
    vec square = f * f;
    return fma_(square * f, p, fma_(square, all(-0.5f), f));
}

/* log x for normal x > 0 */
INLINE vec vlog(vec x) {
    ivec bits = (ivec)x;
    ivec up = (bits & 0x7fffff) > 0x3504f3; /* above sqrt(2) it is half of the next power */
    vec mantissa = (vec)((bits & 0x7fffff) | ((127 << 23) + (up & -(1 << 23))));
    vec exponent = __builtin_convertvector((bits >> 23) - 127 - up, vec);
    return fma_(exponent, all(0.69314718f), log_near_one(mantissa - 1.0f));
}

/* log(1 + e^x), without losing digits where that is nearly 0 or nearly x */
INLINE vec softplus(vec x) {
    vec most = pick(x > 0, x, all(0)), least = pick(x > 0, -x, x), small = vexp(least);
    ivec near_two = small > 0.41421356f; /* 1 + small is then 2 (1 + f) */
    vec f = pick(near_two, fma_(small, all(0.5f), all(-0.5f)), small);
    return most + log_near_one(f) + pick(near_two, all(0.69314718f), all(0));
}

/* x P(x^2) / Q(x^2), fitted to tanh; relative error below 2e-7 */
INLINE vec vtanh(vec x) {
    x = clip(x, all(-9.0f), all(9.0f));
    vec y = x * x;
    vec p = all(-8.488629639e-14f);
    p = fma_(p, y, all(5.277913138e-11f));
    p = fma_(p, y, all(-2.022514416e-08f));
    p = fma_(p, y, all(1.115428630e-05f));
    p = fma_(p, y, all(3.103953996e-03f));
    p = fma_(p, y, all(1.308400808e-01f));
    p = fma_(p, y, all(9.999999934e-01f));
    vec q = all(2.546142062e-04f);
    q = fma_(q, y, all(2.449516944e-02f));
    q = fma_(q, y, all(4.641733518e-01f));
    q = fma_(q, y, all(1.0f));
    return x * p / q;
}

/* The sum of n numbers, n a multiple of LANES */
INLINE float total(const float *x, long n) {
    float lanes[LANES] = {0}, sum = 0;
    for (long j = 0; j < n; j += LANES)
        for (int i = 0; i < LANES; i++) lanes[i] += x[j + i];
    for (int i = 0; i < LANES; i++) sum += lanes[i];
    return sum;
}

/* base^count by products alone */
INLINE double power(double base, int64_t count) {
    double product = 1;
    for (; count; count >>= 1, base *= base)
        if (count & 1) product *= base;
    return product;
}

INLINE double root_of(double x) { return _mm_cvtsd_f64(_mm_sqrt_pd(_mm_set1_pd(x))); }
