import os
import subprocess
import sys

import numpy as np
import pytest

from garage_like.data import blas

UNSET = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def threads_in_a_process_of_its_own(code, **variables):
    environ = {name: value for name, value in os.environ.items() if name not in UNSET}
    code = f"from garage_like.data import blas\n{code}\nprint(blas.threads())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**environ, **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.mark.skipif(blas.threads() is None, reason="NumPy's library does not tell")
def test_products_take_one_thread_unless_a_variable_says_otherwise():
    assert threads_in_a_process_of_its_own("import garage_like.np") == "1"
    assert threads_in_a_process_of_its_own("blas.set_threads(2)") == "2"
    two = {"OPENBLAS_NUM_THREADS": "2"}
    assert threads_in_a_process_of_its_own("import garage_like.np", **two) == "2"


def test_products_are_right_with_any_number():
    before = blas.threads()
    rows = np.arange(12.0).reshape(3, 4)
    try:
        blas.set_threads(2)
        assert (rows @ rows.T)[0, 1] == 38.0
    finally:
        if before is not None:
            blas.set_threads(before)
