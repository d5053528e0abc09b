import re

import dowel
import pytest

from garage_like.logging import ConsoleOutput, TextOutput, logger

STAMP = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \| "


@pytest.fixture
def text_file(tmp_path):
    path = tmp_path / "debug.log"
    output = TextOutput(path)
    logger.add_output(output)
    yield path
    output.close()


def test_no_file_before_the_first_line(text_file):
    assert not text_file.exists()


def test_a_message_is_stamped_prefixed_and_in_the_file_at_once(text_file):
    with logger.prefix("epoch #3 | "):
        logger.log("Saved")
    assert re.fullmatch(STAMP + r"epoch #3 \| Saved\n", text_file.read_text())


def test_a_table_is_written_below(text_file, log_row):
    log_row(beta=-1.5, a=123456789, c="x")
    assert text_file.read_text() == (
        "----  ---------\na     123456789\nbeta  -1.5\nc     x\n----  ---------\n"
    )


def test_a_file_that_exists_is_continued_on_a_line_of_its_own(text_file):
    text_file.write_text("cut off in the mid")
    logger.log("x")
    assert re.fullmatch("cut off in the mid\n" + STAMP + "x\n", text_file.read_text())


def test_characters_that_no_encoding_has_do_not_stop_a_run(text_file):
    logger.log("\udcff")
    assert r"\udcff" in text_file.read_text()


def test_the_console_shows_stamped_messages_and_tables(capsys, log_row):
    logger.add_output(ConsoleOutput())
    with logger.prefix("p | "):
        logger.log("hello")
    log_row(a=1)
    assert re.fullmatch(STAMP + r"p \| hello\n-  -\na  1\n-  -\n", capsys.readouterr().out)


def test_the_console_is_one_of_dowels():
    logger.add_output(ConsoleOutput())
    assert logger.has_output_type(dowel.StdOutput)
