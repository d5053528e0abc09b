"""What stands in for dowel does what dowel does, and a process without dowel lacks nothing."""

import subprocess
import sys
import textwrap
import types
import warnings

import dowel
import numpy as np
import pytest

from garage_like.logging import dowel_interface

BOTH = pytest.mark.parametrize("library", [dowel, dowel_interface], ids=["dowel", "ours"])


def outputs_of(library: types.ModuleType, *kinds: type) -> tuple[object, list[object]]:
    """Return a logger with one output, and the list of what that was handed."""
    seen: list[object] = []

    class Output(library.LogOutput):
        types_accepted = kinds

        def record(self, data, prefix=""):
            seen.append((data, prefix))

        def dump(self, step=None):
            seen.append(("dump", step))

    logger = library.Logger()
    logger.add_output(Output())
    return logger, seen


@BOTH
def test_what_is_logged_goes_to_outputs_that_take_it_with_its_prefix(library):
    logger, seen = outputs_of(library, str)
    with logger.prefix("a "), logger.prefix("b "):
        logger.log("x")
    logger.log("y")
    logger.dump_all(7)
    logger.dump_output_type(library.StdOutput, 8)
    assert seen == [("x", "a b "), ("y", ""), ("dump", 7)]


@BOTH
def test_what_no_output_takes_is_warned_of_once(library):
    logger, _ = outputs_of(library, str)
    table = library.TabularInput()
    table.record("k", 1)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        library.Logger().log("x")
        for _ in range(2):
            logger.log(1.5)
            table.clear()
    assert [(str(one.message), one.filename) for one in caught] == [
        ("\x1b[33mNo outputs have been added to the logger.\x1b[0m", __file__),
        ("\x1b[33mLog data of type str was not accepted by any output\x1b[0m", __file__),
        ("\x1b[33mLog data of type float was not accepted by any output\x1b[0m", __file__),
        ("\x1b[33mTabularInput {k: type(int)} was not accepted by any output\x1b[0m", __file__),
    ]
    assert caught[0].category.__name__ == "LoggerWarning"
    assert caught[3].category.__name__ == "TabularInputWarning"


@BOTH
def test_outputs_are_instances_and_may_be_exchanged(library):
    logger, _ = outputs_of(library, str)
    for wrong, said in ((library.StdOutput, "instantiated"), (object(), "subclass")):
        with pytest.raises(ValueError, match=said):
            logger.add_output(wrong)
    assert not logger.has_output_type(library.StdOutput)
    logger.add_output(library.StdOutput())
    logger.reset_output(library.StdOutput())
    assert [type(one).__name__ for one in logger._outputs] == ["Output", "StdOutput"]
    logger.remove_output_type(library.StdOutput)
    assert len(logger._outputs) == 1
    logger.remove_all()
    assert logger._outputs == []


@BOTH
def test_a_row_holds_what_was_recorded_under_its_prefix(library):
    table = library.TabularInput()
    with table.prefix("P/"):
        table.record("a", 1)
        table.record_misc_stat("x", [1.0, 3.0])
    table.record_misc_stat("y", [], placement="front")
    table.record("h", library.Histogram([1, 2]))
    assert list(table.as_dict["h"]) == [1, 2]
    numbers = {name: float(value) for name, value in table.as_primitive_dict.items()}
    assert {name for name, value in numbers.items() if np.isnan(value)} == {
        *("Averagey", "Stdy", "Mediany", "Miny", "Maxy")
    }
    assert {name: value for name, value in numbers.items() if name.startswith("P/")} == {
        **{"P/a": 1, "P/xAverage": 2, "P/xStd": 1, "P/xMedian": 2, "P/xMin": 1, "P/xMax": 3}
    }
    table.mark_str()
    table.mark("h")
    table.clear()
    assert table.as_dict == {}
    table.record("z", [])
    table.mark_all()
    table.clear()


@BOTH
def test_the_console_prints_messages_and_rows(library, capsys):
    logger = library.Logger()
    logger.add_output(library.StdOutput(with_timestamp=False))
    table = library.TabularInput()
    table.record("key", 72)
    with logger.prefix("p: "):
        logger.log("hello")
    logger.log(table)
    table.clear()
    assert capsys.readouterr().out.split() == ["p:", "hello", "---", "--", "key", "72", "---", "--"]


# ---- a process without dowel -----------------------------------------------------------------

WITHOUT = (
    "import sys\nfor n in ('dowel', 'scipy', 'matplotlib', 'tabulate'): sys.modules[n] = None\n"
)
SCRIPT = """
from pathlib import Path
from types import SimpleNamespace
from garage_like.logging import Histogram, RunLogs, logger, tabular
from garage_like.snapshot import SnapshotConfig, Snapshotter
from garage_like.snapshot.disk.manifest import Manifest

place = Path(sys.argv[1])
"""
SAVE = """
place.mkdir()
with RunLogs(place, existing=False, console=True) as logs:
    logger.log("hello")
    tabular.record("TotalEnvSteps", 1)
    tabular.record("x", 2.0)
    tabular.record("h", Histogram([1.0, 2.0]))
    logger.log(tabular)
    tabular.clear()
    print([name for name in sorted(logs.offsets()) if "tfevents" not in name])
    assert len(logs.offsets()) == 4
snapshotter = Snapshotter(SnapshotConfig(snapshot_dir=place))
held = SimpleNamespace(logger=logger, row=tabular, shown=Histogram([1.0]))
snapshotter.save({"algo": held, "env": None}, Manifest(epoch=0))
snapshotter.close()
"""
LOAD = """
held = Snapshotter().load(place)["algo"]
print(held.logger is logger, held.row is tabular, isinstance(held.shown, Histogram))
print(sys.modules["dowel"] is not None)
"""


def run(code: str, place: object) -> list[str]:
    program = [sys.executable, "-W", "error", "-c", textwrap.dedent(code), str(place)]
    ran = subprocess.run(program, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.splitlines()


def test_a_run_goes_on_where_dowel_came_or_went(tmp_path):
    with_dowel = "import sys\n"
    for name, first, second in (("a", WITHOUT, with_dowel), ("b", with_dowel, WITHOUT)):
        place = tmp_path / name
        said = run(first + SCRIPT + SAVE, place)
        assert said[0].endswith(" | hello")
        assert said[-1] == "['debug.log', 'progress.csv', 'progress.jsonl']"
        assert run(second + SCRIPT + LOAD, place) == ["True True True", str(second == with_dowel)]
