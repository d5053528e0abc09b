/* The steps for processors with AVX-512. */
#pragma GCC target("avx2,fma,avx512f,avx512dq,avx512bw,avx512vl")
#include "on_policy.h"

void on_policy_avx512(const OnPolicy *update) { on_policy(update); }
