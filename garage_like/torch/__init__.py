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

from garage_like.torch.devices import global_device, prefer_gpu, set_gpu_mode
from garage_like.torch.functions import (
    as_torch,
    as_torch_dict,
    compute_advantages,
    expand_var,
    filter_valids,
    flatten_batch,
    flatten_to_single_vector,
    make_optimizer,
    np_to_torch,
    output_height_2d,
    output_width_2d,
    pad_to_last,
    product_of_gaussians,
    soft_update_model,
    state_dict_to,
    torch_to_np,
    update_module_params,
)
from garage_like.torch.modules.mlp import NonLinearity

__all__ = [
    "NonLinearity",
    "as_torch",
    "as_torch_dict",
    "compute_advantages",
    "expand_var",
    "filter_valids",
    "flatten_batch",
    "flatten_to_single_vector",
    "global_device",
    "make_optimizer",
    "np_to_torch",
    "output_height_2d",
    "output_width_2d",
    "pad_to_last",
    "prefer_gpu",
    "product_of_gaussians",
    "set_gpu_mode",
    "soft_update_model",
    "state_dict_to",
    "torch_to_np",
    "update_module_params",
]
