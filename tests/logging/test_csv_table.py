import csv
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from garage_like.logging import CsvOutput
from garage_like.logging.csv_table import content_at, format_cell, read_rows

KEYS = st.sampled_from(["a", "b", "c,d", 'e"f', "g\nh", "k\u2028l"])
VALUES = st.one_of(
    st.floats(), st.integers(), st.booleans(), st.sampled_from(["", "x", "x,y", 'q"', "z\r\nw"])
)
ROWS = st.lists(st.dictionaries(KEYS, VALUES), max_size=8)


@given(st.floats())
def test_a_float_reads_back_exactly(value):
    back = float(format_cell(value))
    assert np.array(back).tobytes() == np.array(value).tobytes() or np.isnan(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "True"),
        (np.bool_(False), "False"),
        (7, "7"),
        (np.int64(-7), "-7"),
        (1.0, "1.0"),
        (np.float64(0.1), "0.1"),
        (np.float32(0.1), "0.10000000149011612"),
        (float("nan"), "nan"),
        (-np.inf, "-inf"),
        ("plain", "plain"),
        ("a,b", '"a,b"'),
        ('say "x"', '"say ""x"""'),
        ("two\nlines", '"two\nlines"'),
    ],
)
def test_a_value_is_written_as(value, text):
    assert format_cell(value) == text


@given(ROWS)
def test_cells_come_back_from_the_csv_module(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("csv") / "progress.csv"
    output = CsvOutput(path)
    for row in rows:
        output.write_row(row)
    output.close()
    kept = [row for row in rows if any(value != "" for value in row.values())]
    if not kept:
        assert not path.exists()
        return
    with path.open(newline="", encoding="utf-8") as file:
        back = list(csv.DictReader(file))
    assert len(back) == len(kept)
    for found, row in zip(back, kept, strict=True):
        full = {key: value for key, value in found.items() if value}
        assert full == {key: str(value) for key, value in row.items() if value != ""}


@settings(max_examples=200)
@given(ROWS)
def test_the_file_as_it_was_follows_from_its_length_whatever_columns_came_later(
    tmp_path_factory, rows
):
    path = tmp_path_factory.mktemp("csv") / "progress.csv"
    output = CsvOutput(path)
    history = []
    for row in rows:
        output.write_row(row)
        history.append(path.read_bytes() if path.exists() else b"")
    output.close()
    for before in history:
        assert content_at(history[-1], len(before)) == before


def test_a_length_that_the_file_never_had_gives_none():
    content = b"a,b\n1,2\n3,4\n"
    assert content_at(content, 4) is None
    assert content_at(content, 7) is None
    assert content_at(content, 13) is None
    assert content_at(b"", 1) is None


def test_an_unfinished_last_row_does_not_hide_the_rows_before():
    assert content_at(b'a,b\n1,2\n3,"4', 8) == b"a,b\n1,2\n"


def test_rows_keep_their_text_with_quoted_line_ends():
    content = b'a,b\n"1\n2",3\n4,5\n'
    rows = read_rows(content)
    assert [row.text for row in rows] == ["a,b\n", '"1\n2",3\n', "4,5\n"]
    assert [row.cells for row in rows] == list(csv.reader(io.StringIO(content.decode())))
