"""Run a sweep that decides: `driver.py rungs|population JOBS`, in the current directory."""

import sys
from pathlib import Path

from garage_like.sweeps import Population, Rungs, Sweep, parse_setting

SCRIPT = Path(__file__).parent / "script.py"
SETTINGS = [parse_setting("extra_std=0.1..10.0")]

if __name__ == "__main__":
    if sys.argv[1] == "rungs":
        sweep = Sweep(
            Path("sweep"),
            SCRIPT,
            SETTINGS,
            seeds=1,
            trials=5,
            search="optuna",
            round_size=3,
            rungs=Rungs(1, 2),
            mode="min",
        )
    else:
        sweep = Population(Path("sweep"), SCRIPT, SETTINGS, 3, interval=1, seeds=True)
    sweep.run(int(sys.argv[2]))
    sys.exit(any(outcome.status != 0 for outcome in sweep.outcomes()))
