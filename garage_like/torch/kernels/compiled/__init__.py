"""Whole updates in C: all minibatches of all passes in one call.

`steps.h` says what can be asked for, `on_policy.h` differentiates the losses, `perceptron.h` goes
through networks, `vectors.h` has the arithmetic; `binding.py` is the side of Python. The extension
is optional: where it was not compiled, or the processor lacks AVX2, NumPy does the work.
"""
