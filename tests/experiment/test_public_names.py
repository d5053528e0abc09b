"""What `garage_like.experiment` offers, and what importing it loads, in fresh processes."""

import subprocess
import sys

import pytest

import garage_like.experiment

HEAVY = ("dowel", "torch", "tensorflow", "matplotlib", "scipy", "tensorboardX")


def run(code):
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=120
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


@pytest.mark.parametrize(
    "statement",
    [
        "import garage_like.experiment",
        "from garage_like.experiment import deterministic, SnapshotConfig, ExperimentContext",
        "from garage_like import wrap_experiment",
    ],
)
def test_importing_it_loads_neither_dowel_nor_a_framework(statement):
    code = f"{statement}; import sys; print([m for m in {HEAVY} if m in sys.modules])"
    assert run(code) == "[]"


@pytest.mark.parametrize("name", garage_like.experiment.__all__)
def test_every_public_name_is_there(name):
    assert getattr(garage_like.experiment, name) is not None
    assert name in dir(garage_like.experiment)


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match=r"'garage_like\.experiment' has no attribute 'Nope'"):
        _ = garage_like.experiment.Nope


@pytest.mark.parametrize("home", ["garage_like", "garage_like.experiment", "garage_like.trainer"])
def test_naming_the_trainer_of_tensorflow_does_not_load_tensorflow(home):
    code = f"from {home} import TFTrainer; import sys; print('tensorflow' in sys.modules)"
    assert run(code) == "False"


def test_deterministic_is_the_seeding_of_the_run():
    from garage_like import seeding
    from garage_like.experiment import deterministic

    before = seeding.seed_state()
    deterministic.set_seed(7)
    assert seeding.get_seed() == 7
    seeding.restore_seed_state(before)
    assert deterministic.get_seed is seeding.get_seed
