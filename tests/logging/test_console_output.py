"""What a user watches: plain text in a file, tables and a bar on a terminal."""

import io
import os
import pty
import re
import subprocess
import sys

import pytest
from rich.console import Console

from garage_like.logging import ConsoleOutput, end_progress, logger, show_progress
from garage_like.logging.terminal import Terminal, _duration


@pytest.fixture
def terminal():
    console = Console(file=io.StringIO(), force_terminal=True, width=120, color_system=None)
    return Terminal(console)


def shown(terminal):
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", terminal._console.file.getvalue())


def test_a_row_is_shown_in_its_groups_beside_each_other(terminal):
    terminal.table({"TotalEnvSteps": 10, "Evaluation/AverageReturn": 1 / 3, "policy/KL": 2.0})
    lines = [line.split() for line in shown(terminal).splitlines()[1:]]
    assert lines == [
        ["Evaluation", "Training", "Run"],
        ["AverageReturn", "0.333333", "policy/KL", "2", "TotalEnvSteps", "10"],
    ]


def test_markup_in_a_message_is_shown_as_it_is(terminal):
    terminal.message("12:00", "[bold]x[/bold] [red")
    assert shown(terminal) == "12:00 | [bold]x[/bold] [red\n"


def test_the_bar_tells_epochs_and_the_time_left(terminal):
    terminal.progress(0, 8, None)
    terminal.progress(2, 8, 75.4)
    text = shown(terminal)
    assert "epoch 2/8" in text
    assert "25% 1 min 15 s left" in text
    terminal.end_progress()
    terminal.end_progress()


def test_messages_stand_above_the_bar(terminal):
    terminal.progress(2, 8, 1.0)
    terminal.message("12:00", "hello")
    text = shown(terminal)
    assert text.rindex("epoch 2/8") > text.index("hello")
    terminal.end_progress()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (-3, "0 s"),
        (59.6, "1 min"),
        (3600, "1 h"),
        (3661, "1 h 1 min"),
        (90061, "1 d 1 h"),
        (86400 + 5, "1 d"),
    ],
)
def test_durations_have_two_units_at_most(seconds, text):
    assert _duration(seconds) == text


def test_where_there_is_no_terminal_text_is_plain_and_there_is_no_bar(capsys, log_row):
    logger.add_output(ConsoleOutput())
    show_progress(1, 2, 3.0)
    logger.log("hello")
    log_row(steps=1, x=0.5)
    end_progress()
    text = capsys.readouterr().out
    assert "\x1b" not in text
    assert "epoch 1/2" not in text
    assert re.search(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \| hello\n", text)
    assert re.search(r"^x +0\.5$", text, re.MULTILINE)


CODE = """
from garage_like.logging import ConsoleOutput, end_progress, logger, show_progress
logger.add_output(ConsoleOutput())
show_progress(1, 4, 90.0)
logger.log("hello")
print("a line of the user's own")
end_progress()
"""


def test_on_a_terminal_there_is_a_bar_that_goes_away_and_the_cursor_comes_back():
    ours, theirs = pty.openpty()
    ran = subprocess.run(
        [sys.executable, "-c", CODE],
        env={**os.environ, "TERM": "xterm", "COLUMNS": "80"},
        stdout=theirs,
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    os.close(theirs)
    assert ran.returncode == 0, ran.stderr
    text = os.read(ours, 100_000).decode()
    os.close(ours)
    assert "epoch 1/4" in text
    assert "a line of the user's own" in text
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") == 1
