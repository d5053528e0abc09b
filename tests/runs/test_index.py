"""Many runs are listed from an index that is never trusted over their directories."""

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from fabricated import fabricate, fabricate_run

from garage_like.runs import index
from garage_like.runs.notes import change_tags
from garage_like.runs.overview import overview
from garage_like.runs.walking import find_runs


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(index, "_SETTLED_NS", -(10**9))  # else the runs are too young for it
    return tmp_path / "cache" / "garage_like"


@pytest.fixture
def many(tmp_path):
    fabricate(tmp_path / "runs", 60, n_epochs=3)
    return tmp_path / "runs"


def read_anew(root):
    return [overview(run) for run in find_runs(root)]


def count_reads(monkeypatch):
    read = []
    whole = index.overview
    monkeypatch.setattr(
        index, "overview", lambda run, seen: (read.append(run), whole(run, seen))[1]
    )
    return read


def test_what_is_listed_twice_is_read_once(many, cache, monkeypatch):
    assert index.overviews(many) == read_anew(many)
    read = count_reads(monkeypatch)
    assert index.overviews(many) == read_anew(many)
    assert read == []


def test_changes_are_seen_at_once(many, cache, monkeypatch):
    index.overviews(many)
    runs = list(find_runs(many))
    change_tags(runs[0], ["baseline"])
    (runs[1] / "variant.json").write_text('{"seed": 99}')
    manifest = next(runs[2].glob("snapshots/*/manifest.json"))
    manifest.write_bytes(manifest.read_bytes()[:-9])
    fabricate_run(many / "a_new_one", n_epochs=5)
    (runs[3] / "large").write_bytes(bytes(10_000))
    read = count_reads(monkeypatch)
    found = index.overviews(many)
    assert found == read_anew(many)
    assert sorted(read) == sorted([*runs[:3], many / "a_new_one"])
    assert {run.run: run.tags for run in found}[str(runs[0])] == ["baseline"]


def test_runs_that_were_just_written_are_not_remembered(many, cache, monkeypatch):
    monkeypatch.setattr(index, "_SETTLED_NS", 60 * 10**9)
    index.overviews(many)
    read = count_reads(monkeypatch)
    index.overviews(many)
    assert len(read) == 60


@pytest.mark.parametrize("content", [b"", b"[]", b'{"runs": 3}', b"\xff", b'{"columns": []}'])
def test_an_index_that_makes_no_sense_is_passed_over(many, cache, content):
    index.overviews(many)
    (path,) = cache.iterdir()
    path.write_bytes(content)
    assert index.overviews(many) == read_anew(many)


def test_an_index_that_lies_of_files_is_found_out(many, cache):
    index.overviews(many)
    (path,) = cache.iterdir()
    content = json.loads(path.read_bytes())
    for one in content["runs"].values():
        one[0][0][1] += 1
        one[1][1] = "Liar"
    path.write_text(json.dumps(content))
    assert index.overviews(many) == read_anew(many)


def test_without_a_place_for_it_all_is_read(many, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null")
    assert index.overviews(many) == read_anew(many)


@pytest.mark.slow
def test_ten_thousand_runs_are_listed_within_two_seconds(tmp_path):
    fabricate(tmp_path / "runs", 10_000, n_epochs=2)
    time.sleep(2.5)
    command = [sys.executable, "-m", "garage_like", "ls", tmp_path / "runs", "--where", "lr>1e-3"]
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    spent = []
    for _ in range(2):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
        assert len(ran.stdout.splitlines()) == 5_001
    assert spent[1] < 2.0, spent
