"""Looking at a run of unknown origin runs no code, opens nothing outside, and costs little."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import malicious_runs

ROOT = Path(__file__).parents[2]
MEBIBYTE = 1 << 20


@pytest.fixture(scope="module")
def looked(tmp_path_factory):
    """Look at all malicious runs in one process; return what it saw, and its peak of memory."""
    folder = tmp_path_factory.mktemp("malice")
    malicious_runs.make_all(folder)
    ran = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("reader_under_watch.py")), str(folder)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    *looks, peak = map(json.loads, ran.stdout.splitlines())
    exploded = [str(path) for path in folder.rglob("exploded")]
    return looks, peak["peak"], exploded


def of(looks, run, way=None):
    return [look for look in looks if look["run"] == run and way in (None, look["way"])]


def test_good_run_is_read_by_every_way(looked):
    for look in of(looked[0], "good"):
        assert look["found"].startswith(("exit 0", "read")), look


@pytest.mark.parametrize("harm", malicious_runs.HARM, ids=lambda harm: harm.__name__)
def test_harm_is_refused(harm, looked, figures):
    looks = looked[0]
    (read,) = of(looks, harm.__name__, "read_snapshot")
    assert read["found"].startswith(("SnapshotCorruptError", "SnapshotNotFoundError")), read
    for look in of(looks, harm.__name__):
        assert "NOT CAUGHT" not in look["found"], look
        assert "Traceback" not in look["found"], look
        assert "a secret" not in look["found"], look
    figures["kinds of malice refused"] += 1


@pytest.mark.parametrize(
    "harm",
    [h for h in malicious_runs.HARM if "table" not in h.__name__ and "column" not in h.__name__],
    ids=lambda harm: harm.__name__,
)
def test_verify_passes_nothing_that_is_not_what_its_manifest_says(harm, looked):
    (look,) = of(looked[0], harm.__name__, "verify")
    in_the_file = ("shape", "header", "tensor", "offsets", "type", "negative", "overlapping")
    if not any(word in harm.__name__ for word in in_the_file):
        assert look["found"].startswith("exit 1"), look


def test_no_code_is_run_and_nothing_is_touched(looked):
    looks, _, exploded = looked
    assert exploded == []
    assert [look for look in looks if look["touched"]] == []


def test_nothing_takes_a_second_or_200_mebibytes(looked):
    looks, peak, _ = looked
    assert [look for look in looks if look["seconds"] > 1] == []
    assert peak < 200 * MEBIBYTE


def test_bomb_does_go_off_where_a_snapshot_is_restored(tmp_path, looked):
    """The bomb is a real one: only trust in who wrote a snapshot keeps one from harm."""
    from garage_like.snapshot import Snapshotter

    malicious_runs.make_good(tmp_path / "run")
    malicious_runs.pickle_bomb(malicious_runs.Forger(tmp_path / "run", tmp_path))
    Snapshotter().load(tmp_path / "run")
    assert (tmp_path / "exploded").exists()
