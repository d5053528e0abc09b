"""Each signal that asks a run to stop, in an epoch, a save, the prune and a restore."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

N_EPOCHS = 8
SCRIPT = Path(__file__).with_name("signalled_run.py")


@pytest.mark.slow
def test_a_signal_anywhere_ends_the_run_with_its_status_and_loses_nothing(
    folder, figures, documented
):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", SCRIPT, folder, folder / "results"],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    whole, *found = map(json.loads, (folder / "results").read_text().splitlines())
    assert whole["status"] == 0
    for one in found:
        case = f"{one['sent']} in {one['place']}"
        signalled, resumed = one["signalled"], one["resumed"]
        wanted = 128 + getattr(signal, one["sent"].split()[0])
        assert signalled["status"] == wanted, f"{case}: {signalled}"
        assert resumed["status"] == 0, case
        assert resumed["weights"] == whole["weights"], case
        assert norms(resumed["rows"]) == norms(whole["rows"]), case
        if "twice" not in one["sent"] and one["place"] != "a restore":
            finished = len(signalled["rows"])
            assert resumed["first_epoch"] == (finished if finished < N_EPOCHS else None), case
    assert documented["signals"] == (len(found), 0, len(found))
    figures["signals in an epoch, a save, the prune or a restore, nothing lost"] += len(found)


def norms(rows):
    return [row.split(",")[0] for row in rows]
