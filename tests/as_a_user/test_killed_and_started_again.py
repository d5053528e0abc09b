"""Each algorithm as a user starts it: a script, killed, and started again by either command."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from compared import arrays, rows

import garage_like

ROOT = Path(garage_like.__file__).parent
LAUNCHER = Path(__file__).parent / "launcher.py"
RUNS = Path("data/local/experiment")
QUICK = [
    *(f"np_{name}" for name in ("CEM", "CMAES", "QLearning", "SARSA")),
    *(f"torch_{name}" for name in ("DQN", "DDPG", "TD3", "SAC", "TQC", "PPO", "TRPO", "VPG")),
    *(f"torch_{name}" for name in ("A2C", "BC", "DDQN", "DiscreteSAC", "MTSAC")),
]
SLOW = [
    *(f"tf_{name}" for name in ("DQN", "DDQN", "DDPG", "TD3", "PPO", "TRPO", "VPG", "NPO")),
    *(f"tf_{name}" for name in ("TNPG", "ERWR", "REPS", "RL2PPO", "RL2TRPO", "TENPO", "TEPPO")),
    *(f"torch_{name}" for name in ("MAMLPPO", "MAMLTRPO", "MAMLVPG", "PEARL", "AMP")),
    *(f"jax_{name}" for name in ("DQN", "PPO", "SAC")),
]
BASES = ["np_ParameterSearch"]


def launch(mode: str, names: list[str], directory: Path) -> str:
    directory.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, LAUNCHER, mode, *names],
        cwd=directory,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
    )
    return done.stdout


def all_of(names: list[str], folder: Path) -> tuple[Path, dict[str, str]]:
    """Run each straight, and killed and gone on with in both ways."""
    said = {"straight": launch("start", names, folder / "straight")}
    said["killed"] = launch("kill", names, folder / "command")
    shutil.copytree(folder / "command", folder / "resume")
    said["command"] = launch("start", names, folder / "command")
    said["resume"] = launch("resume", names, folder / "resume")
    return folder, said


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    return all_of(QUICK, tmp_path_factory.mktemp("quick"))


@pytest.fixture(scope="module")
def slow(tmp_path_factory):
    return all_of(SLOW, tmp_path_factory.mktemp("slow"))


def check(name: str, how: str, outcome: tuple[Path, dict[str, str]]) -> None:
    folder, said = outcome
    assert f"status of {name}: 0" in said["straight"], said["straight"]
    assert f"status of {name}: 9" in said["killed"], said["killed"]
    assert f"status of {name}: 0" in said[how], said[how]
    straight, again = folder / "straight" / RUNS / name, folder / how / RUNS / name
    assert "Restore from snapshot" in (again / "debug.log").read_text()
    ours, theirs = arrays(straight), arrays(again)
    assert [key for key in {*ours, *theirs} if ours.get(key) != theirs.get(key)] == []
    assert len(rows(straight)) == 4
    assert rows(again) == rows(straight)


def exported(backend: str) -> list[str]:
    """Return the names that a backend's algorithms are exported by; no framework is loaded."""
    code = ast.parse((ROOT / backend / "algos" / "__init__.py").read_text())
    (named,) = (
        node.value
        for node in code.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    )
    return list(ast.literal_eval(named))


def test_each_algorithm_that_is_exported_is_among_these():
    backends = [path.parent.parent.name for path in ROOT.glob("*/algos/__init__.py")]
    found = [f"{backend}_{name}" for backend in backends for name in exported(backend)]
    assert set(backends) == {"np", "torch", "tf", "jax"}
    assert sorted([*QUICK, *SLOW, *BASES]) == sorted(found)


@pytest.mark.xdist_group("as_a_user")
@pytest.mark.parametrize("how", ["command", "resume"])
@pytest.mark.parametrize("name", QUICK)
def test_killed_and_started_again_it_is_as_if_never_killed(name, how, quick):
    check(name, how, quick)


@pytest.mark.slow
@pytest.mark.xdist_group("as_a_user_slowly")
@pytest.mark.parametrize("how", ["command", "resume"])
@pytest.mark.parametrize("name", SLOW)
def test_in_other_frameworks_too(name, how, slow):
    check(name, how, slow)
