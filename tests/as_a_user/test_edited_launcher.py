"""A launcher that was edited between two starts: which code runs is said, and what was edited."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import sys

import beside

from garage_like import Trainer, wrap_experiment
from garage_like.interfaces import RLAlgorithm
from garage_like.logging import tabular


class Mine(RLAlgorithm):
    policy = None

    def train_epoch(self, trainer):
        tabular.record("Launcher", "old")
        tabular.record("Module", beside.WORD)
        trainer.step_itr += 1
        return 0.0


@wrap_experiment(auto_resume=True, log_dir="run", archive_launch_repo=False)
def mine(ctxt):
    trainer = Trainer(ctxt)
    trainer.setup(Mine(), None)
    trainer.train(int(sys.argv[1]))


if __name__ == "__main__":
    mine()
"""


EDITED = "since the run was last started"


def start(folder: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def last_row(folder: Path) -> tuple[str, str]:
    with (folder / "run" / "progress.csv").open(newline="") as file:
        row = list(csv.DictReader(file))[-1]
    return row["Launcher"], row["Module"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a script that was run for two epochs."""
    (tmp_path / "run.py").write_text(SCRIPT)
    (tmp_path / "beside.py").write_text('WORD = "old"\n')
    assert EDITED not in start(tmp_path, "run.py", "2")
    return tmp_path


def edit(folder: Path) -> None:
    (folder / "run.py").write_text(SCRIPT.replace('"old"', '"new"'))
    (folder / "beside.py").write_text('WORD = "new"\n')


def test_the_same_command_runs_the_new_code_and_says_so(folder: Path) -> None:
    edit(folder)
    said = start(folder, "run.py", "3")
    line = "Edited since the run was last started, and the new code runs"
    assert f"{line}: {folder}/run.py (+1 -1 lines, from line 15 on)" in said
    assert f"{line}: {folder}/beside.py" in said
    assert last_row(folder) == ("new", "new")
    assert EDITED not in start(folder, "run.py", "4")


def test_the_command_runs_the_old_code_and_says_so(folder: Path) -> None:
    edit(folder)
    said = start(folder, "-m", "garage_like", "resume", "run", "--n-epochs", "3")
    assert f"The launcher was edited since the run was last started: {folder}/run.py (+1" in said
    assert "the old code; start the script again to run the new" in said
    assert f"the new code runs: {folder}/beside.py" in said
    assert last_row(folder) == ("old", "new")


def test_where_nothing_was_edited_or_all_is_gone_nothing_is_said(folder: Path) -> None:
    said = start(folder, "-m", "garage_like", "resume", "run", "--n-epochs", "3")
    assert EDITED not in said
    (folder / "run.py").unlink()
    said = start(folder, "-m", "garage_like", "resume", "run", "--n-epochs", "4")
    assert EDITED not in said
    assert last_row(folder) == ("old", "old")
