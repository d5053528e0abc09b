"""Policies, baselines, optimizers and algorithms in TensorFlow 2, and the TFTrainer.

Importing this package loads nothing: `garage_like.tf.quiet_import` loads TensorFlow, and whatever
here needs it imports that.
"""
