"""Loops of other libraries, killed and started again, against those that know nothing of us."""

import contextlib
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ENV = {**os.environ, "OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
ENV["PYTHONPATH"] = os.pathsep.join(
    path for path in (str(HERE / "light_start"), ENV.get("PYTHONPATH")) if path
)
ENV["PYTHONHASHSEED"] = "0"  # TorchRL has sets of names, whose order is this process's


def digest(folder: Path, script: str, *words: str, **extra: str) -> list[str]:
    folder.mkdir(exist_ok=True)
    output = folder / "output.txt"
    with open(output, "w") as file:
        process = subprocess.Popen(
            [sys.executable, HERE / script, *words],
            cwd=folder,
            env={**ENV, **extra},
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            status = process.wait(timeout=120)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # workers outlive what was killed
    text = output.read_text()
    assert status == (-9 if "DIES_IN" in extra else 0), text
    return [line for line in text.splitlines() if line.startswith("digest")]


def check(tmp_path: Path, script: str, kills: list[int], *words: str) -> None:
    expected = digest(tmp_path / "plain", script, *words, PLAIN="1")
    assert expected
    for kill in kills:
        digest(tmp_path / "kept", script, *words, DIES_IN=str(kill))
    assert digest(tmp_path / "kept", script, *words) == expected
    said = (tmp_path / "kept" / "output.txt").read_text()
    assert "Restore from snapshot" in said, "nothing was killed"


WHOLE = os.environ.get("WHOLE_MATRIX") == "1"


def kills_of(name: str, first: int, last: int, step: int = 1) -> list[int]:
    return sorted(random.Random(name).sample(range(first, last, step), 3 if WHOLE else 2))


def few(kills: list[int]) -> list[int]:
    return kills if WHOLE else kills[-1:]


@pytest.mark.parametrize("kind", ["ppo", "dqn"])
def test_a_script_with_a_loop_of_its_own(tmp_path, kind):
    check(tmp_path, "own_loop.py", kills_of(kind, 2, 8), kind)


EXAMPLES = {
    "skrl": ("skrl_pendulum.py", "--algorithm=ppo", "--timesteps=320"),
    "skrl SAC": ("skrl_pendulum.py", "--algorithm=sac", "--timesteps=320"),
    "tianshou": ("tianshou_cartpole.py", "--n-epochs=8", "--epoch-steps=64"),
    "torchrl": ("torchrl_cartpole.py", "--n-epochs=8", "--epoch-steps=64"),
    "rl_games": ("rl_games_cartpole.py", "--n-epochs=8"),
    "keras": ("keras_cartpole.py", "--n-epochs=8", "--epoch-steps=64"),
}


@pytest.mark.slow
@pytest.mark.parametrize("library", EXAMPLES)
def test_a_loop_of_another_library(tmp_path, library):
    pytest.importorskip(library.partition(" ")[0])
    name, *words = EXAMPLES[library]
    path = str(HERE.parents[1] / "examples" / "adapters" / name)
    check(tmp_path, "example_in_parts.py", few(kills_of(library, 2, 8)), path, *words)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sac", "recurrent", "while"])
def test_a_script_of_a_single_file(tmp_path, kind):
    last = 7 if kind == "recurrent" else 90
    check(tmp_path, "single_files.py", few(kills_of(kind, 2, last)), kind)


QUICK = [("PPO", "subproc", "normalized"), ("DQN", "dummy", "plain")]
KINDS = ["PPO", "A2C", "SAC", "TD3", "DDPG", "DQN", "TQC", "QRDQN", "RecurrentPPO", "MaskablePPO"]
MATRIX = [(k, v, n) for k in KINDS for v in ("dummy", "subproc") for n in ("plain", "normalized")]
# All of it takes most of an hour: else each algorithm is tried in one way, and killed twice.
if not WHOLE:
    MATRIX = [case for place, case in enumerate(MATRIX) if place % 4 == (place // 4) % 4]


@pytest.mark.parametrize("case", QUICK, ids="-".join)
def test_a_model_of_stable_baselines3(tmp_path, case):
    pytest.importorskip("sb3_contrib")
    check(tmp_path, "sb3_model.py", kills_of("".join(case), 70, 198, 2), *case)


@pytest.mark.slow
@pytest.mark.parametrize("case", [case for case in MATRIX if case not in QUICK], ids="-".join)
def test_the_matrix_of_stable_baselines3(tmp_path, case):
    pytest.importorskip("sb3_contrib")
    check(tmp_path, "sb3_model.py", kills_of("".join(case), 70, 198, 2), *case)


@pytest.mark.slow
def test_what_people_put_around_a_model_of_stable_baselines3(tmp_path):
    pytest.importorskip("sb3_contrib")
    check(tmp_path, "sb3_options.py", few(kills_of("options", 100, 470, 2)))
