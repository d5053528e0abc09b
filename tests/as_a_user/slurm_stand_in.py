"""A stand-in for Slurm that starts batch scripts, and ends jobs as Slurm does.

The batch shell alone gets the signal before the limit. At the limit come TERM for all processes and
KILL after a grace, and the job stays ended, unless it asked for `scontrol requeue` before, which
ends it likewise at once.
"""

import contextlib
import os
import re
import signal
import subprocess
import time
from pathlib import Path

GRACE = 2.0


class Slurm:
    def __init__(self, tools: Path) -> None:
        tools.mkdir()
        self._tools, self._asked = tools, tools / "asked"
        scontrol = tools / "scontrol"
        scontrol.write_text(f'#!/bin/sh\n[ "$1" = requeue ] && echo "$2" > {self._asked}\n')
        scontrol.chmod(0o755)

    def sbatch(self, script: Path, directory: Path, most: int = 8) -> list[int]:
        """Run a job until it ends for good; return the exit status of each start."""
        text = script.read_text()
        (limit,) = re.findall(r"^#SBATCH --time=0:00:(\d+)$", text, re.M)
        (lead,) = re.findall(r"^#SBATCH --signal=B:USR1@(\d+)$", text, re.M)
        assert "#SBATCH --requeue" in text
        found: list[int] = []
        while len(found) < most:
            self._asked.unlink(missing_ok=True)
            found.append(self._start(script, directory, int(limit), int(lead), len(found)))
            if not self._asked.exists():
                break
            assert self._asked.read_text() == "17\n"
        return found

    def _start(self, script: Path, directory: Path, limit: int, lead: int, count: int) -> int:
        began = time.time()
        variables = {
            "OMP_NUM_THREADS": "1",
            "PATH": f"{self._tools}:{os.environ['PATH']}",
            "PYTHONWARNINGS": "ignore",
            "SLURM_JOB_ID": "17",
            "SLURM_JOB_END_TIME": str(int(began + limit)),
            "SLURM_RESTART_COUNT": str(count),
        }
        with open(directory / "job.log", "ab") as log:
            job = subprocess.Popen(
                ["bash", script],
                cwd=directory,
                env={**os.environ, **variables},
                start_new_session=True,
                stdout=log,
                stderr=log,
            )
        signalled, ended_at = False, began + limit
        while job.poll() is None:
            now = time.time()
            if self._asked.exists():
                ended_at = min(ended_at, now)
            if not signalled and now > began + limit - lead:
                signalled = True
                os.kill(job.pid, signal.SIGUSR1)
            if now > ended_at:
                self._end(job)
            time.sleep(0.05)
        self._end(job)
        return job.returncode

    def _end(self, job: subprocess.Popen) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(job.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                job.wait(GRACE)
            time.sleep(0.1)
            os.killpg(job.pid, signal.SIGKILL)
