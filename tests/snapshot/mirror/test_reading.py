"""What a URL holds is read as what lies here."""

import contextlib
import random
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner

pytest.importorskip("obstore", reason="needs the extra remote")

from garage_like.cli import main
from garage_like.errors import SnapshotNotFoundError
from garage_like.snapshot import SnapshotConfig, Snapshotter, list_snapshots, read_snapshot
from garage_like.snapshot.disk.manifest import Manifest
from garage_like.snapshot.disk.store import problems_of
from garage_like.snapshot.mirror.fetching import fetch, mirrored
from garage_like.snapshot.mirror.follower import push_newest
from garage_like.snapshot.mirror.heads import FencedError
from garage_like.snapshot.mirror.place import Place
from garage_like.snapshot.mirror.reading import here, url_in
from garage_like.snapshot.mirror.sending import Sender


def save(run_dir, epoch, size=4):
    weights = np.full(size, float(epoch))
    algo = SimpleNamespace(policy=SimpleNamespace(weights=weights))
    config = SnapshotConfig(snapshot_dir=run_dir, snapshot_mode="all", async_save=False)
    snapshotter = Snapshotter(config)
    metrics = {"Evaluation/AverageReturn": str(-abs(epoch - 1))}
    snapshotter.save({"algo": algo}, Manifest(epoch=epoch, metrics=metrics))
    snapshotter.close()


@pytest.fixture
def url(tmp_path):
    """Return the URL of a mirror with three snapshots, the second of which is best."""
    run_dir = tmp_path / "run"
    place = f"file://{tmp_path}/far/a run"
    run_dir.mkdir()
    sender = Sender(Place(place), run_dir)
    sender.take_over()
    for epoch in range(3):
        save(run_dir, epoch)
        push_newest(sender, run_dir)
    sender.close()
    return place


@pytest.mark.parametrize(
    ("which", "epoch"), [("last", 2), ("first", 0), ("best", 1), (1, 1)], ids=str
)
def test_snapshots_of_a_url_are_read_as_those_of_a_directory(url, which, epoch):
    for given in (url, Path(url)):
        found = read_snapshot(given, which)
        assert found.manifest.epoch == epoch
        assert found.tensors("policy")["weights"].tolist() == [float(epoch)] * 4
    assert [path.name[-1] for path in list_snapshots(url)] == ["0", "1", "2"]


def test_what_is_not_there_is_told(url, tmp_path):
    with pytest.raises(
        SnapshotNotFoundError, match=r"no snapshot 'epoch_000007'; there are: epoch"
    ):
        read_snapshot(url, 7)
    with pytest.raises(SnapshotNotFoundError, match="no snapshot found there"):
        read_snapshot(f"file://{tmp_path}/nothing here")
    assert not (tmp_path / "nothing here").exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(SnapshotNotFoundError, match="cannot be reached"):
        read_snapshot(f"file://{tmp_path}/file/x")


def test_paths_of_this_machine_are_left_alone(tmp_path):
    assert here(tmp_path) is tmp_path
    assert url_in("runs/s3:x") is None
    assert url_in(Path("s3://lab/runs/x")) == "s3://lab/runs/x"
    assert url_in("file:///runs/x/") == "file:///runs/x"


def test_commands_that_read_take_a_url(url, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = CliRunner().invoke
    shown = run(main, ["show", url])
    assert shown.exit_code == 0, shown.output
    assert "epoch" in shown.output
    assert "3 snapshots, every digest holds" in run(main, ["verify", url]).output
    exported = run(main, ["export", url, "out.safetensors", "--format", "safetensors"])
    assert exported.exit_code == 0, exported.output
    assert (tmp_path / "out.safetensors").stat().st_size > 0
    listed = run(main, ["ls", str(Path(url).parent).replace("file:/", "file:///"), "--csv"])
    assert listed.exit_code == 0, listed.output
    assert "a run" in listed.output
    refused = run(main, ["pin", url, "1"])
    assert refused.exit_code == 2
    assert "expected a run of this machine" in " ".join(refused.output.split())


def test_runs_are_listed_whatever_their_names_and_those_without_snapshots_are_passed_over(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    for name, saves in (("go-ahead", True), ("head", True), ("new", False)):
        run_dir = tmp_path / name
        run_dir.mkdir()
        sender = Sender(Place(f"file://{tmp_path}/far/{name}"), run_dir)
        sender.take_over()
        if saves:
            save(run_dir, 0)
            push_newest(sender, run_dir)
        sender.close()
    listed = CliRunner().invoke(main, ["ls", f"file://{tmp_path}/far", "--csv"])
    assert listed.exit_code == 0, listed.output
    names = {Path(line.partition(",")[0]).name for line in listed.output.splitlines()[1:]}
    assert names == {"go-ahead", "head"}


def test_memory_is_a_place_of_this_process(tmp_path):
    (tmp_path / "run").mkdir()
    save(tmp_path / "run", 0)
    sender = Sender(Place("memory://one"), tmp_path / "run")
    sender.take_over()
    push_newest(sender, tmp_path / "run")
    sender.close()
    assert read_snapshot("memory://one").manifest.epoch == 0
    assert mirrored(Place("memory://two")) == {}


class Faulty(Place):
    """Fail at one request of six; what was asked is done, or not."""

    draws = random.Random(1)
    failed = 0

    def __getattribute__(self, name):
        found = super().__getattribute__(name)
        if name not in ("get", "put", "create", "keys", "delete"):
            return found

        def call(*arguments):
            if self.draws.random() < 1 / 6:
                type(self).failed += 1
                if self.draws.random() < 0.5:
                    with contextlib.suppress(Exception):
                        found(*arguments)
                raise OSError("the line is cut")
            return found(*arguments)

        return call


@pytest.mark.slow
def test_a_reader_that_polls_sees_no_half_snapshot_in_500_uploads_with_faults(tmp_path):
    run_dir, url = tmp_path / "run", "memory://faults"
    run_dir.mkdir()
    wrong: list[object] = []
    seen: list[int] = []
    is_over = threading.Event()

    def poll():
        while not is_over.is_set():
            with contextlib.suppress(SnapshotNotFoundError):
                time.sleep(0.02)
                found = fetch(Place(url), tmp_path / f"read {len(seen)}")
                weights = read_snapshot(found).tensors("policy")["weights"]
                good = problems_of(found) == [] and found.name == f"epoch_{int(weights[0]):06d}"
                seen.append(int(weights[0]))
                if not good:
                    wrong.append(found)

    reader = threading.Thread(target=poll, daemon=True)
    reader.start()
    sender, tries = None, 0
    for epoch in range(500):
        config = SnapshotConfig(snapshot_dir=run_dir, async_save=False)
        snapshotter = Snapshotter(config)
        algo = SimpleNamespace(policy=SimpleNamespace(weights=np.full(4, float(epoch))))
        snapshotter.save({"algo": algo}, Manifest(epoch=epoch))
        snapshotter.close()
        while True:
            tries += 1
            try:
                if sender is None:
                    taking = Sender(Faulty(url), run_dir)
                    taking.take_over()
                    sender = taking
                push_newest(sender, run_dir)
                break
            except (OSError, FencedError):
                if sender is not None and tries % 3 == 0:
                    sender.close()
                    sender = None
    is_over.set()
    reader.join()
    assert wrong == []
    assert Faulty.failed > 500
    assert len(seen) > 20
    assert list(mirrored(Place(url)))[-1] == "epoch_000499"
