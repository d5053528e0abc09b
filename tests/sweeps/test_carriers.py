"""Trials on other machines: the same runs."""

import os
import shutil
import stat
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from test_sweeps import command, ended, results

# Runs what it is asked to wrap, as a batch script would be, and passes its status on.
SBATCH = """#!/bin/sh
for argument; do
    case "$argument" in --output=*) log="${argument#--output=}";; esac
    wrapped="$argument"
done
[ "$1" = --wait ] && exec sh -c "$wrapped" >> "$log" 2>&1
"""
SETTINGS = ("--set", "extra_std=0.5,2", "--prune", "asha", "--grace", "3")


@pytest.mark.slow
@pytest.mark.parametrize("where", ["slurm", "ray"])
def test_trials_elsewhere_are_those_of_this_machine(where, tmp_path, monkeypatch):
    here, there = tmp_path / "here", tmp_path / "there"
    assert ended(command(here, *SETTINGS))[0] == 0
    if where == "slurm":
        (tmp_path / "sbatch").write_text(SBATCH)
        (tmp_path / "sbatch").chmod(stat.S_IRWXU)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
        status, said = ended(command(there, *SETTINGS, "--on", "slurm", "--jobs", 2))
    else:
        pytest.importorskip("ray")
        folder = Path(f"/tmp/gl-sweep-{os.getpid()}")  # sockets' names must be short
        folder.mkdir()
        for name, value in (("HOME", folder), ("RAY_TMPDIR", folder), ("RAY_ADDRESS", "local")):
            monkeypatch.setenv(name, str(value))
        status, said = ended(command(there, *SETTINGS, "--on", "ray", "--jobs", 2))
        shutil.rmtree(folder, ignore_errors=True)
    assert status == 0, said
    assert results(there) == results(here)
