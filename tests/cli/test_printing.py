import time

import pytest

from garage_like.cli import printing


@pytest.mark.parametrize(
    ("count", "text"),
    [(None, "-"), (0, "0"), (950, "950"), (40_960, "40,960"), (1_234_567, "1.23M"), (5e9, "5.00G")],
)
def test_counts_are_shortened(count: float | None, text: str) -> None:
    assert printing.short_count(count) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (500.0, "500"),
        (475.25, "475.2"),
        (-1234.56, "-1,234.6"),
        (0.012345, "0.01235"),
        (1.5e-7, "1.5e-07"),
        (2.5e12, "2.5e+12"),
        ("nan", "nan"),
        (True, "True"),
    ],
)
def test_numbers_are_shortened(value: object, text: str) -> None:
    assert printing.short_number(value) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (99_400, "99.4 kB"),
        (99_600, "100 kB"),
        (999_700, "1.0 MB"),
        (3_456_789_000, "3.5 GB"),
        (7e15, "7000 TB"),
    ],
)
def test_sizes_are_shortened(size: float, text: str) -> None:
    assert printing.short_bytes(size) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-3, "0 s"), (45, "45 s"), (89, "89 s"), (91, "2 min"), (10_000, "3 h"), (900_000, "10 d")],
)
def test_durations_are_shortened(seconds: float, text: str) -> None:
    assert printing.short_seconds(seconds) == text


def test_age_counts_from_now() -> None:
    assert printing.age(time.time() - 7200) == "2 h"
    assert printing.brief_age(time.time() - 7200) == "2h"
    assert printing.brief_age(time.time() - 720) == "12m"


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (None, "-"),
        (9_999, "9,999"),
        (40_960, "41.0k"),
        (99_960, "100k"),
        (999_400, "999k"),
        (999_600, "999,600"),
        (1_234_567, "1.23M"),
    ],
)
def test_counts_are_shortened_further(count: float | None, text: str) -> None:
    assert printing.brief_count(count) == text


def test_table_does_not_take_brackets_for_markup(capsys: pytest.CaptureFixture[str]) -> None:
    printing.print_table({"name": False}, {"": [["run[red]_1"]]}, folded="name")
    assert "run[red]_1" in capsys.readouterr().out


@pytest.mark.parametrize("columns", [20, 40, 80, 200])
def test_table_loses_no_name_and_writes_none_letter_by_letter(capsys, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    headings = {"run": False, "Evaluation/AverageReturn": True, "learning_rate": True}
    name = "ppo_learning_rate=0.0003_batch_size=2048"
    printing.print_table(headings, {"": [[name, "1.5", "0.0003"]]}, folded="run")
    title, *lines = capsys.readouterr().out.splitlines()
    assert title.split() == list(headings)
    parts = [line.split()[0] for line in lines]
    assert "".join(parts) == name
    assert min(map(len, parts[:-1]), default=12) >= 12
    assert (len(parts) == 1) is (columns == 200)


def test_table_in_a_pipe_folds_nothing(capsys, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    printing.print_table({"run": False, "x": True}, {"": [["a" * 300, "1"]]}, folded="run")
    assert capsys.readouterr().out.splitlines()[1] == "a" * 300 + "  1"


def test_table_counts_columns_of_the_terminal_and_not_characters(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    rows = [["走る", "1"], ["e\u0301", "2"], ["run", "3"]]
    printing.print_table({"name": False, "x": True}, {"": rows}, folded="name")
    assert capsys.readouterr().out.splitlines()[1:] == ["走る  1", "e\u0301     2", "run   3"]


def test_cells_of_several_lines_stay_in_their_column(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    printing.print_table({"a": False, "b": False}, {"": [["x\ny", "1\n2"]]}, folded="b")
    assert capsys.readouterr().out.splitlines()[1:] == ["x y  1", "     2"]


@pytest.mark.parametrize(
    ("text", "columns"),
    [("e\u0301", 1), ("漢字", 4), ("🙂", 2), ("\u2764\ufe0f", 1), ("a\u200db", 2), ("عربى", 4)],
)
def test_width_is_what_a_terminal_shows(text: str, columns: int) -> None:
    assert printing._width(text) == columns


def test_accents_stay_with_their_letters_where_a_text_is_cut() -> None:
    assert printing._pieces("e\u0301" * 5, 3) == ["e\u0301" * 3, "e\u0301" * 2]
    assert printing._pieces("漢字漢字", 3) == ["漢", "字", "漢", "字"]
