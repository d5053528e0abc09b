"""The process of one trial: it runs the script, with the trial's parameters and directory."""

from __future__ import annotations

import json
import os
import runpy
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

from garage_like.errors import RunLockedError
from garage_like.snapshot.disk.lock import RunLock
from garage_like.snapshot.imposed import imposing
from garage_like.sweeps.progress import has_ended_with, waits_after, write_end
from garage_like.trainer.safe_points import stopping_after

_STOPPED = 128 + signal.SIGTERM
_PATIENCE = 120.0
"""Seconds that a trial waits for one of an earlier sweep; then the next sweep goes on with it."""


def run(job: dict[str, Any], lifeline: int | None = None) -> None:
    """Run a script as if its user had started it.

    Args:
        job: script, arguments, parameters, options and directory of the run; `until`: so many
            epochs in all, after which it saves and ends, or None; `done`: file that says how it
            ended, if nothing has stopped it.
        lifeline: of a pipe that ends with the sweep's process.
    """
    if lifeline is not None:
        threading.Thread(target=_stop_with_sweep, args=(lifeline,), daemon=True).start()
    os.chdir(job["cwd"])
    script, run_dir = Path(job["script"]), Path(job["run_dir"])
    _wait_for(run_dir)
    if job["until"] is not None and waits_after(run_dir, job["until"]):
        raise SystemExit(_STOPPED)  # a trial of an earlier sweep has come so far meanwhile
    sys.argv = [str(script), *job["arguments"]]
    sys.path[0] = str(script.parent)
    options = {**job["options"], "log_dir": str(run_dir), "auto_resume": True}
    status = 0
    try:
        imposed = imposing(options, parameters=job["parameters"], folder=run_dir.name)
        with imposed, stopping_after(job["until"]):
            runpy.run_path(str(script), run_name="__main__")
    except SystemExit as asked:
        status = asked.code if isinstance(asked.code, int) else int(asked.code is not None)
        raise
    except RunLockedError as error:  # another process has taken the run over, and goes on with it
        status = _STOPPED
        print(error, file=sys.stderr)
        raise SystemExit(_STOPPED) from None
    except Exception:
        status = 1
        raise
    except BaseException:
        status = _STOPPED
        raise
    finally:
        if has_ended_with(status):
            write_end(Path(job["done"]), status=status)


def _stop_with_sweep(lifeline: int) -> None:
    """Finish the epoch, save and end when the sweep's process is gone."""
    os.read(lifeline, 1)
    os.kill(os.getpid(), signal.SIGTERM)


def _wait_for(run_dir: Path) -> None:
    """Wait until nobody else writes to the run: a trial of a sweep that was killed still saves."""
    if not run_dir.is_dir():
        return
    until = time.monotonic() + _PATIENCE
    while True:
        lock = RunLock(run_dir)
        try:
            lock.acquire()
        except RunLockedError as error:
            if time.monotonic() > until:
                print(error, file=sys.stderr)
                raise SystemExit(_STOPPED) from None  # it has not failed
            time.sleep(0.2)
        else:
            lock.release()
            return


if __name__ == "__main__":
    run(json.loads(sys.argv[1]), *map(int, sys.argv[2:]))
