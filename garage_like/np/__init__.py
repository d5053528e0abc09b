"""Policies, baselines and algorithms in NumPy alone, and what acts for other backends.

Importing this package sets one thread for NumPy's matrix products, unless OMP_NUM_THREADS,
OPENBLAS_NUM_THREADS or MKL_NUM_THREADS is set; `garage_like.data.blas.set_threads` sets another.
"""

from garage_like.data.blas import pin_threads

pin_threads()
