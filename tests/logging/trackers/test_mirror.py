"""A tracker is told each row once, and never ends a training."""

import json
import math
import re
import sys
import types

import pytest

from garage_like import wrap_experiment
from garage_like.experiment.options import RunOptions
from garage_like.logging import RunLogs, tabular, writer
from garage_like.logging.trackers import RisingSteps, check_installed, check_trackers
from garage_like.logging.trackers.choice import TRACKERS


class Shelf:
    """A tracker that keeps rows in memory, as a server would."""

    runs = {}
    broken = None

    def __init__(self, options):
        self.options = options

    def start(self, run):
        if self.broken == "start":
            raise OSError("no server")
        self.id = run.memory.setdefault("id", f"run {len(self.runs)}")
        self.told = self.runs.setdefault(self.id, {"run": run, "rows": [], "ends": []})
        return max((step for step, _ in self.told["rows"]), default=-1)

    def log(self, row, step):
        if self.broken == step:
            raise OSError("connection lost")
        self.told["rows"].append((step, row))

    def add(self, path, kind):
        if self.broken == kind:
            raise OSError("too large")
        self.told.setdefault("added", []).append((kind, path.name))

    def finish(self, failed):
        if self.broken == "finish":
            raise OSError("too late")
        self.told["ends"].append(failed)


@pytest.fixture(autouse=True)
def shelf(monkeypatch):
    module = types.ModuleType("shelf")
    module.Shelf = Shelf
    monkeypatch.setitem(sys.modules, "shelf", module)
    monkeypatch.setitem(TRACKERS, "wandb", ("shelf", "Shelf"))
    monkeypatch.setattr(Shelf, "runs", {})
    monkeypatch.setattr(Shelf, "broken", None)
    return Shelf


def steps(shelf, run="run 0"):
    return [step for step, _ in shelf.runs[run]["rows"]]


WANDB = {"wandb": {"project": "p"}}


def test_each_row_is_told_with_its_numbers_and_step(session, shelf):
    session(1, 3, WANDB, text="not a number", flag=True, nothing=math.nan)
    [(step, row), (second, _)] = shelf.runs["run 0"]["rows"]
    assert (step, second) == (100, 200)
    assert math.isnan(row.pop("nothing"))
    assert row == {"TotalEnvSteps": 100.0, "Return (max)": 1 / 3, "flag": 1.0}


def test_the_run_is_told_by_its_directory(session, shelf):
    session(1, 2, WANDB)
    run = shelf.runs["run 0"]["run"]
    assert (run.project, run.group, run.name) == ("cartpole", "ppo", "ppo_2")
    assert run.parameters == {"seed": 3, "sizes": "[64, 64]"}


def test_a_resume_goes_on_with_the_same_run_and_doubles_no_row(session, shelf):
    session(1, 6, WANDB)
    session(4, 9, WANDB, after=3)
    assert list(shelf.runs) == ["run 0"]
    assert steps(shelf) == [100, 200, 300, 400, 500, 600, 700, 800]


def test_rows_from_before_there_was_a_tracker_are_told_at_its_start(session, shelf):
    session(1, 4, None)
    session(4, 6, WANDB, after=3)
    assert steps(shelf) == [100, 200, 300, 400, 500]


def test_a_run_that_starts_over_has_a_new_run_in_the_tracker(session, shelf):
    session(1, 3, WANDB)
    session(1, 2, WANDB)
    assert steps(shelf, "run 0") == [100, 200]
    assert steps(shelf, "run 1") == [100]
    assert json.loads((session.run_dir / "trackers.json").read_text()) == {"wandb": {"id": "run 1"}}


def test_going_back_within_a_session_doubles_no_row(session, shelf, log_row, tmp_path):
    directory = tmp_path / "one"
    directory.mkdir()
    with RunLogs(directory, existing=False, console=False, trackers=WANDB) as logs:
        log_row(steps=1, x=1)
        offsets = logs.offsets()
        log_row(steps=2, x=2)
        logs.continue_from(offsets)
        log_row(steps=2, x=2)
        log_row(steps=3, x=3)
    assert steps(shelf) == [1, 2, 3]


def test_what_goes_to_the_writer_after_the_last_row_arrives_at_its_step(tmp_path, log_row, shelf):
    with RunLogs(tmp_path, existing=False, console=False, trackers=WANDB):
        log_row(steps=7, x=1)
        writer.add_scalar("late", 1.5, 9)
    assert [(step, row.get("late")) for step, row in shelf.runs["run 0"]["rows"]] == [
        (7, None),
        (7, 1.5),
    ]


@pytest.mark.parametrize("failure", [None, KeyError, SystemExit])
def test_the_tracker_hears_how_the_session_ended(tmp_path, shelf, failure):
    logs = RunLogs(tmp_path, existing=False, console=False, trackers=WANDB)
    if failure is None:
        with logs:
            pass
    else:
        with pytest.raises(failure), logs:
            raise failure
    assert shelf.runs["run 0"]["ends"] == [failure is KeyError]


# ---- what stands beside the rows -------------------------------------------------------------


def film(session, epoch):
    (session.run_dir / "videos").mkdir(parents=True, exist_ok=True)
    (session.run_dir / "videos" / f"epoch_{epoch:06d}.mp4").write_bytes(b"a video")


def take_snapshot(session, epoch):
    directory = session.run_dir / "snapshots" / f"epoch_{epoch:06d}"
    directory.mkdir(parents=True)
    (directory / "manifest.json").write_text("{}")


def test_videos_are_added_once_in_the_life_of_a_run(session, shelf, monkeypatch):
    count = iter(range(9))
    monkeypatch.setattr(
        session, "before_each_row", lambda: film(session, next(count)), raising=False
    )
    session(1, 3, WANDB)
    assert shelf.runs["run 0"]["added"] == [("video", f"epoch_00000{n}.mp4") for n in range(2)]
    session(2, 4, WANDB, after=1)
    assert shelf.runs["run 0"]["added"] == [("video", f"epoch_00000{n}.mp4") for n in range(4)]


def test_snapshots_are_added_if_asked_for_the_newest_at_the_end(session, shelf):
    take_snapshot(session, 1)
    take_snapshot(session, 2)
    session(1, 3, {"wandb": {"snapshots": True}})
    assert shelf.runs["run 0"]["added"] == [("snapshot", "epoch_000002")]
    (session.run_dir / "snapshots" / "epoch_000009.corrupt-1").mkdir()
    session(3, 4, {"wandb": {"snapshots": True}}, after=2)
    session(4, 5, WANDB, after=3)
    assert shelf.runs["run 0"]["added"] == [("snapshot", "epoch_000002")]


def test_what_cannot_be_added_is_a_warning_and_is_added_later(session, shelf):
    shelf.broken = "video"
    film(session, 1)
    with pytest.warns(UserWarning, match="OSError: too large"):
        session(1, 3, WANDB)
    shelf.broken = None
    session(3, 4, WANDB, after=2)
    assert shelf.runs["run 0"]["added"] == [("video", "epoch_000001.mp4")]
    assert steps(shelf) == [100, 200, 300]


def test_a_tracker_is_told_commit_and_tags(session, shelf):
    session.run_dir.mkdir(parents=True)
    (session.run_dir / "metadata.json").write_text('{"git_commit": "abc-dirty"}')
    (session.run_dir / "notes.json").write_text('{"tags": ["paper", 7, "b"]}')
    session(1, 2, WANDB)
    run = shelf.runs["run 0"]["run"]
    assert (run.commit, run.tags) == ("abc-dirty", ("paper", "b"))
    assert run.config({"seed": 4}) == {"seed": 4, "sizes": "[64, 64]", "git_commit": "abc-dirty"}
    assert run.all_tags(["a", "b"]) == ["a", "b", "paper"]


# ---- steps -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ([0, 10, 20], [0, 10, 20]),
        ([0, 0, 0], [0, 1, 2]),
        ([10, 10, 5, 30], [10, 11, 12, 30]),
        ([None, math.nan, math.inf, "x"], [0, 1, 2, 3]),
        ([2.9, 3.5], [2, 3]),
    ],
)
def test_steps_rise_whatever_the_column_does(values, wanted):
    rising = RisingSteps("x")
    assert [rising.next({} if value is None else {"x": value}) for value in values] == wanted


# ---- failures --------------------------------------------------------------------------------


def test_a_tracker_that_cannot_start_is_a_warning_and_gets_all_on_resume(session, shelf):
    shelf.broken = "start"
    with pytest.warns(UserWarning, match="wandb gets no more rows in this session, training goes"):
        session(1, 4, WANDB)
    shelf.broken = None
    session(4, 6, WANDB, after=3)
    assert steps(shelf) == [100, 200, 300, 400, 500]


def test_a_tracker_that_breaks_is_a_warning_once_and_gets_the_rest_on_resume(session, shelf):
    shelf.broken = 200
    with pytest.warns(UserWarning, match="OSError: connection lost") as caught:
        session(1, 5, WANDB)
    assert len(caught) == 1
    assert len((session.run_dir / "progress.csv").read_text().splitlines()) == 5
    shelf.broken = None
    session(5, 6, WANDB, after=4)
    assert steps(shelf) == [100, 200, 300, 400, 500]


def test_a_tracker_that_cannot_finish_is_a_warning(session, shelf):
    shelf.broken = "finish"
    with pytest.warns(UserWarning, match="OSError: too late"):
        session(1, 2, WANDB)


# ---- the option ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (None, {}),
        ("wandb", {"wandb": {}}),
        (["wandb", "mlflow"], {"wandb": {}, "mlflow": {}}),
        ({"wandb": {"project": "p"}}, {"wandb": {"project": "p"}}),
        ({"wandb": True, "trackio": None}, {"wandb": {}, "trackio": {}}),
    ],
)
def test_trackers_may_be_named_or_given_options(value, wanted):
    assert check_trackers(value) == wanted
    assert RunOptions.of({"trackers": value}).recorded()["trackers"] == wanted


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        ("wand", ValueError, "there is no tracker 'wand'; did you mean 'wandb'?"),
        ("xyz", ValueError, "there is no tracker 'xyz'; there are wandb, trackio, mlflow"),
        (3, TypeError, "trackers must be a name, a list of names, or a dict of options by name"),
        ({"wandb": "p"}, TypeError, "the options of 'wandb' must be a dict of strings"),
        ({"wandb": {"x": object()}}, TypeError, "the options of 'wandb' must be a dict of strings"),
        ({"trackio": {"snapshots": 3}}, TypeError, "snapshots of 'trackio' must be True or False"),
        ({"mlflow": {"uri": "x"}}, TypeError, "mlflow has no option 'uri'; there are experiment"),
    ],
)
def test_rubbish_is_refused_by_the_decorator(value, error, message):
    with pytest.raises(error, match=re.escape(message)):
        wrap_experiment(trackers=value)


def test_a_library_that_is_missing_is_an_error_before_any_directory_is_made(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"pip install '\.\[mlflow\]'"):
        check_installed(["mlflow"])

    @wrap_experiment(trackers="mlflow", log_dir=tmp_path / "run")
    def experiment(ctxt=None):
        raise AssertionError

    with pytest.raises(ImportError, match="mlflow is not installed"):
        experiment()
    assert list(tmp_path.iterdir()) == []


def test_values_of_a_row_are_not_changed_by_a_tracker(session, shelf):
    session(1, 3, None)
    without = (session.run_dir / "progress.csv").read_bytes()
    session(1, 3, WANDB)
    assert (session.run_dir / "progress.csv").read_bytes() == without
    assert tabular.as_dict == {}
