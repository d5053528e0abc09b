"""A disk that is really full: training ends well, and saves again once there is room."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_run_on_a_disk_that_is_full_for_a_while_ends_well(tmp_path, figures):
    if shutil.which("unshare") is None:
        pytest.skip("needs unshare(1) to mount a disk of its own")
    ran = subprocess.run(
        [
            "unshare",
            "--mount",
            sys.executable,
            str(Path(__file__).with_name("full_disk_run.py")),
            str(tmp_path),
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if "cannot mount" in ran.stdout or "unshare failed" in ran.stderr:
        pytest.skip("this user may not mount a disk; failing calls are tested in test_faults")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.endswith("well\n")
    figures["disks that were really full for a while"] += 1
