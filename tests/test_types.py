"""Type checkers accept what users write, and see what a decorated experiment takes."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mypy")

ROOT = Path(__file__).parents[1]

CALLS = """
from typing import Any

from garage_like import wrap_experiment
from garage_like.experiment import SnapshotConfig


@wrap_experiment
def plain(ctxt: Any = None, *, seed: int = 1) -> float:
    return 1.0


@wrap_experiment(auto_resume=True, snapshot_mode="gap", snapshot_gap="auto", keep_best=2)
def with_options(ctxt: Any, *, seed: int) -> float:
    return 1.0


returned: float = plain(seed=3)
returned = plain({"name": "other"}, seed=3)
returned = plain(ctxt={"name": "other"}, seed=3)
returned = with_options(seed=3)
name: str = plain.__name__
plain(sed=3)  # wrong
plain(seed="three")  # wrong
plain(3)  # wrong
with_options()  # wrong
not_a_number: str = plain()  # wrong

wrap_experiment(snapshot_mode="lst")  # wrong
wrap_experiment(snapshot_mod="last")  # wrong
wrap_experiment(snapshot_gap="now and then")  # wrong
wrap_experiment(keep_best="all")  # wrong
wrap_experiment(trackers=3)  # wrong
SnapshotConfig(snapshot_dir="here", best_mode="least")  # wrong
wrap_experiment(prefix="mine", trackers=["wandb"], mirror=None)
"""


def mypy(directory: Path, *files: str) -> str:
    # As an editable install has it: the sources stand on a plain path.
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--follow-imports=silent",
            "--explicit-package-bases",
            *files,
        ],
        cwd=directory,
        env={**os.environ, "MYPYPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return done.stdout + done.stderr


def test_the_readme_and_the_examples_pass(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    experiment = re.findall(r"^```python\n(.*?)^```", readme, re.DOTALL | re.MULTILINE)[0]
    (tmp_path / "readme.py").write_text(experiment, encoding="utf-8")
    examples = sorted(str(path) for path in (ROOT / "examples").rglob("*.py"))
    told = mypy(tmp_path, "readme.py", *examples)
    assert "Success" in told, told


def test_a_decorated_experiment_is_called_without_ctxt(tmp_path: Path) -> None:
    (tmp_path / "calls.py").write_text(CALLS, encoding="utf-8")
    told = mypy(tmp_path, "calls.py")
    wrong = {i for i, line in enumerate(CALLS.splitlines(), 1) if line.endswith("# wrong")}
    lines = [line for line in told.splitlines() if ": error:" in line]
    assert {int(line.split(":")[1]) for line in lines} == wrong, told
