import pytest

from garage_like.logging import CsvOutput, logger
from garage_like.logging.csv_table import format_line


@pytest.fixture
def csv_file(tmp_path):
    path = tmp_path / "progress.csv"
    output = CsvOutput(path)
    logger.add_output(output)
    yield path
    output.close()


def test_no_file_before_the_first_row(csv_file, log_row):
    assert not csv_file.exists()
    log_row(a=1)
    assert csv_file.read_text() == "a\n1\n"


def test_columns_stand_in_the_order_of_their_first_appearance(csv_file, log_row):
    log_row(z=1, a=2, m=3)
    log_row(m=3, z=1, a=2)
    assert csv_file.read_text() == "z,a,m\n1,2,3\n1,2,3\n"


def test_a_new_column_leaves_an_empty_cell_in_the_rows_before(csv_file, log_row):
    log_row(a=1, b=2)
    log_row(a=3, c=4)
    log_row(b=5, d=6)
    assert csv_file.read_text() == "a,b,c,d\n1,2,,\n3,,4,\n,5,,6\n"


def test_a_file_that_exists_is_continued_with_its_columns(csv_file, log_row):
    csv_file.write_text("b,a\n1,2\n")
    log_row(a=4, b=3)
    assert csv_file.read_text() == "b,a\n1,2\n3,4\n"


def test_an_unfinished_line_of_a_file_that_exists_is_ended(csv_file, log_row):
    csv_file.write_text("a,b\n1")
    log_row(a=2, b=3)
    assert csv_file.read_text() == "a,b\n1\n2,3\n"


def test_each_row_is_in_the_file_as_soon_as_it_is_logged(csv_file, log_row):
    for count in range(1, 4):
        log_row(a=count)
        assert len(csv_file.read_text().splitlines()) == 1 + count


def test_values_that_are_no_scalars_are_left_to_other_outputs(csv_file, recwarn):
    from garage_like.logging import tabular

    tabular.record("a", 1)
    tabular.record("list", [1, 2])
    logger.log(tabular)
    tabular.clear()
    assert csv_file.read_text() == "a\n1\n"
    assert "list" in str(recwarn.pop().message)


def test_the_rewrite_leaves_no_other_file_behind(csv_file, log_row):
    log_row(a=1)
    log_row(b=1)
    assert [path.name for path in csv_file.parent.iterdir()] == ["progress.csv"]


def test_a_line_with_bytes_that_are_no_text_survives_a_new_column(csv_file, log_row):
    csv_file.write_bytes(b"a\n\xff\n")
    log_row(b=1)
    assert csv_file.read_bytes() == b"a,b\n\xff,\n,1\n"


def test_a_header_is_quoted_where_it_must_be():
    assert format_line(["a,b", "c"]) == b'"a,b",c\n'
