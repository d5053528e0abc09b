"""Policies, value functions, optimizers and algorithms in torch.

The networks here are small, and several torch threads make small networks slower, up to tenfold
on a busy machine. Importing this package therefore sets one thread, unless the environment
variable OMP_NUM_THREADS or MKL_NUM_THREADS is set. To choose for yourself, call
`torch.set_num_threads` after the import. The number is part of what makes a run repeatable.
"""

import os

import torch

if not {"OMP_NUM_THREADS", "MKL_NUM_THREADS"} & os.environ.keys():
    torch.set_num_threads(1)
