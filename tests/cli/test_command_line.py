import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from garage_like import __version__
from garage_like.cli import main
from garage_like.cli.command_line import COMMANDS

HEAVY = ["numpy", "gymnasium", "torch", "tensorflow", "dowel", "cloudpickle", "safetensors"]


def subcommand(name: str) -> click.Command:
    found: click.Command = main
    for word in name.split():
        assert isinstance(found, click.Group)
        inner = found.get_command(click.Context(found), word)
        assert inner is not None
        found = inner
    return found


def leaves(name: str) -> list[str]:
    """Name a command, or those of a group."""
    found = subcommand(name)
    if not isinstance(found, click.Group):
        return [name]
    return [f"{name} {inner}" for inner in found.commands]


@pytest.mark.parametrize("name", [leaf for name in COMMANDS for leaf in leaves(name)])
def test_every_command_and_option_has_a_help_text(call, name: str) -> None:
    command = subcommand(name)
    assert command.help
    options = [p for p in command.params if isinstance(p, click.Option)]
    assert all(option.help and option.help.endswith(".") for option in options)
    assert "--json" in {text for option in options for text in option.opts}
    shown = call(*name.split(), "-h")
    assert shown.exit_code == 0
    assert command.help.splitlines()[0] in shown.output
    assert re.search(rf"^  (Example: |  )garage-like {name} \S", shown.output, re.MULTILINE)


def test_help_lists_each_command_with_a_whole_sentence(call) -> None:
    lines = call("--help").output.split("Commands:\n")[1].splitlines()
    assert [line.split()[0] for line in lines] == list(COMMANDS)
    assert all(line.endswith(".") and not line.endswith("...") for line in lines)


def test_help_loads_nothing_heavy() -> None:
    code = f"""
import sys
from garage_like.cli import main
main(["--help"], standalone_mode=False)
print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)
"""
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert ran.stderr == "[]\n"


def test_version_is_told(call) -> None:
    assert call("--version").output == f"garage_like, version {__version__}\n"


def test_unknown_command_is_a_usage_error(call) -> None:
    result = call("shw")
    assert result.exit_code == 2
    assert "No such command 'shw'" in result.output


def test_module_is_the_same_command(command) -> None:
    done = command("--help")
    assert done.returncode == 0
    assert done.stdout.startswith("Usage: garage-like [OPTIONS] COMMAND [ARGS]...")


@pytest.mark.parametrize(
    ("name", "extra"),
    [
        ("ls", []),
        ("ls", ["--json"]),
        ("show", []),
        ("show", ["--json"]),
        ("verify", []),
        ("resume", []),
        ("verify-resume", ["--help"]),
        ("diff", ["--help"]),
    ],
)
def test_reading_loads_nothing_heavy(finished: Path, name: str, extra: list[str]) -> None:
    arguments = [name, str(finished), *extra]
    code = f"""
import sys
from garage_like.cli import main
main({arguments}, standalone_mode=False)
print([name for name in {[*HEAVY, "rich"]} if name in sys.modules], file=sys.stderr)
"""
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert ran.stderr == "[]\n"


@pytest.fixture(scope="module")
def long_run(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run of 100 snapshots."""
    run = Path(shutil.copytree(runs / "finished", tmp_path_factory.mktemp("long") / "run"))
    for epoch in range(6, 100):
        shutil.copytree(
            run / "snapshots" / "epoch_000001", run / "snapshots" / f"epoch_{epoch:06d}"
        )
    return run


def seconds(*arguments: str) -> float:
    """Return the shortest of several times that a fresh process takes."""

    def once() -> float:
        started = time.perf_counter()
        subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
        return time.perf_counter() - started

    return min(once() for _ in range(5))


@pytest.mark.parametrize("name", ["ls", "show", "verify"])
def test_a_run_of_a_hundred_snapshots_is_read_at_once(long_run: Path, name: str) -> None:
    imports = seconds("-c", "import click, rich.console, rich.table")
    assert seconds("-m", "garage_like", name, str(long_run)) < 4 * imports


def test_a_hundred_snapshots_are_all_read(call, long_run: Path) -> None:
    shown = json.loads(call("show", long_run, "--json").stdout)
    assert len(shown["snapshots"]) == 100
    assert "100 snapshots, every digest holds" in call("verify", long_run).output
