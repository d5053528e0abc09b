"""What a Slurm job that `garage-like slurm` has written runs: a script, watched.

The watching process takes the signal that Slurm sends before the limit and hands it to the script,
whose run finishes its epoch, saves and ends. It asks for the job to be queued again when that is
done, or shortly before the limit whatever the epoch does: a job that has reached its limit stays
ended. The same script then goes on with the same run.
"""

from __future__ import annotations

import argparse
import os
import runpy
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

_ASKED_TO_STOP = 128 + signal.SIGUSR1
_KILLED_BEFORE_IT_LISTENED = -signal.SIGUSR1


class Job:
    """Run a command until it ends, or the job's time does.

    Args:
        command: of the script.
        limit: seconds that the job has, where Slurm does not say.
        margin: seconds before the limit at which being queued again is asked for at the latest.
    """

    def __init__(self, command: list[str], limit: float, margin: float) -> None:
        ends = os.environ.get("SLURM_JOB_END_TIME", "")
        self._latest = (float(ends) if ends.isdecimal() else time.time() + limit) - margin
        self._command = command
        self._was_asked = False

    def run(self) -> int:
        """Return the exit status, after asking to be queued again if there is more to do."""
        process = subprocess.Popen(self._command)

        def hand_on(number: int, _: Any) -> None:
            process.send_signal(number)

        for number in (signal.SIGUSR1, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, hand_on)
        status = None
        while status is None:
            try:
                status = process.wait(max(0.0, min(self._latest - time.time(), 3600.0)))
            except subprocess.TimeoutExpired:
                if time.time() >= self._latest:
                    self._queue_again("the epoch under way takes longer than the time left")
                    status = process.wait()
        if status in (_ASKED_TO_STOP, _KILLED_BEFORE_IT_LISTENED):
            self._queue_again("saved")
        return 128 - status if status < 0 else status

    def _queue_again(self, why: str) -> None:
        if self._was_asked:
            return
        self._was_asked = True
        number = os.environ.get("SLURM_JOB_ID", "")
        print(f"Time is nearly up, {why}: job {number} is to be queued again", flush=True)
        subprocess.run(["scontrol", "requeue", number], check=False)


def run_script(script: str, arguments: list[str]) -> None:
    """Run a script whose runs go on where they were."""
    from garage_like.snapshot.imposed import imposing

    sys.argv = [script, *arguments]
    sys.path[0] = str(Path(script).resolve().parent)
    with imposing({"auto_resume": True}):
        runpy.run_path(script, run_name="__main__")


def main() -> None:
    """Watch a script, or be the process in which it runs."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--limit", type=float, default=0.0)
    parser.add_argument("--margin", type=float, default=60.0)
    parser.add_argument("script")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    if not options.limit:
        run_script(options.script, options.arguments)
        return
    command = [sys.executable, "-m", "garage_like.experiment.slurm_job"]
    job = Job([*command, options.script, *options.arguments], options.limit, options.margin)
    sys.exit(job.run())


if __name__ == "__main__":
    main()
