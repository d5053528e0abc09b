from pathlib import Path

import pytest
from click.testing import CliRunner

from garage_like.cli import main
from garage_like.snapshot.disk.lock import RunLock


def test_run_is_removed_whole(call_json, finished: Path) -> None:
    planned = call_json("rm", finished, "--dry-run")
    assert finished.exists()
    done = call_json("rm", finished, "--yes")
    assert not finished.exists()
    assert list(finished.parent.iterdir()) == []
    assert done["removed"] == [0, 1, 2, 3, 4, 5]
    assert planned == {**done, "dry_run": True}


@pytest.mark.parametrize(("answer", "is_gone"), [("y\n", True), ("n\n", False), ("", False)])
def test_it_asks_first(finished: Path, answer: str, is_gone: bool) -> None:
    done = CliRunner().invoke(main, ["rm", str(finished)], input=answer)
    assert "6 snapshots, " in done.stderr
    assert finished.exists() is not is_gone
    assert done.exit_code == (0 if is_gone else 1)


def test_run_that_is_being_written_is_refused(command, finished: Path) -> None:
    lock = RunLock(finished)
    lock.acquire()
    try:
        done = command("rm", finished, "--yes")
    finally:
        lock.release()
    assert done.returncode == 1
    assert "another process is writing to this run (process" in done.stderr
    assert (finished / "snapshots" / "epoch_000005").exists()


def test_only_a_run_directory_is_removed(call, finished: Path) -> None:
    link = finished.with_name("link")
    link.symlink_to(finished)
    reasons = {
        finished.parent: "expected a run directory, with experiment.json or snapshots/",
        finished / "snapshots" / "epoch_000001": "expected a run directory, with",
        finished / "nope": "no such directory; expected a run directory",
        link: f"a link to {finished}; give the run directory itself",
    }
    for path, reason in reasons.items():
        refused = call("rm", path, "--yes")
        assert refused.exit_code == 1
        assert reason in refused.stderr
    assert (finished / "snapshots" / "epoch_000005").exists()


def test_run_that_holds_other_runs_is_refused(call, finished: Path) -> None:
    call("branch", finished, finished / "inner" / "run")
    refused = call("rm", finished, "--yes")
    assert f"holds other runs, {finished / 'inner' / 'run'} among them" in refused.stderr
    assert finished.exists()


def test_json_does_not_ask(call, finished: Path) -> None:
    refused = call("rm", finished, "--json")
    assert refused.exit_code == 2
    assert "--json cannot ask; give --yes or --dry-run with it" in refused.stderr
    assert finished.exists()
