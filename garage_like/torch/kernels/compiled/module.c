/* The extension `_steps`: gradient steps of small perceptrons, for two levels of x86-64.

   Its functions are called through ctypes, with the memory of NumPy arrays and torch tensors.
   Where this does not compile (another processor, another compiler) there is no extension, and
   NumPy does the work. */

#include <Python.h>

#include "steps.h"

#if !defined(__x86_64__) || !defined(__GNUC__) || defined(__clang__)
#error "written for GCC on x86-64; garage_like does without elsewhere"
#endif

int steps_version(void) { return STEPS_VERSION; }

/* The bits of a vector that this processor adds at once: 512, 256, or 0 if it has no AVX2. */
int widest(void) {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
        return 512;
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? 256 : 0;
}

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_steps", "Called through ctypes.", -1};

PyMODINIT_FUNC PyInit__steps(void) { return PyModule_Create(&definition); }
