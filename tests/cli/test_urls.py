"""Commands given the URL of a mirror speak of that URL, and say if it cannot be reached."""

import json

import pytest
from click.testing import CliRunner

pytest.importorskip("obstore", reason="needs the extra remote")

from garage_like.cli import main
from garage_like.snapshot import SnapshotConfig, Snapshotter
from garage_like.snapshot.disk.manifest import Manifest
from garage_like.snapshot.mirror.place import Place


def asked(*words: object):
    return CliRunner().invoke(main, list(map(str, words)))


def saved(directory):
    snapshotter = Snapshotter(SnapshotConfig(snapshot_dir=directory))
    snapshotter.save({"n": 1}, Manifest(epoch=0))
    snapshotter.close()
    return directory


@pytest.fixture
def run(tmp_path):
    return saved(tmp_path / "run")


@pytest.fixture
def url(run, tmp_path):
    found = f"file://{tmp_path}/lab/ppo"
    assert asked("push", run, found).exit_code == 0
    return found


def test_what_was_fetched_is_called_by_its_url(url):
    assert asked("show", url).output.splitlines()[0] == url
    assert asked("verify", url).output.startswith(f"{url}: 1 snapshot, every digest holds")
    assert json.loads(asked("verify", url, "--json").output)["run"] == url
    assert "ppo" in asked("ls", url.rpartition("/")[0]).output
    assert asked("ls", f"{url}/none").output == f"No runs below {url}/none\n"


@pytest.mark.parametrize("command", ["pull", "push", "show", "ls"])
def test_what_cannot_be_reached_is_told_in_a_line(command, run, url, tmp_path, monkeypatch):
    def no_answer(*_):
        raise OSError("403\nForbidden\n\nDebug source:\nGeneric {")

    monkeypatch.setattr(Place, "keys", no_answer)
    words = {"pull": [url, tmp_path / "new"], "push": [run, url]}.get(command, [url])
    found = asked(command, *words)
    assert (found.exit_code, found.output) == (
        1,
        f"Error: {url} cannot be reached: 403 Forbidden\n",
    )


def test_a_place_that_cannot_be_made_here_is_no_fault_of_the_url(url, tmp_path):
    (tmp_path / "file").write_text("")
    found = asked("pull", url, tmp_path / "file" / "below")
    assert found.exit_code == 1
    assert "file is a file; give one that can be" in found.output
    assert "cannot be reached" not in found.output


def test_place_of_another_run_is_told_as_such(url, tmp_path):
    found = asked("push", saved(tmp_path / "other"), url)
    assert found.exit_code == 1
    assert "holds the snapshots of another run" in found.output
    assert "cannot be reached" not in found.output
