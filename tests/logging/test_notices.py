"""Whatever becomes of those who are told, the run goes on and the process ends with 0."""

import csv
import subprocess
import sys
import warnings

import numpy as np
import pytest

from garage_like.logging import CsvOutput, logger, tabular
from garage_like.logging.csv_table import read_rows
from garage_like.logging.light_imports import LoggerWarning
from garage_like.logging.logger_state import clear_row
from garage_like.logging.notices import printing_forgiven, say_at_once, warn

SCRIPT = """
import sys
from garage_like.logging import ConsoleOutput, end_progress, logger, show_progress, tabular
from garage_like.logging.notices import say, say_at_once

logger.add_output(ConsoleOutput())
for epoch in range(200):
    logger.log("a line " + "x" * 1000)
    tabular.record("Epoch", epoch)
    logger.log(tabular)
    logger.dump_all(epoch)
    tabular.clear()
    show_progress(epoch, 200, None)
end_progress()
say("to go on")
say_at_once("TERM")
open(sys.argv[1], "w").close()
"""


@pytest.mark.parametrize("output", ["| head -n 1", ">/dev/full", ">&-", ">&- 2>&-", ">/dev/null"])
def test_standard_output_that_takes_nothing_ends_nothing(output, tmp_path):
    done = tmp_path / "done"
    script = f'"$0" -c "$1" "$2" {output}; exit ${{PIPESTATUS[0]}}'
    ended = subprocess.run(
        ["bash", "-c", script, sys.executable, SCRIPT, done], stderr=subprocess.PIPE, timeout=60
    )
    assert done.exists(), ended.stderr.decode()
    assert ended.returncode == 0
    assert ended.stderr == b""


PRINTING = """
import sys
from garage_like.logging.notices import printing_forgiven

with printing_forgiven():
    for _ in range(200):
        print("a line of a library's " + "x" * 1000, flush=True)
        print("another" * 1000, file=sys.stderr)
    sys.stdout.writelines(["more\\n"] * 100)
open(sys.argv[1], "w").close()
"""


@pytest.mark.parametrize("output", ["2>&1 | head -n 1", ">/dev/full 2>/dev/full", ">&- 2>&-"])
def test_what_anyone_prints_in_training_ends_nothing(output, tmp_path):
    done = tmp_path / "done"
    script = f'"$0" -c "$1" "$2" {output}; exit ${{PIPESTATUS[0]}}'
    ended = subprocess.run(["bash", "-c", script, sys.executable, PRINTING, done], timeout=60)
    assert done.exists()
    assert ended.returncode == 0


def test_streams_are_as_they_were_after_training(capsys):
    before = (sys.stdout, dict(vars(sys.stdout)))
    with printing_forgiven(), printing_forgiven():
        print("heard")
    assert (sys.stdout, dict(vars(sys.stdout))) == before
    assert capsys.readouterr().out == "heard\n"


def test_warnings_that_are_errors_are_printed_instead(capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn("the disk is full", LoggerWarning)
    assert capsys.readouterr().err == "LoggerWarning: the disk is full\n"
    with pytest.warns(UserWarning, match="the disk") as warned:
        warn("the disk is full")
    assert warned[0].filename == __file__


def test_value_that_no_output_takes_ends_nothing(capsys):
    tabular.record("an array that is a cell", np.zeros(2))
    clear_row()
    assert "was not accepted by any output" in capsys.readouterr().err
    assert not tabular.as_dict


def test_text_of_any_size_is_a_cell(tmp_path):
    limit = csv.field_size_limit()
    output = CsvOutput(tmp_path / "progress.csv")
    output.write_row({"text": "x" * 200_000})
    output.write_row({"text": "y", "new": 1})
    output.close()
    rows = read_rows((tmp_path / "progress.csv").read_bytes())
    assert [len(row.cells[0]) for row in rows] == [4, 200_000, 1]
    assert csv.field_size_limit() == limit


def test_signal_handler_prints_past_a_buffer_that_is_in_use(capfd):
    say_at_once("TERM")
    assert capfd.readouterr().out == "TERM\n"
    assert not logger._outputs
