import io

import numpy as np
import pytest

from garage_like.logging import Histogram, TensorBoardOutput, logger, tabular
from garage_like.logging.event_file import EventFile, list_event_files


@pytest.fixture
def output(tmp_path):
    output = TensorBoardOutput(tmp_path)
    logger.add_output(output)
    yield output
    output.close()


def test_scalars_have_the_x_axis_as_their_step(tmp_path, output, log_row, read_scalars):
    log_row(steps=100, **{"Evaluation/AverageReturn": 1.5, "flag": True, "n": np.int64(3)})
    log_row(steps=200, **{"Evaluation/AverageReturn": -2.0})
    assert read_scalars(tmp_path) == {
        "Evaluation/AverageReturn": [(100, 1.5), (200, -2.0)],
        "flag": [(100, 1.0)],
        "n": [(100, 3.0)],
    }


def test_a_value_is_in_the_file_as_soon_as_it_is_logged(tmp_path, output, log_row, read_scalars):
    for count in range(1, 4):
        log_row(steps=count, x=0.0)
        assert len(read_scalars(tmp_path)["x"]) == count


def test_values_that_are_not_finite_are_kept(tmp_path, output, log_row, read_summaries):
    log_row(steps=1, nan=float("nan"), inf=float("inf"))
    [(_, values)] = read_summaries(list_event_files(tmp_path)[0])
    assert np.isnan(values["nan"].simple_value)
    assert values["inf"].simple_value == np.inf


def test_a_histogram_counts_its_finite_values(tmp_path, output, log_row, read_summaries):
    log_row(steps=1, h=Histogram([[1.0, 2.0], [2.0, np.nan]]), x=1)
    [(step, values)] = read_summaries(list_event_files(tmp_path)[0])
    assert step == 1
    assert set(values) == {"h", "x"}
    histogram = values["h"].histo
    assert (histogram.num, histogram.min, histogram.max, histogram.sum) == (3, 1, 2, 5)
    assert sum(histogram.bucket) == 3


@pytest.mark.filterwarnings("ignore:.*not accepted by any output")
def test_a_histogram_without_finite_values_is_left_out(tmp_path, output, log_row):
    log_row(steps=1, empty=Histogram([np.inf]))
    assert list_event_files(tmp_path) == []


def test_a_figure_becomes_a_picture(tmp_path, output, log_row, read_summaries):
    figure_module = pytest.importorskip("matplotlib.figure")
    pillow = pytest.importorskip("PIL.Image")
    figure = figure_module.Figure(figsize=(2, 1), dpi=50)
    figure.subplots().plot([1, 2, 3])
    log_row(steps=7, plot=figure)
    [(step, values)] = read_summaries(list_event_files(tmp_path)[0])
    image = values["plot"].image
    assert (step, image.width, image.height) == (7, 100, 50)
    with pillow.open(io.BytesIO(image.encoded_image_string)) as picture:
        assert picture.size == (100, 50)


def test_strings_are_left_to_other_outputs(tmp_path, output, recwarn):
    tabular.record("TotalEnvSteps", 1)
    tabular.record("name", "x")
    logger.log(tabular)
    tabular.clear()
    assert "name" in str(recwarn.pop().message)
    assert list_event_files(tmp_path) == []


def test_without_an_x_axis_the_step_is_what_dump_says_zero_included(tmp_path, read_scalars):
    output = TensorBoardOutput(tmp_path, x_axis=None)
    for step in (0, 5):
        output.write_row({"x": float(step)})
        output.dump(step)
    output.write_row({"x": 9.0})
    output.dump()
    output.close()
    assert read_scalars(tmp_path)["x"] == [(0, 0.0), (5, 5.0), (2, 9.0)]


def test_a_table_without_the_x_axis_warns_once_and_takes_dumps_step(tmp_path, read_scalars):
    output = TensorBoardOutput(tmp_path, x_axis="Nothing")
    with pytest.warns(UserWarning, match="x axis 'Nothing' is not in the logged table"):
        output.write_row({"x": 1.0})
    output.dump(4)
    output.write_row({"x": 2.0})
    output.dump(6)
    output.close()
    assert read_scalars(tmp_path)["x"] == [(4, 1.0), (6, 2.0)]


def test_no_file_before_the_first_table(tmp_path, output):
    assert list(tmp_path.iterdir()) == []


def test_files_begun_in_the_same_second_have_names_in_the_order_of_their_beginning(tmp_path):
    files = [EventFile(tmp_path) for _ in range(4)]
    for file in files:
        file.close()
    assert list_event_files(tmp_path) == [file.path for file in files]
    assert len({file.path for file in files}) == 4


def test_a_file_begun_under_a_clock_that_was_set_back_still_comes_last(tmp_path):
    ahead = tmp_path / "events.out.tfevents.9999999998.host.run"
    ahead.touch()
    file = EventFile(tmp_path)
    file.close()
    assert list_event_files(tmp_path) == [ahead, file.path]
