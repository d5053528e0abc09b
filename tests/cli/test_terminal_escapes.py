"""Names and values of a run of unknown origin: no command lets a terminal obey them."""

import ast
import json
import warnings
from dataclasses import replace
from pathlib import Path

import pytest

import garage_like.cli
from garage_like.logging.notices import printable_but_for_colours, warn
from garage_like.snapshot.disk.manifest import Manifest

ESCAPE = "\x1b]0;owned\x07\x1b[2J\u202e"
COMMANDS = [
    ["ls", "{folder}"],
    ["show", "{run}"],
    ["ls", "{folder}", "--csv"],
    ["ls", "{folder}", "--group", "--columns", ESCAPE],
    ["tree", "{folder}"],
    ["compare", "{run}", "{other}", "--all"],
    ["compare", "{run}", "{other}", "--csv"],
    ["study", "{run}", "{other}", "--reps", "5", "--metric", ESCAPE],
    ["tag", "{run}"],
    ["tag", "{run}", ESCAPE],
    ["note", "{run}"],
    ["verify", "{run}"],
    ["diff", "{run}", "{other}"],
    ["plot", "{run}", "--y", ESCAPE],
    ["plot", "{run}"],
    ["play", "{run}"],
    ["prune", "{run}", "--dry-run"],
    ["rm", "{run}", "--dry-run"],
    ["hub", "push", "{run}", "a/b", "--dry-run"],
    ["export", "{run}", "{folder}/out.npz", "--component", ESCAPE],
    ["pin", "{run}", "best"],
    ["branch", "{run}", ESCAPE],
    ["resume", "{run}", "--from-epoch", "2"],
    ["resume", "{run}", "--set", f"{ESCAPE}=1", "--additional-epochs", "1"],
]


@pytest.fixture
def crafted(finished: Path) -> Path:
    """Return a run that says of itself what a terminal would obey."""
    for snapshot in (finished / "snapshots").glob("epoch_*"):
        manifest = Manifest.read(snapshot)
        manifest = replace(
            manifest,
            env_state={**manifest.env_state, "name": ESCAPE},
            classes={**manifest.classes, "env": f"a.{ESCAPE}"},
            metrics={**manifest.metrics, ESCAPE: ESCAPE},
            parent={"run": ESCAPE, "epoch": 0},
            reasons=[ESCAPE],
            exact=False,
            changes=[{"epoch": 1, "name": ESCAPE, "was": ESCAPE, "now": ESCAPE}],
            judged_by={"metric": ESCAPE, "mode": "max"},
            configuration={ESCAPE: {ESCAPE: ESCAPE}},
        )
        (snapshot / "manifest.json").unlink()
        (snapshot / "manifest.json").write_bytes(manifest.to_bytes())
    (finished / "variant.json").write_text(json.dumps({ESCAPE: ESCAPE}))
    (finished / "notes.json").write_text(json.dumps({"tags": ["a", ESCAPE], "note": ESCAPE}))
    experiment = json.loads((finished / "experiment.json").read_text())
    experiment["options"]["name"] = experiment["options"]["best_metric"] = ESCAPE
    (finished / "experiment.json").write_text(json.dumps(experiment))
    launcher = finished.with_name(f"a{ESCAPE}.py")
    launcher.write_text("after")
    sources = {"launcher": str(launcher), "text": "before", "modules": {str(launcher): "0"}}
    (finished / "sources.json").write_text(json.dumps(sources))
    return finished


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_no_command_prints_them_raw(words: list[str], command, runs: Path, crafted: Path) -> None:
    names = {"run": crafted, "folder": crafted.parent, "other": runs / "finished"}
    done = command(*(word.format(**names) for word in words))
    printed = done.stdout + done.stderr
    assert printed
    assert not {"\x1b", "\x07", "\u202e"} & {*printed}
    assert "Traceback" not in printed


def test_commands_print_through_one_door() -> None:
    for path in Path(garage_like.cli.__path__[0]).glob("*.py"):
        if path.name in ("printing.py", "epoch_bar.py"):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            assert called not in ("print", "click.echo", "click.secho", "Console", "Text"), path


def test_warnings_of_a_command_are_printed_in_the_same_way(call, monkeypatch, tmp_path) -> None:
    from garage_like.cli import verify

    monkeypatch.setattr(verify, "list_snapshots", lambda run: warn(f"look {ESCAPE}") or [])
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        said = call("verify", tmp_path)
    assert "Warning: look \\x1b]0;owned" in said.stderr


def test_what_a_run_logs_may_be_coloured() -> None:
    assert (
        printable_but_for_colours("\x1b[1;31mred\x1b[0m\x1b[2J") == "\x1b[1;31mred\x1b[0m\\x1b[2J"
    )
