"""A kill at any system call of `continue_from` or `start_fresh` loses nothing."""

import json
import subprocess
import sys

import pytest

# Forks a child for each moment, which calls and is gone without a trace at its n-th system call.
DRIVER = """
import json, os, shutil, sys
from pathlib import Path
from garage_like.logging import RunLogs, logger

master, work, action, offsets = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4]
offsets = json.loads(offsets)

def act(directory):
    logs = RunLogs(directory, existing=True, console=False)
    logs.continue_from(offsets) if action == "continue_from" else logs.start_fresh()
    logs.close()

def die_at(moment):
    left = [moment]
    def count(event, *_):
        if event in ("open", "os.rename", "fsync"):
            left[0] -= 1
            if left[0] < 0:
                os._exit(9)
    real_fsync = os.fsync
    def fsync(descriptor):
        count("fsync")
        real_fsync(descriptor)
    os.fsync = fsync
    sys.addaudithook(count)

for moment in range(1000):
    directory = work / str(moment)
    shutil.copytree(master, directory)
    child = os.fork()
    if child == 0:
        die_at(moment)
        act(directory)
        os._exit(0)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
        break
    act(directory)
print(moment)
"""


@pytest.fixture
def master(tmp_path_factory, log_row):
    """A run directory of five epochs, with a new column after the second; and offsets after it."""
    from garage_like.logging import RunLogs, logger

    directory = tmp_path_factory.mktemp("master")
    with RunLogs(directory, existing=False, console=False) as logs:
        for epoch in range(5):
            logger.log(f"epoch {epoch}")
            log_row(steps=epoch, x=1.5, **({"late": 1} if epoch > 2 else {}))
            if epoch == 1:
                offsets = logs.offsets()
                before = {name: (directory / name).read_bytes() for name in offsets}
    return directory, offsets, before


def kill_at_every_moment(master, tmp_path, action, offsets):
    result = subprocess.run(
        [sys.executable, "-c", DRIVER, str(master), str(tmp_path), action, json.dumps(offsets)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert result.returncode == 0, result.stderr
    return int(result.stdout)


def test_continue_from(master, tmp_path):
    directory, offsets, before = master
    moments = kill_at_every_moment(directory, tmp_path, "continue_from", offsets)
    assert moments > 15
    full = {name: (directory / name).read_bytes() for name in offsets}
    for work in tmp_path.iterdir():
        orphans = [path.read_bytes() for path in work.iterdir() if path.name[-9:-1] == ".orphan-"]
        for name, content in before.items():
            assert (work / name).read_bytes() == content
            tail = full[name] if name == "progress.csv" else full[name][len(content) :]
            assert tail in orphans


def test_start_fresh(master, tmp_path):
    directory, offsets, _ = master
    moments = kill_at_every_moment(directory, tmp_path, "start_fresh", offsets)
    assert moments > 3
    full = sorted((directory / name).read_bytes() for name in offsets)
    for work in tmp_path.iterdir():
        assert sorted(path.read_bytes() for path in work.iterdir()) == full
