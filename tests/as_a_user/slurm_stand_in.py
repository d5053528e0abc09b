"""A stand-in for Slurm that starts batch scripts, and ends jobs as Slurm does.

The batch shell alone gets the signal before the limit, or all but it where the script has no `B:`.
At the limit, and when the job is cancelled, come TERM for all processes and KILL after a grace, and
the job stays ended, unless it asked for `scontrol requeue` before, which ends it likewise at once.
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
        self.submitted = tools / "submitted"
        for name, text in {
            "scontrol": f'[ "$1" = requeue ] && echo "$2" > {self._asked}',
            "sbatch": f'echo "$1" > {self.submitted}; echo Submitted batch job 17',
            "sacct": "echo 'JobID|State|NodeList'; echo '17|RUNNING|here'",
            "srun": 'while [ "${1#-}" != "$1" ]; do [ "$1" = --unbuffered ] || shift; shift; done\n'
            'exec "$@"',
        }.items():
            (tools / name).write_text(f"#!/bin/sh\n{text}\n")
            (tools / name).chmod(0o755)

    def sbatch(
        self, script: Path, directory: Path, most: int = 8, cancel_after: float = 1e9
    ) -> list[int]:
        """Run a job until it ends for good; return the exit status of each start."""
        text = script.read_text()
        (clock, minutes) = re.findall(r"^#SBATCH --time=(?:0:00:(\d+)|(\d+))$", text, re.M)[0]
        limit = int(clock or 60 * int(minutes))
        found: list[int] = []
        while len(found) < most:
            self._asked.unlink(missing_ok=True)
            found.append(self._start(script, directory, limit, cancel_after, len(found)))
            if not self._asked.exists():
                break
            assert self._asked.read_text() == "17\n"
        return found

    def _start(
        self, script: Path, directory: Path, limit: int, cancel_after: float, count: int
    ) -> int:
        (who, name, lead) = re.findall(
            r"^#SBATCH --signal=(B:)?(\w+)@(\d+)$", script.read_text(), re.M
        )[0]
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
        signalled, ended_at = False, began + min(limit, cancel_after)
        while job.poll() is None:
            now = time.time()
            if self._asked.exists():
                ended_at = min(ended_at, now)
            if not signalled and now > began + limit - int(lead):
                signalled = True
                number = signal.Signals[f"SIG{name}"]
                for process in [job.pid] if who else self._steps_of(job):
                    os.kill(process, number)
            if now > ended_at:
                self._end(job)
            time.sleep(0.05)
        self._end(job)
        return job.returncode

    def _steps_of(self, job: subprocess.Popen) -> list[int]:
        """Return what the batch shell has started; grandchildren are not told here."""
        return list(map(int, Path(f"/proc/{job.pid}/task/{job.pid}/children").read_text().split()))

    def _end(self, job: subprocess.Popen) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(job.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                job.wait(GRACE)
            time.sleep(0.1)
            os.killpg(job.pid, signal.SIGKILL)
