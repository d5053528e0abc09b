"""Policies, baselines and algorithms in NumPy alone, and what acts for other backends.

Importing this package sets one thread for NumPy's matrix products, unless OMP_NUM_THREADS,
OPENBLAS_NUM_THREADS or MKL_NUM_THREADS is set; `garage_like.data.blas.set_threads` sets another.
"""

from garage_like.data.blas import pin_threads
from garage_like.np.functions import (
    concat_tensor_dict_list,
    discount_cumsum,
    explained_variance_1d,
    flatten_tensors,
    pad_batch_array,
    pad_tensor,
    pad_tensor_dict,
    pad_tensor_n,
    rrse,
    slice_nested_dict,
    sliding_window,
    stack_and_pad_tensor_dict_list,
    stack_tensor_dict_list,
    truncate_tensor_dict,
    unflatten_tensors,
)

pin_threads()

__all__ = [
    "concat_tensor_dict_list",
    "discount_cumsum",
    "explained_variance_1d",
    "flatten_tensors",
    "pad_batch_array",
    "pad_tensor",
    "pad_tensor_dict",
    "pad_tensor_n",
    "rrse",
    "slice_nested_dict",
    "sliding_window",
    "stack_and_pad_tensor_dict_list",
    "stack_tensor_dict_list",
    "truncate_tensor_dict",
    "unflatten_tensors",
]
