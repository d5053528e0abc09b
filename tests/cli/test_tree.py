import shutil
from pathlib import Path

import pytest


@pytest.fixture
def family(call, finished: Path) -> Path:
    """Return a folder with a run, a branch of it, and a branch of that."""
    folder = finished.parent
    call("branch", finished, "child", "--from-epoch", 2)
    call("branch", folder / "child", "grandchild")
    call("branch", finished, "sibling", "--from-epoch", 4)
    return folder


def test_runs_hang_below_their_parents(call, family: Path) -> None:
    lines = [line.rstrip() for line in call("tree", family).stdout.splitlines()[1:]]
    assert lines == [
        "└── finished  epoch 5",
        "    ├── child  epoch 2, from epoch 2",
        "    │   └── grandchild  epoch 2, from epoch 2",
        "    └── sibling  epoch 4, from epoch 4",
    ]


def test_parent_that_has_gone_keeps_its_children_together(call_json, family: Path) -> None:
    shutil.rmtree(family / "finished")
    (top,) = call_json("tree", family)
    assert not top["present"]
    assert [child["from_epoch"] for child in top["children"]] == [2, 4]


def test_family_that_was_moved_stays_together(call_json, family: Path, tmp_path: Path) -> None:
    moved = family.rename(tmp_path.with_name(tmp_path.name + "_moved"))
    (top,) = call_json("tree", moved)
    assert top["run"] == str(moved / "finished")
    assert len(top["children"]) == 2


def test_folder_without_runs_says_so(call, tmp_path: Path) -> None:
    assert call("tree", tmp_path).stdout == f"No runs below {tmp_path}\n"
    refused = call("tree", tmp_path / "nope")
    assert refused.exit_code == 1
    assert "no such directory; expected a folder that holds runs" in refused.stderr


@pytest.mark.parametrize("columns", [None, "30"])
def test_long_name_is_cut_in_a_narrow_terminal_alone(columns, finished: Path) -> None:
    from click.testing import CliRunner

    from garage_like.cli import main

    name = "x" * 200
    finished.rename(finished.with_name(name))
    shown = CliRunner(env={"COLUMNS": columns}).invoke(main, ["tree", str(finished.parent)]).stdout
    longest = max(map(len, shown.splitlines()[1:]))
    assert longest == (30 if columns else len(f"└── {name}  epoch 5"))
    assert "".join(line[4:] for line in shown.splitlines()[1:]).startswith(name)
