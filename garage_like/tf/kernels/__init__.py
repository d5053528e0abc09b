"""Gradient steps of TensorFlow's networks by the library in C, for as long as an epoch lasts.

TensorFlow's executor takes several times as long for a small gradient step as its arithmetic does.
Where networks are plain perceptrons of the framework's own and the loss is the one that ships with
an algorithm, weights and slots are copied into memory of the library's at the beginning of an epoch
and back into their variables at its end. Between epochs a run is none the wiser.
"""
