"""A reader of a mirror that never rests: `polling.py URL STOP`, until there is a file STOP.

Prints how often it has brought a snapshot, which ones, and what was wrong with any.
"""

import json
import sys
import tempfile
from pathlib import Path

from garage_like.errors import SnapshotNotFoundError
from garage_like.snapshot import read_snapshot
from garage_like.snapshot.disk.store import problems_of
from garage_like.snapshot.mirror.fetching import fetch
from garage_like.snapshot.mirror.place import Place


def main() -> None:
    place, stop = Place(sys.argv[1]), Path(sys.argv[2])
    looks, names, wrong = 0, [], []
    while not stop.exists():
        with tempfile.TemporaryDirectory() as folder:
            try:
                found = fetch(place, Path(folder))
            except SnapshotNotFoundError:
                continue  # nothing has arrived yet
            looks += 1
            weights = read_snapshot(found).tensors("policy")["weights"]
            wrong += problems_of(found)
            log = (Path(folder) / "debug.log").read_text().split()
            epoch = int(found.name.removeprefix("epoch_"))
            if set(weights.tolist()) != {float(epoch)} or log != [str(e) for e in range(epoch + 1)]:
                wrong.append(f"{found.name} holds {weights.tolist()} and {len(log)} lines")
            if names[-1:] != [epoch]:
                names.append(epoch)
    print(json.dumps({"looks": looks, "epochs": names, "wrong": wrong}))


if __name__ == "__main__":
    main()
