"""Tab after `garage-like train`, asked as bash asks."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes_algorithms_and_their_environments(tmp_path):
    command = tmp_path / "garage-like"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m garage_like "$@"\n')
    command.chmod(0o755)
    script = """
        eval "$(_GARAGE_LIKE_COMPLETE=bash_source garage-like)"
        COMP_WORDS=(garage-like train td) COMP_CWORD=2; _garage_like_completion garage-like
        echo "${COMPREPLY[*]}"
        COMPREPLY=() COMP_WORDS=(garage-like train sac Ha) COMP_CWORD=3
        _garage_like_completion garage-like
        echo "${COMPREPLY[*]}"
    """
    env = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        ["bash", "-c", script], env=env, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert ran.stdout.splitlines() == ["TD3", "HalfCheetah-v5"], ran.stderr
