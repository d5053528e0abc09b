"""An allocation is refused in the middle of a save: a snapshot is lost at most."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("starved_run.py")
EVERY = 13


@pytest.mark.slow
def test_no_allocation_of_a_save_that_is_refused_ends_training(folder, figures, documented):
    pytest.importorskip("_testcapi")
    done = subprocess.run(
        [sys.executable, SCRIPT, folder, folder / "results", str(EVERY), "0"],
        capture_output=True,
        text=True,
        timeout=1800,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    whole, *found = map(json.loads, (folder / "results").read_text().splitlines())
    assert found[-1]["is_over"]
    crashed = [one["number"] for one in found if one.get("ended", 0) < 0]
    assert len(crashed) <= len(found) // 100, f"the interpreter died of it: {crashed}"
    tried = [one for one in found if one["number"] not in crashed]
    assert [one for one in tried if "ended" in one] == [], done.stdout + done.stderr
    for one in tried:
        assert one["place"] == one["loaded"] == whole["place"], one
        assert one["rows"] == len(whole["epochs"]), one
        assert one["epochs"] in (whole["epochs"], [0, 2, 3]), one
    lost = sum(one["epochs"] != whole["epochs"] for one in tried)
    of_all = (EVERY * len(found), EVERY * lost)
    assert documented["allocations"][:2] == pytest.approx(of_all, rel=0.15)
    figures["allocations of a save that were refused, a snapshot lost at most"] += len(tried)
