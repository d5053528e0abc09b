"""The TensorBoard writer itself, and hyper-parameters."""

import json
import pickle

import numpy as np
import pytest

from garage_like.errors import NotSetupError
from garage_like.logging import RunLogs, logger, writer
from garage_like.logging.event_file import list_event_files
from garage_like.logging.hyperparameters import flat


@pytest.fixture
def open_logs(tmp_path):
    opened = []

    def open_(existing=False, directory=tmp_path):
        opened.append(RunLogs(directory, existing=existing, console=False))
        return opened[-1]

    yield open_
    for logs in reversed(opened):
        logs.close()


def test_k06_what_the_writer_adds_is_in_the_runs_own_event_file(
    tmp_path, open_logs, log_row, read_summaries
):
    open_logs()
    writer.add_scalar("mine", 0.5, 7)
    writer.add_histogram("weights", np.arange(10.0), 8)
    writer.add_image("picture", np.zeros((3, 4, 5), np.uint8), 9)
    writer.add_text("note", "hello", 10)
    log_row(steps=11, x=1.0)
    [path] = list_event_files(tmp_path)
    events = read_summaries(path)
    assert [step for step, _ in events] == [7, 8, 9, 10, 11]
    assert events[0][1]["mine"].simple_value == 0.5
    assert events[1][1]["weights"].histo.num == 10
    assert events[2][1]["picture"].image.height == 4
    assert "note/text_summary" in events[3][1]


def test_k06_what_the_writer_added_is_cut_back_on_resume(tmp_path, open_logs, read_scalars):
    logs = open_logs()
    writer.add_scalar("mine", 1.0, 1)
    offsets = logs.offsets()
    writer.add_scalar("mine", 2.0, 2)
    logs.close()
    logs = open_logs(existing=True)
    writer.add_scalar("mine", -1.0, 0)  # what a script adds again before training goes on
    logs.continue_from(offsets)
    writer.add_scalar("mine", 2.5, 2)
    assert read_scalars(tmp_path)["mine"] == [(1, 1.0), (2, 2.5)]


def test_what_was_added_before_a_run_begins_is_kept_until_it_does(
    tmp_path, open_logs, read_scalars
):
    logs = open_logs(existing=True)
    writer.add_scalar("mine", 1.0, 1)
    assert list_event_files(tmp_path) == []
    logs.start_fresh()
    assert read_scalars(tmp_path)["mine"] == [(1, 1.0)]


def test_the_writer_goes_on_after_it_was_closed(tmp_path, open_logs, read_scalars):
    open_logs()
    writer.add_scalar("mine", 1.0, 1)
    writer.flush()
    writer.close()
    writer.add_scalar("mine", 2.0, 2)
    assert read_scalars(tmp_path)["mine"] == [(1, 1.0), (2, 2.0)]
    assert len(list_event_files(tmp_path)) == 1


def test_a_pickle_of_the_writer_is_the_writer():
    assert pickle.loads(pickle.dumps(writer)) is writer


def test_without_a_run_the_writer_says_what_to_do():
    with pytest.raises(NotSetupError, match="no run is being logged; use it within a function"):
        writer.add_scalar("mine", 1.0, 1)


def test_add_hparams_says_where_they_come_from(open_logs):
    open_logs()
    with pytest.raises(NotImplementedError, match="make this one a parameter of the decorated"):
        writer.add_hparams({"a": 1}, {})


# ---- hyper-parameters ------------------------------------------------------------------------


@pytest.fixture
def read_hparams():
    metadata = pytest.importorskip("tensorboard.plugins.hparams.metadata")
    loader = pytest.importorskip("tensorboard.backend.event_processing.event_file_loader")

    def read(path):
        """Return `({parameter: value}, [metric, ...])` as TensorBoard's plugin reads them."""
        values, metrics = {}, []
        for event in loader.EventFileLoader(str(path)).Load():
            for value in event.summary.value:
                content = value.metadata.plugin_data.content
                if value.tag == metadata.SESSION_START_INFO_TAG:
                    start = metadata.parse_session_start_info_plugin_data(content)
                    values = {
                        name: getattr(entry, entry.WhichOneof("kind"))
                        for name, entry in start.hparams.items()
                    }
                elif value.tag == metadata.EXPERIMENT_TAG:
                    found = metadata.parse_experiment_plugin_data(content)
                    metrics = [info.name.tag for info in found.metric_infos]
        return values, metrics

    return read


def test_k03_parameters_of_the_experiment_are_hyperparameters(
    tmp_path, open_logs, log_row, read_hparams
):
    parameters = {"seed": 3, "lr": 1e-3, "env": "CartPole-v1", "double": True, "sizes": [64, 64]}
    (tmp_path / "variant.json").write_text(json.dumps(parameters))
    open_logs()
    log_row(steps=1, x=1.0)
    values, metrics = read_hparams(list_event_files(tmp_path)[0])
    assert values == {**parameters, "sizes": "[64, 64]"}
    assert "Evaluation/AverageReturn" in metrics


def test_k03_hyperparameters_stand_in_the_first_event_file_alone(
    tmp_path, open_logs, log_row, read_hparams
):
    (tmp_path / "variant.json").write_text('{"seed": 3}')
    logs = open_logs()
    log_row(steps=1, x=1.0)
    offsets = logs.offsets()
    logs.continue_from(offsets)
    log_row(steps=2, x=1.0)
    first, second = list_event_files(tmp_path)
    assert read_hparams(first)[0] == {"seed": 3}
    assert read_hparams(second)[0] == {}


@pytest.mark.parametrize("content", ["", "{", "[1]", "{}", None])
def test_a_run_without_parameters_has_no_hyperparameters(
    tmp_path, open_logs, log_row, read_summaries, content
):
    if content is not None:
        (tmp_path / "variant.json").write_text(content)
    open_logs()
    log_row(steps=1, x=1.0)
    [(_, values)] = read_summaries(list_event_files(tmp_path)[0])
    assert set(values) == {"x"}


def test_nested_parameters_are_flattened_by_dots():
    assert flat({"a": {"b": 1, "c": {"d": None}}, "e": {}}) == {
        "a.b": 1,
        "a.c.d": "null",
        "e": "{}",
    }


def test_logger_is_untouched_by_the_writer(open_logs):
    open_logs()
    before = list(logger._outputs)
    writer.add_scalar("mine", 1.0, 1)
    assert logger._outputs == before
