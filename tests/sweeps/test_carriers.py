"""Trials on other machines: the same runs, and none outlives its sweep."""

import contextlib
import os
import re
import shutil
import signal
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import slurm_tools
from test_sweeps import command, ended, results

SETTINGS = ("--set", "extra_std=0.5,2", "--prune", "asha", "--grace", "3")
MORE = ("--set", "extra_std=0.5,1,2,3", "--prune", "asha", "--grace", "3")


@pytest.fixture(params=["slurm", "ray"])
def where(request, tmp_path, monkeypatch):
    """Let there be Ray, or what stands in for Slurm."""
    if request.param == "slurm":
        tools = slurm_tools.put_into(tmp_path / "tools")
        monkeypatch.setenv("PATH", str(tools), prepend=os.pathsep)
        yield "slurm"
        return
    pytest.importorskip("ray")
    folder = Path(f"/tmp/gl-sweep-{os.getpid()}")  # sockets' names must be short
    folder.mkdir()
    for name, value in (("HOME", folder), ("RAY_TMPDIR", folder), ("RAY_ADDRESS", "local")):
        monkeypatch.setenv(name, str(value))
    yield "ray"
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.slow
def test_trials_elsewhere_are_those_of_this_machine(where, tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    assert ended(command(here, *SETTINGS))[0] == 0
    status, said = ended(command(there, *SETTINGS, "--on", where, "--jobs", 2))
    assert status == 0, said
    assert results(there) == results(here)


def saved(directory: Path) -> int:
    return len(list(directory.glob("data/local/sweeps/script/*/snapshots/epoch_*")))


def left(directory: Path, session: int) -> list[str]:
    """Return the commands of processes, or zombies, that a sweep has started or that work in it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            title, _, rest = (process / "stat").read_text().rpartition(")")
            words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if int(rest.split()[3]) == session or str(directory) in words:
                found.append(words or title)
    return found


@pytest.mark.slow
def test_a_sweep_that_is_stopped_leaves_no_trial_behind(where, tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    assert ended(command(here, *MORE))[0] == 0
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        driver = command(there, *MORE, "--on", where, "--jobs", 2, slow=0.5)
        begun, until = saved(there), time.monotonic() + 90
        while saved(there) <= begun and time.monotonic() < until:
            assert driver.poll() is None, ended(driver)
            time.sleep(0.1)
        if number == signal.SIGINT:  # a terminal's, which all hear
            os.killpg(driver.pid, number)
        else:
            driver.send_signal(number)
        _, said = ended(driver)
        assert ("the same command goes on" in said) == (number == signal.SIGINT), said
        until = time.monotonic() + 20
        while left(there, driver.pid) and time.monotonic() < until:
            time.sleep(0.2)
        assert left(there, driver.pid) == [], number
    status, said = ended(command(there, *MORE, "--on", where, "--jobs", 2))
    assert status == 0, said
    assert results(there) == results(here)
    assert any("Restore from snapshot" in log.read_text() for log in there.rglob("debug.log"))
    said = "".join(log.read_text() for log in there.rglob("0*.log"))
    assert re.search("SIG(INT|TERM): finishing the epoch and saving", said)
