"""Run a sweep in the current directory: `driver.py rungs|population|many|eight JOBS`.

`rungs` and `population` are small and decide; their trials are processes as users have them. `many`
are 24 trials, `eight` are 8 members over four rounds; those are forks of this process, which has
imported what they need, so that starting so many is quick.
"""

import json
import os
import sys
import traceback
from pathlib import Path

from garage_like.sweeps import Population, Rungs, Sweep, parse_setting, trial

SCRIPT = Path(__file__).parent / "script.py"
SETTINGS = [parse_setting("extra_std=0.1..10.0")]


def forked(job: str, log: Path, _: int) -> int:
    """Run a trial in a fork, which saves and ends if this process dies."""
    lifeline, ours = os.pipe()
    child = os.fork()
    if not child:
        status = 1
        try:
            os.close(ours)
            output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
            os.dup2(output, 1)
            os.dup2(output, 2)
            trial.run(json.loads(job), lifeline)
            status = 0
        except SystemExit as asked:
            status = int(asked.code or 0)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)
    os.close(lifeline)
    try:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    finally:
        os.close(ours)


def sweep_of(what: str) -> Sweep | Population:
    place = Path("sweep")
    if what == "rungs":
        options = {"search": "optuna", "round_size": 3, "rungs": Rungs(1, 2), "mode": "min"}
        return Sweep(place, SCRIPT, SETTINGS, seeds=1, trials=5, **options)
    if what == "population":
        return Population(place, SCRIPT, SETTINGS, 3, interval=1, seeds=True)
    import script  # noqa: F401  # once, here

    if what == "many":
        return Sweep(place, SCRIPT, SETTINGS, seeds=2, trials=12, carrier=forked)
    return Population(place, SCRIPT, SETTINGS, 8, interval=1, seeds=True, carrier=forked)


if __name__ == "__main__":
    sweep = sweep_of(sys.argv[1])
    sweep.run(int(sys.argv[2]))
    sys.exit(any(outcome.status != 0 for outcome in sweep.outcomes()))
