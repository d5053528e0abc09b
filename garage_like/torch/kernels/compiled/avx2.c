/* The steps for processors with AVX2. */
#pragma GCC target("avx2,fma")
#include "on_policy.h"

void on_policy_avx2(const OnPolicy *update) { on_policy(update); }
