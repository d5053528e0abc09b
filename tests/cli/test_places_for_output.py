"""Places that nothing can be written to: a line that says so, and nothing is replaced there."""

import os
import stat
from pathlib import Path

import pytest

from garage_like import wrap_experiment
from garage_like.errors import DirectoryError
from garage_like.logging.log_files import check_replaceable
from garage_like.snapshot import SnapshotConfig
from garage_like.trainer import automatic_directory


@pytest.mark.parametrize(
    "command",
    [
        ["branch", "RUN", "OUT"],
        ["resume", "RUN", "--log-dir", "OUT", "--additional-epochs", "1"],
        ["verify-resume", "SCRIPT", "--log-dir", "OUT"],
    ],
    ids=lambda command: command[0],
)
def test_directory_below_a_file_is_refused_in_a_line(call, finished: Path, tmp_path, command):
    file = tmp_path / "file"
    file.write_text("")
    given = {"RUN": finished, "OUT": file / "below", "SCRIPT": file}
    failed = call(*(str(given.get(word, word)) for word in command))
    assert f"{file} is a file; give one that can be" in failed.output
    assert failed.exit_code in (1, 2)
    assert "Traceback" not in failed.output


def test_experiment_below_a_file_says_what_stands_in_the_way(tmp_path):
    (tmp_path / "file").write_text("")

    @wrap_experiment(log_dir=str(tmp_path / "file" / "below"))
    def train(ctxt):
        raise AssertionError("not reached")

    with pytest.raises(DirectoryError, match=r"file is a file; give one that can be"):
        train()


def test_directory_by_itself_below_a_dangling_link_does_not_try_for_ever(tmp_path, monkeypatch):
    (tmp_path / "link").symlink_to("/proc/nowhere/data")
    monkeypatch.setattr(automatic_directory, "PARENT", tmp_path / "link" / "local")
    with pytest.raises(DirectoryError, match="cannot be made"):
        automatic_directory.with_directory(SnapshotConfig(), object(), "")


@pytest.mark.parametrize(
    "command",
    [
        ["plot", "RUN", "--out", "OUT"],
        ["study", "RUN", "--metric", "Evaluation/AverageReturn", "--reps", "10", "--out", "OUT"],
        ["export", "RUN", "OUT", "--component", "algo", "--format", "npz"],
        ["export", "RUN", "OUT", "--all", "--format", "npz"],
        ["port", "OUT"],
    ],
    ids=lambda command: command[0],
)
def test_no_command_puts_a_file_in_the_place_of_a_pipe(call, finished: Path, tmp_path, command):
    pytest.importorskip({"port": "libcst", "export": "numpy"}.get(command[0], "matplotlib"))
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    given = {"RUN": finished, "OUT": pipe}
    failed = call(*(given.get(word, word) for word in command))
    assert failed.exit_code == 1
    assert "pipe: expected a place for a file, and this is none" in failed.output
    assert stat.S_ISFIFO(pipe.lstat().st_mode)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".pipe")]


def test_ported_script_that_a_link_leads_to_is_rewritten_where_it_is(call, tmp_path):
    pytest.importorskip("libcst")
    (tmp_path / "script.py").write_text("import gym\nfrom garage import wrap_experiment\n")
    (tmp_path / "link.py").symlink_to("script.py")
    assert call("port", tmp_path / "link.py").exit_code == 0
    assert (tmp_path / "link.py").is_symlink()
    assert (tmp_path / "script.py").read_text().startswith("import gymnasium as gym\n")


def test_pipe_is_not_replaced_by_a_file(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(DirectoryError, match="expected a place for a file"):
        check_replaceable(pipe)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    check_replaceable(tmp_path / "made" / "new.png")
    assert (tmp_path / "made").is_dir()
