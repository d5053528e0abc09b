import copy
import pickle
import subprocess
import sys

import numpy as np
import pytest

from garage_like.data.table import GROUP_BYTES, Table

COLUMNS = {
    "observation": ("float32", (3,)),
    "action": ("int64", ()),
    "step_type": ("uint8", ()),
    "picture": ("uint8", (2, 2)),
}


def values(rng, count):
    return {
        "observation": rng.normal(size=(count, 3)).astype(np.float32),
        "action": rng.integers(0, 9, count),
        "step_type": rng.integers(0, 4, count).astype(np.uint8),
        "picture": rng.integers(0, 255, (count, 2, 2)).astype(np.uint8),
    }


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_rows_come_back_as_they_were_written(rng):
    table, written = Table(10, COLUMNS), values(rng, 7)
    table.write(0, written)
    rows = np.array([6, 0, 3, 3])
    taken = table.take(rows)
    for name in COLUMNS:
        assert np.array_equal(taken[name], written[name][rows])
        assert taken[name].dtype == np.dtype(COLUMNS[name][0])
        assert np.array_equal(table.column(name), written[name])


def test_writing_over_rows_replaces_them(rng):
    table, first, second = Table(4, COLUMNS), values(rng, 4), values(rng, 2)
    table.write(0, first)
    table.write(1, second)
    assert np.array_equal(
        table.column("action"), [first["action"][0], *second["action"], first["action"][3]]
    )


@pytest.mark.parametrize(("start", "count"), [(1, 1), (0, 5), (-1, 1)])
def test_rows_that_do_not_fit_are_refused(rng, start, count):
    with pytest.raises(IndexError, match=r"do not fit; 0 of 4 rows are written"):
        Table(4, COLUMNS).write(start, values(rng, count))


def test_column_cannot_be_written_through(rng):
    table = Table(4, COLUMNS)
    table.write(0, values(rng, 4))
    with pytest.raises(ValueError, match="read-only"):
        table.column("action")[0] = 1


def test_table_without_room_or_columns_is_refused():
    with pytest.raises(ValueError, match="capacity must be at least 1, got 0"):
        Table(0, COLUMNS)
    with pytest.raises(ValueError, match="expected at least one column"):
        Table(1, {})
    with pytest.raises(ValueError, match="'name' needs a type of fixed size, got object"):
        Table(1, {"name": (object, ())})


def test_only_groups_that_were_written_to_have_changed(rng):
    table = Table(10 * GROUP_BYTES, {"x": ("uint8", (8,))})
    assert table.group_rows == GROUP_BYTES // 8
    rows = np.zeros((2 * table.group_rows, 8), np.uint8)
    table.write(0, {"x": rows})
    before = table.changed.copy()
    table.write(table.group_rows - 1, {"x": rows[:1]})
    table.write(table.num_rows, {"x": rows[:1]})
    assert np.flatnonzero(table.changed != before).tolist() == [0, 2]


def test_groups_put_a_table_together_again(rng):
    table = Table(3 * GROUP_BYTES, {"x": ("uint8", (8,))})
    table.write(0, {"x": rng.integers(0, 255, (2 * table.group_rows + 5, 8)).astype(np.uint8)})
    twin = Table.from_state(table.state_without_rows())
    for number in range(table.num_groups):
        twin.fill_group(number, table.group(number))
    assert np.array_equal(twin.column("x"), table.column("x"))
    assert np.array_equal(twin.changed, table.changed)
    assert twin.identity == table.identity


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t, 5))])
def test_copies_share_nothing_and_have_a_name_of_their_own(rng, duplicate):
    table = Table(4, COLUMNS)
    table.write(0, values(rng, 3))
    twin = duplicate(table)
    assert np.array_equal(twin.column("observation"), table.column("observation"))
    assert twin.identity != table.identity
    twin.write(0, values(rng, 1))
    assert not np.array_equal(twin.column("observation"), table.column("observation"))


def test_clearing_forgets_all_rows(rng):
    table = Table(4, COLUMNS)
    table.write(0, values(rng, 4))
    table.clear()
    assert table.num_rows == 0
    assert table.num_groups == 0
    table.write(0, values(rng, 1))
    assert table.num_rows == 1


def test_large_capacity_costs_only_the_rows_that_are_written():
    script = """
import resource
import numpy as np
from garage_like.data.table import Table
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
table = Table(1_000_000, {"x": ("float32", (100,))})
table.write(0, {"x": np.ones((1000, 100), np.float32)})
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    grown_kib = int(subprocess.check_output([sys.executable, "-c", script]))
    assert grown_kib < 20_000


def test_one_row_is_written_as_many_are(rng):
    one, many = Table(10, COLUMNS), Table(10, COLUMNS)
    written = values(rng, 4)
    many.write(0, written)
    for row in range(4):
        one.write_row(row, {name: column[row] for name, column in written.items()})
    assert one.num_rows == 4
    assert np.array_equal(one.group(0), many.group(0))
    assert one.changed[0] == 4


def test_one_row_leaves_no_gap(rng):
    with pytest.raises(IndexError, match="row 1 does not fit; 0 of 10 rows are written"):
        Table(10, COLUMNS).write_row(1, {})


def test_a_row_is_a_record_of_its_columns(rng):
    table, written = Table(10, COLUMNS), values(rng, 3)
    table.write(0, written)
    record = table.row(2)
    assert all(np.array_equal(record[name], written[name][2]) for name in COLUMNS)
