"""Commands do no more than they must on runs with many snapshots: counted, and never timed."""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parent))
from fabricated import fabricate_run

from garage_like.cli import main
from garage_like.files.log_table import numbers_in, open_table
from garage_like.runs import disk_use
from garage_like.runs.disk_use import DiskUse
from garage_like.snapshot.disk import manifest as manifests
from garage_like.snapshot.disk.manifest import Manifest

EPOCHS = 12


@pytest.fixture
def run(tmp_path):
    path = fabricate_run(tmp_path / "runs" / "ppo", n_epochs=EPOCHS)
    newest = path / "snapshots" / f"epoch_{EPOCHS - 1:06}"
    told = Manifest.read(newest)
    for epoch in range(EPOCHS - 1):
        other = newest.with_name(f"epoch_{epoch:06}")
        other.mkdir()
        os.link(newest / "objects.pkl", other / "objects.pkl")
        (other / "manifest.json").write_bytes(replace(told, epoch=epoch).to_bytes())
    return path


@pytest.fixture
def parsed(monkeypatch):
    """Return what is parsed of manifests, a text each."""
    texts = []
    parse = manifests.parse_object
    monkeypatch.setattr(
        manifests, "parse_object", lambda text, **how: (texts.append(text), parse(text, **how))[1]
    )
    return texts


@pytest.fixture
def asked(monkeypatch):
    """Return the names of files that the system was asked about in walks."""
    names = []
    scan = os.scandir

    class Entry:
        def __init__(self, entry):
            self._entry = entry

        def __getattr__(self, name):
            return getattr(self._entry, name)

        def stat(self, **how):
            names.append(self._entry.name)
            return self._entry.stat(**how)

    class Entries:
        def __init__(self, folder):
            self._entries = scan(folder)

        def __enter__(self):
            return map(Entry, self._entries)

        def __exit__(self, *_):
            self._entries.close()

    class System:
        scandir = Entries

        def __getattr__(self, name):
            return getattr(os, name)

    monkeypatch.setattr(disk_use, "os", System())
    return names


def call(*words):
    done = CliRunner().invoke(main, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.mark.parametrize(
    "words", [("pin", "{run}", "best"), ("prune", "{run}", "--dry-run", "--keep-last", "3")]
)
def test_manifests_are_parsed_as_far_as_is_asked(run, parsed, words):
    call(*(word.format(run=run) for word in words))
    judged = [text for text in parsed if b'"metrics"' in text and b'"configuration"' not in text]
    assert len(judged) == EPOCHS
    assert len(parsed) <= EPOCHS + 5  # the rule of the best, and twice the two that must verify


def test_all_snapshots_are_told_by_their_summaries(run, parsed):
    told = json.loads(call("show", run, "--json"))
    assert [one["epoch"] for one in told["snapshots"]] == list(range(EPOCHS))
    assert {one["bytes"] for one in told["snapshots"]} == {400}
    assert sum(b'"configuration"' in text for text in parsed) == 1  # the newest is shown whole


def test_what_shows_no_sizes_asks_about_no_file(run, asked):
    for command in ("tree", "compare"):
        call(command, run.parent)
    assert asked == []
    call("ls", run.parent)
    assert "objects.pkl" in asked


def test_a_file_of_many_names_is_asked_about_once(tmp_path, asked):
    names = [f"file_{number}" for number in range(5)]
    for number in range(10):
        folder = tmp_path / "all" / str(number)
        folder.mkdir(parents=True)
        for name in names:
            if number:
                os.link(tmp_path / "all" / "0" / name, folder / name)
            else:
                (folder / name).write_bytes(bytes(100))
    use, part = DiskUse(), DiskUse()
    use.add([str(tmp_path / "all")])
    assert (use.total, use.freed) == (500, 500)
    assert len(asked) == 5 + 9  # and one in each folder, which tells its device
    part.add([str(tmp_path / "all" / "0")])
    assert (part.total, part.freed) == (500, 0)


def test_columns_are_read_as_numbers_across_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr("garage_like.files.log_table._BLOCK", 7)
    monkeypatch.setattr("garage_like.files.log_table._ROWS_AT_ONCE", 2)
    path = tmp_path / "progress.csv"
    path.write_text('a,b,c\r\n1,"x\ny",2\n3,,nan\n4\n5,"6",inf')
    with open_table(path) as (names, rows):
        assert names == ["a", "b", "c"]
        found = numbers_in(rows, [0, 1, 2])
    told = [[repr(number) for number in column] for column in found]
    assert told == [
        ["1.0", "3.0", "4.0", "5.0"],
        ["nan", "nan", "nan", "6.0"],
        ["2.0", "nan", "nan", "inf"],
    ]
