/* The extension `_steps`: gradient steps of small perceptrons, for two levels of x86-64.

   Its functions, all but `look`, are called through ctypes, with the memory of NumPy arrays and torch tensors.
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

typedef int64_t Looking(const Look *, int64_t, const float *, float *, const double *, int64_t *);
Looking look_avx2, look_avx512;

enum { ADDRESS, BITS, INPUTS, OUTPUTS, UNIFORMS, ACTIONS, MOST_ARGUMENTS };

/* The one function that is called so often that ctypes would cost as much as the work. */
static PyObject *look(PyObject *self, PyObject *const *arguments, Py_ssize_t count) {
    Py_buffer of[MOST_ARGUMENTS];
    int64_t failed = NO_MEMORY;
    int taken = INPUTS;
    if (count != UNIFORMS && count != MOST_ARGUMENTS)
        return PyErr_Format(PyExc_TypeError, "look takes 4 or 6 arguments, got %zd", count);
    const Look *network = PyLong_AsVoidPtr(arguments[ADDRESS]);
    long bits = PyLong_AsLong(arguments[BITS]);
    if (PyErr_Occurred()) return 0;
    for (; taken < count; taken++) {
        int writes = taken == OUTPUTS || taken == ACTIONS;
        if (PyObject_GetBuffer(arguments[taken], &of[taken], writes ? PyBUF_WRITABLE : PyBUF_SIMPLE))
            goto done;
    }
    int width = network->shape.widths[0], kinds = network->shape.widths[network->shape.layers];
    int64_t rows = of[INPUTS].len / (4 * width);
    int draws = count == MOST_ARGUMENTS;
    if (of[INPUTS].len != rows * width * 4 || of[OUTPUTS].len != rows * kinds * 4 ||
        (draws && (of[UNIFORMS].len != rows * 8 || of[ACTIONS].len != rows * 8))) {
        PyErr_SetString(PyExc_ValueError, "look: arrays must be as long as the network's rows");
        goto done;
    }
    Looking *looking = bits == 512 ? look_avx512 : look_avx2;
    Py_BEGIN_ALLOW_THREADS
    failed = looking(network, rows, of[INPUTS].buf, of[OUTPUTS].buf, draws ? of[UNIFORMS].buf : 0,
                     draws ? of[ACTIONS].buf : 0);
    Py_END_ALLOW_THREADS
    if (failed == NO_MEMORY) PyErr_NoMemory();
done:
    while (taken-- > INPUTS) PyBuffer_Release(&of[taken]);
    return PyErr_Occurred() ? 0 : PyLong_FromLongLong(failed);
}

static PyMethodDef methods[] = {
    {"look", (PyCFunction)(void (*)(void))look, METH_FASTCALL,
     "look(address, bits, inputs, outputs[, uniforms, actions]): the first row that is not finite."},
    {0, 0, 0, 0},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_steps", 0, -1, methods};

PyMODINIT_FUNC PyInit__steps(void) { return PyModule_Create(&definition); }
