"""What commands print at 40, 80 and 200 columns and in a pipe: docs/looking_at_runs.md has a table.

In a terminal a name may go on in the next line, in pieces that can be read; in a pipe it may not.
"""

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from garage_like.cli import main

sys.path.insert(0, str(Path(__file__).parents[1] / "runs"))
from fabricated import fabricate_run

PAGE = Path(__file__).parents[2] / "docs" / "looking_at_runs.md"
WIDTHS = {"40": "40", "80": "80", "200": "200", "a pipe": None}
LONG = [f"a_run_of_a_long_name_learning_rate={lr}_seed=1" for lr in (1e-3, 3e-4)]
SHORTEST_PIECE = 12
COMMANDS = {
    "ls": LONG,
    "ls --columns lr,return,note": LONG,
    "ls --group --columns lr": LONG[1:],
    "compare": LONG,
    "compare A B": LONG,
    "study --by run --reps 9": LONG,
    "diff A B": [],
    "tree": LONG,
    "show A": LONG[:1],
    "verify A": LONG[:1],
    "plot --group none --out OUT": LONG,
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("r")
    for name in (*LONG, "b", "c", "d"):
        fabricate_run(folder / name, lr=3e-4 if "3" in name else 1e-3, n_epochs=4)
    return folder


def joined(lines: list[str], start: int) -> str:
    """Put together what stands in a column from a line on."""
    return "".join(line[start:].split(" ")[0] for line in lines)


def outcome(command: str, columns: str | None) -> str:
    """Run a command; return how what it prints fits, after a look at each long name."""
    name, *words = command.split()
    stand_for = {"A": LONG[0], "B": LONG[1], "OUT": "curve.svg"}
    on_all = [] if "A" in words else ["."]
    given = [name, *on_all, *(stand_for.get(word, word) for word in words)]
    shown = CliRunner(env={"COLUMNS": columns}).invoke(main, given)
    assert shown.exit_code <= (name == "diff"), shown.output
    lines = [line.rstrip() for line in shown.stdout.splitlines() if line.strip()]
    folded = False
    for wanted in COMMANDS[command]:
        if any(wanted in line for line in lines):
            continue
        assert columns is not None, f"{wanted} is folded in a pipe"
        assert any(
            wanted in joined(lines[place:], line.index(wanted[:SHORTEST_PIECE]))
            for place, line in enumerate(lines)
            if wanted[:SHORTEST_PIECE] in line
        ), f"{wanted} is lost or written in pieces that are too short:\n{shown.stdout}"
        folded = True
    is_wide = columns is not None and max(map(len, lines)) > int(columns)
    return ", ".join(["wider"] * is_wide + ["names folded"] * folded) or "whole"


def test_the_table_of_the_page_is_what_commands_print(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)
    rows = [
        f"| `{command}` | "
        + " | ".join(outcome(command, columns) for columns in WIDTHS.values())
        + " |"
        for command in COMMANDS
    ]
    table = "\n".join([f"| command | {' | '.join(WIDTHS)} |", "|---|---|---|---|---|", *rows])
    print(table)
    assert table in PAGE.read_text(encoding="utf-8")
