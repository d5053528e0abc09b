"""A kill at any moment of the set-up, and the same command again: the run is there and whole."""

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import garage_like

PACKAGE_ROOT = str(Path(garage_like.__file__).parents[1])

# Forks a child for each moment, which is gone without a trace at its n-th system call; another
# child then runs the same experiment to its end.
DRIVER = """
import os, shutil, sys
from pathlib import Path
from garage_like import wrap_experiment
from garage_like.logging import logger

log_dir = Path(sys.argv[1])

@wrap_experiment(log_dir=log_dir / "warm", auto_resume=True, console=False)
def launched(ctxt=None, *, seed=1):
    logger.log("the experiment itself")

def die_at(moment):
    left = [moment]
    def count(event, arguments):
        ours = event == "open" and str(arguments[0]).startswith(str(log_dir))
        if ours or event in ("os.rename", "os.mkdir", "subprocess.Popen", "fsync"):
            left[0] -= 1
            if left[0] < 0:
                os._exit(9)
    real_fsync = os.fsync
    def fsync(descriptor):
        count("fsync", ())
        real_fsync(descriptor)
    os.fsync = fsync
    sys.addaudithook(count)

def in_child(moment):
    child = os.fork()
    if child == 0:
        if moment is not None:
            die_at(moment)
        launched({"log_dir": log_dir / str(number)}, seed=3)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

launched()
for number in range(1000):
    killed = in_child(number) == 9
    if in_child(None) != 0:
        sys.exit(f"killed at call {number}, the same command again failed")
    if not killed:
        break
print(number)
"""


def test_kill_at_every_call(tmp_path, git):
    script = tmp_path / "repo" / "launch.py"
    script.write_text(DRIVER)
    log_dir = tmp_path / "runs"
    result = subprocess.run(
        [sys.executable, str(script), str(log_dir)],
        env={**os.environ, "PYTHONPATH": PACKAGE_ROOT},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert result.returncode == 0, result.stderr
    moments = int(result.stdout)
    assert moments > 20
    for number in range(moments + 1):
        run = log_dir / str(number)
        assert json.loads((run / "variant.json").read_text()) == {"seed": 3}
        assert json.loads((run / "experiment.json").read_text())["function"] == "launched"
        assert json.loads((run / "metadata.json").read_text())["git_root"] == str(script.parent)
        with tarfile.open(run / "launch_archive.tar.xz") as archive:
            assert archive.getnames() == ["launch.py"]
        assert "the experiment itself" in (run / "debug.log").read_text()
        left = [p.name for p in run.iterdir() if "draft" in p.name or "orphan-" in p.name]
        assert [name for name in left if not name.startswith(("metadata", "experiment"))] == []
