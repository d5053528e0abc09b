"""Loading TensorFlow, in fresh processes."""

import os
import subprocess
import sys

UNSET = {"TF_CPP_MIN_LOG_LEVEL", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"}


def run(program, *, check=True, **environment):
    inherited = {key: value for key, value in os.environ.items() if key not in UNSET}
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        check=check,
    )


def test_nothing_is_said_one_thread_is_set_and_the_seed_of_before_holds():
    program = """
from garage_like.seeding import set_seed
set_seed(5)
from garage_like.tf.policies import CategoricalMLPPolicy
from garage_like.tf.quiet_import import stderr_held_back, tf
threading = tf.config.threading
print(threading.get_intra_op_parallelism_threads(), threading.get_inter_op_parallelism_threads())
first = tf.random.uniform(()).numpy()
tf.random.set_seed(5)
print(first == tf.random.uniform(()).numpy())

import os
with stderr_held_back():
    os.write(2, b'not shown|')
try:
    with stderr_held_back():
        os.write(2, b'undefined symbol|')
        raise ImportError('broken')
except ImportError as error:
    os.write(2, f'{error}|'.encode())
tf.constant([1.0]) @ tf.constant([1.0])
"""
    ran = run(program, check=False)
    assert ran.stdout.split() == ["1", "1", "True"]
    assert ran.stderr.startswith("undefined symbol|broken|Traceback"), "held back, then shown"
    assert "InvalidArgumentError" in ran.stderr, "TensorFlow's own errors"


def test_what_was_chosen_and_drawn_before_is_left_alone():
    program = """
import tensorflow as tf
from garage_like.seeding import set_seed
set_seed(5)
tf.config.threading.set_intra_op_parallelism_threads(2)
draws = [float(tf.random.uniform(()))]
import garage_like.tf.quiet_import
draws.append(float(tf.random.uniform(())))
print(tf.config.threading.get_intra_op_parallelism_threads(), draws[0] == draws[1])
"""
    assert run(program).stdout.split() == ["2", "False"]


def test_threads_of_the_environment_hold_and_noise_is_shown_on_request():
    program = """
from garage_like.tf.quiet_import import tf
print(tf.config.threading.get_intra_op_parallelism_threads())
"""
    ran = run(program, TF_NUM_INTRAOP_THREADS="3", TF_CPP_MIN_LOG_LEVEL="0")
    assert ran.stdout.split() == ["0"], "TensorFlow itself looks there"
    assert ran.stderr != ""


def test_its_absence_is_a_clear_error():
    program = """
from garage_like.logging.light_imports import absent
with absent("tensorflow"):
    from garage_like import TFTrainer
    TFTrainer()
"""
    ran = run(program, check=False)
    assert "garage_like.tf needs TensorFlow, which is not installed: pip install" in ran.stderr
