"""A loop of a script's own whose functions and classes hold state; `DIES_IN` kills it."""

import os
import signal
import time
from pathlib import Path

from garage_like import epochs
from garage_like.logging import tabular

COUNT = [0]
RUN = "data/local/experiment/train"


class Tally:
    total = 0


def counted():
    counted.calls = getattr(counted, "calls", 0) + 1
    return counted.calls


def main():
    place = 0

    def move():
        nonlocal place
        place += counted()
        COUNT[0] += 1

    for epoch in epochs(RUN, 7, locals(), snapshot_mode="all"):
        if os.environ.get("DIES_IN") == str(epoch):
            while not list(Path(RUN).glob(f"snapshots/epoch_*{epoch - 1}/manifest.json")):
                time.sleep(0.01)  # what was captured is written meanwhile
            os.kill(os.getpid(), signal.SIGKILL)
        move()
        Tally.total += 1
        for name, value in {"Place": place, "Count": COUNT[0], "Total": Tally.total}.items():
            tabular.record(name, value)


main()
