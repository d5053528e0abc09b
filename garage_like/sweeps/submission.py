"""The process that submits a trial to Slurm: `submission.py LIFELINE NAME OPTION...` of sbatch.

It ends with the job. When the sweep's process ends before, however that came, it asks the job to
finish its epoch, save and end, or takes it back if it has not begun. It is run by its path and
imports little, as there is one for each job under way.
"""

import os
import subprocess
import sys
import threading
import time

_PAUSE = 5.0
"""Seconds between two requests; one may come before Slurm knows the job."""


def main() -> int:
    """Submit a job, and return the status of sbatch."""
    lifeline, name, *options = sys.argv[1:]
    asked = subprocess.Popen(["sbatch", *options])
    threading.Thread(target=_end_with_sweep, args=(int(lifeline), name), daemon=True).start()
    return asked.wait()


def _end_with_sweep(lifeline: int, name: str) -> None:
    os.read(lifeline, 1)
    while True:
        for how in (["--state=PENDING"], ["--state=RUNNING", "--signal=TERM", "--batch"]):
            subprocess.run(["scancel", *how, f"--name={name}"], stderr=subprocess.DEVNULL)
        time.sleep(_PAUSE)


if __name__ == "__main__":
    sys.exit(main())
