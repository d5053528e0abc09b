"""JsonLinesOutput: every row is JSON, whatever it holds."""

import json
import math

import numpy as np
import pytest

from garage_like.logging import Histogram, JsonLinesOutput, TensorBoardOutput, logger


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "progress.jsonl"
    logger.add_output(JsonLinesOutput(path))
    return path


def rows(path):
    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    return [json.loads(line, parse_constant=refuse) for line in path.read_text().splitlines()]


def test_numbers_read_back_exactly_and_in_the_order_recorded(path, log_row):
    log_row(steps=7, z=0.1, a=np.float32(0.1), n=np.int64(3), yes=np.bool_(True), s="Größe\n")
    assert rows(path) == [
        {"TotalEnvSteps": 7, "z": 0.1, "a": float(np.float32(0.1)), "n": 3, "yes": True}
        | {"s": "Größe\n"}
    ]
    assert list(rows(path)[0]) == ["TotalEnvSteps", "z", "a", "n", "yes", "s"]


def test_what_json_cannot_say_is_said_so_that_every_parser_reads_it(path, log_row):
    log_row(steps=1, nan=math.nan, up=math.inf, down=np.float32(-math.inf), c=np.complex64(1))
    assert rows(path)[0] == {
        "TotalEnvSteps": 1,
        "nan": None,
        "up": math.inf,
        "down": -math.inf,
        "c": "(1+0j)",
    }


def test_a_new_key_changes_no_line_before(path, log_row):
    log_row(steps=1)
    before = path.read_bytes()
    log_row(steps=2, late=3)
    assert path.read_bytes().startswith(before)
    assert rows(path)[1] == {"TotalEnvSteps": 2, "late": 3}


def test_a_table_without_numbers_or_strings_writes_no_line(path, log_row):
    logger.add_output(TensorBoardOutput(path.parent, x_axis=None))
    log_row(shape=Histogram([1.0, 2.0]))
    assert not path.exists() or path.read_text() == ""
