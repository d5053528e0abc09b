"""Weights & Biases: the library offline, and a stand-in for its server."""

import struct
import sys
import time
import types

import pytest

from garage_like.logging import writer

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


class Server(types.ModuleType):
    """As `wandb` online: a run whose id is known goes on, and steps that do not rise are lost."""

    def __init__(self):
        super().__init__("wandb")
        self.__spec__ = types.SimpleNamespace(name="wandb")
        self.runs, self.calls, self.artifacts = {}, [], []

    def init(self, *, id, resume, **options):
        self.calls.append({"id": id, "resume": resume, **options})
        resumed = id in self.runs
        history = self.runs.setdefault(id, [])
        return ServerRun(history, resumed, self.artifacts)


class ServerRun:
    def __init__(self, history, resumed, artifacts):
        self.history, self.resumed, self.artifacts = history, resumed, artifacts

    def log_artifact(self, path, **told):
        self.artifacts.append((path, told))

    @property
    def step(self):
        return self.history[-1][0] + 1 if self.history else 0

    def log(self, row, step):
        assert step >= self.step, f"step {step} after {self.step - 1}"
        self.history.append((step, row))

    def finish(self, exit_code):
        self.exit_code = exit_code


@pytest.fixture
def server(monkeypatch):
    server = Server()
    monkeypatch.setitem(sys.modules, "wandb", server)
    monkeypatch.delenv("WANDB_MODE", raising=False)
    return server


def test_k07_a_resume_continues_the_same_run_at_rising_steps(session, server):
    session(1, 6, {"wandb": {"project": "mine"}})
    session(4, 9, {"wandb": {"project": "mine"}}, after=3)
    [(run_id, history)] = server.runs.items()
    assert [call["id"] for call in server.calls] == [run_id, run_id]
    assert [call["resume"] for call in server.calls] == ["allow", "allow"]
    assert [step for step, _ in history] == [100, 200, 300, 400, 500, 600, 700, 800]
    assert history[3][1] == {"TotalEnvSteps": 400.0, "Return (max)": 4 / 3}


def test_k07_options_of_wandb_init_are_passed_on_and_the_rest_is_the_runs(session, server):
    session(1, 2, {"wandb": {"project": "mine", "tags": ["a"], "id": "chosen"}})
    [call] = server.calls
    assert (call["project"], call["tags"], call["id"]) == ("mine", ["a"], "chosen")
    assert (call["name"], call["group"]) == ("ppo_2", "ppo")
    assert call["config"] == {"seed": 3, "sizes": "[64, 64]"}


def test_commit_tags_and_videos_are_told(session, server):
    (session.run_dir / "videos").mkdir(parents=True)
    (session.run_dir / "videos" / "epoch_000001.mp4").write_bytes(b"a video")
    (session.run_dir / "metadata.json").write_text('{"git_commit": "abc"}')
    (session.run_dir / "notes.json").write_text('{"tags": ["paper"]}')
    session(1, 2, {"wandb": {"tags": ["a"]}})
    [call] = server.calls
    assert (call["tags"], call["config"]["git_commit"]) == (["a", "paper"], "abc")
    [(path, told)] = server.artifacts
    assert path.endswith("videos/epoch_000001.mp4")
    assert told == {"name": "ppo_2-video", "type": "video", "aliases": ["latest", "epoch_000001"]}


def test_config_of_the_user_is_added_to_the_runs(session, server):
    session(1, 2, {"wandb": {"config": {"note": "x", "seed": 4}}})
    assert server.calls[0]["config"] == {"seed": 4, "sizes": "[64, 64]", "note": "x"}


def test_what_goes_to_the_writer_arrives_with_the_next_row(session, server, monkeypatch):
    def row_and_number(**kwargs):
        writer.add_scalar("CPU / usage", 0.5, global_step=1)

    monkeypatch.setattr(session, "before_each_row", row_and_number, raising=False)
    session(1, 3, {"wandb": {}})
    [history] = server.runs.values()
    assert [row["CPU / usage"] for _, row in history] == [0.5, 0.5]


def records(path):
    """Yield the records of a file that wandb wrote: pieces in blocks of 32 KiB after 7 bytes."""
    pb2 = pytest.importorskip("wandb.proto.wandb_internal_pb2")
    data, position, record = path.read_bytes(), 7, b""
    while position + 7 <= len(data):
        left = 32768 - position % 32768
        if left < 7:
            position += left
            continue
        _, size, kind = struct.unpack_from("<IHB", data, position)
        record += data[position + 7 : position + 7 + size]
        position += 7 + size
        if kind in (1, 4):  # whole, or the last piece
            yield pb2.Record.FromString(record)
            record = b""


def read_offline(directory):
    """Return `{id: (group, name, [step, ...])}` of the runs that wandb wrote."""
    runs = {}
    for path in (directory / "wandb").glob("offline-run-*/*.wandb"):
        steps = []
        for record in records(path):
            if record.WhichOneof("record_type") == "run":
                runs[record.run.run_id] = (record.run.run_group, record.run.display_name, steps)
            steps += [
                int(item.value_json)
                for item in record.history.item
                if list(item.nested_key) == ["_step"]
            ]
    return runs


@pytest.mark.slow
def test_k07_offline_each_session_is_a_segment_of_one_group_at_rising_steps(session, monkeypatch):
    pytest.importorskip("wandb", reason="needs the extra wandb")
    monkeypatch.setenv("WANDB_SILENT", "true")
    options = {"wandb": {"mode": "offline", "id": "abc"}}
    (session.run_dir / "videos").mkdir(parents=True)
    (session.run_dir / "videos" / "epoch_000001.mp4").write_bytes(b"a video")
    session(1, 6, options)
    session(4, 9, options, after=3)
    expected = {
        "abc": ("ppo", "ppo_2", [100, 200, 300, 400, 500]),
        "abc-2": ("ppo", "ppo_2 (2)", [600, 700, 800]),
    }
    until = time.monotonic() + 60  # a process of wandb's writes what it was told
    while read_offline(session.run_dir) != expected and time.monotonic() < until:
        time.sleep(0.5)
    assert read_offline(session.run_dir) == expected
