"""Gradients without autograd: the losses that ship with the framework, on plain perceptrons.

On small networks nine tenths of a gradient step go into dispatching operations. Where networks are
plain perceptrons of the framework's own and the loss is the one that ships with an algorithm, these
kernels compute the same gradient in NumPy, in the same memory. An algorithm does not know of them
but for the line that asks; a subclass with a loss of its own is never served.
"""
