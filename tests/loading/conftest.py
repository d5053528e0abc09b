import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "exact_resume"))
import experiments
import off_policy_experiments

from garage_like.snapshot import SnapshotConfig
from garage_like.trainer import Trainer

ROOT = Path(__file__).parents[2]


def build(name):
    if name in ("ppo", "trpo", "vpg"):
        return experiments.build(name, "Pendulum-v1", "default")
    if name in ("cem", "cma_es"):
        return experiments.build(name, "CartPole-v1", "default")
    return off_policy_experiments.build(name, "uniform")


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """Train an algorithm for two epochs, each kept; return its directory and what it came to.

    Each is trained once in a session: do not change what comes back.
    """
    done = {}

    def train(name):
        if name not in done:
            run_dir = tmp_path_factory.mktemp(name)
            trainer = Trainer(SnapshotConfig(snapshot_dir=run_dir, snapshot_mode="all"))
            trainer.setup(*build(name))
            trainer.train(2, batch_size=45)
            done[name] = run_dir, trainer.algo
        return done[name]

    return train


@pytest.fixture
def made():
    """Make an algorithm from nothing, as `trained` does before it trains."""
    return lambda name: build(name)[0]


@pytest.fixture
def run_script(tmp_path, monkeypatch):
    """Run a launcher in a fresh process; what it changes of this one's search path is undone."""
    monkeypatch.setattr(sys, "path", list(sys.path))

    def run(code):
        script = tmp_path / "launcher.py"
        script.write_text(textwrap.dedent(code))
        ran = subprocess.run(
            [sys.executable, "-W", "error", script.name],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr

    return run
