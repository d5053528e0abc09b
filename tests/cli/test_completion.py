"""Tab, asked as shells ask: what they get, and what bash then has on its line."""

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete

from garage_like.cli import main
from garage_like.cli.command_line import COMMANDS

sys.path.insert(0, str(Path(__file__).parents[1] / "runs"))
from fabricated import fabricate_run

ROOT = Path(__file__).parents[2]
ODD = "a run, lr=1e-3 (née 漢字)"
RUNS = {"run", "runs", "a", "b"}
COLUMNS = {"columns", "where", "sort", "metrics", "metric", "by", "task", "x", "y", "group"}
EPOCHS = {"epoch", "from_epoch"}
OTHERS = {("ls", "group"), ("pull", "run"), ("pull", "epoch"), ("sweep", "where"), ("train", "env")}
"""Called like these, and none of them."""

needs_bash = pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Return a folder with a run below data/local, and with the command on its path."""
    fabricate_run(tmp_path / "data/local/experiment" / ODD, n_epochs=3)
    command = tmp_path / "bin" / "garage-like"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m garage_like "$@"\n')
    command.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{command.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return tmp_path


def parameters():
    """Yield the words that lead to each parameter of each command, and it."""
    with click.Context(main) as ctx:
        left = [([name], main.get_command(ctx, name)) for name in COMMANDS]
    for words, command in left:
        if isinstance(command, click.Group):
            left += [([*words, name], one) for name, one in command.commands.items()]
        yield from ((words, parameter) for parameter in command.params)


def test_every_run_epoch_and_column_of_every_command_is_known_to_tab(home):
    run = f"data/local/experiment/{ODD}"
    wanted = {
        **dict.fromkeys(RUNS, ("", run)),
        **dict.fromkeys(COLUMNS, ("Evaluation/AverageRet", "Evaluation/AverageReturn")),
        **dict.fromkeys(EPOCHS, ("2", "2")),
    }
    asked = set()
    for words, parameter in parameters():
        if parameter.name not in wanted or (words[0], parameter.name) in OTHERS:
            continue
        typed, expected = wanted[parameter.name]
        before = [] if parameter.name in {"run", "runs", "a"} else [run]
        option = parameter.opts[:1] if isinstance(parameter, click.Option) else []
        shell = ShellComplete(main, {}, "garage-like", "_X")
        found = shell.get_completions([*words, *before, *option], typed)
        assert expected in [item.value for item in found], (words, parameter.name)
        asked.add((words[0], parameter.name))
    assert len(asked) > 30


def test_parts_of_a_run_are_known_to_tab(finished):
    shell = ShellComplete(main, {}, "garage-like", "_X")
    found = shell.get_completions(["export", str(finished), "out.npz", "--component"], "al")
    assert [item.value for item in found] == ["algo"]


@needs_bash
def test_bash_completes_algorithms_and_their_environments(home):
    script = """
        eval "$(_GARAGE_LIKE_COMPLETE=bash_source garage-like)"
        for COMP_LINE in "garage-like train td" "garage-like train sac Ha"; do
            COMP_POINT=${#COMP_LINE}
            _garage_like_completion garage-like
            echo "${COMPREPLY[*]}"
        done
    """
    ran = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == ["TD3", "HalfCheetah-v5"], ran.stderr


@needs_bash
def test_bash_writes_odd_names_so_that_each_is_one_word(home):
    typed = {
        "garage-like show data/": rf"data/local/experiment/{bash_word(ODD)} ",
        r"garage-like show data/local/experiment/a\ run,\ lr=1": f"{bash_word(ODD)} ",
        "garage-like show 'data/": f"'data/local/experiment/{ODD}' ",
        "garage-like ls --where=Evaluation/AverageR": "--where=Evaluation/AverageReturn ",
    }
    for line, expected in typed.items():
        shown = after_tab(line, expected)
        assert shown.endswith(expected), (line, shown)


def bash_word(name):
    return re.sub(r"([ ()])", r"\\\1", name)


def after_tab(line, expected):
    """Return the line that an interactive bash has after a Tab."""
    parent, child = pty.openpty()
    env = {**os.environ, "PS1": "> ", "TERM": "dumb", "LC_ALL": "C.UTF-8"}
    start = (
        "stty columns 300; bind 'set enable-bracketed-paste off';"
        'eval "$(_GARAGE_LIKE_COMPLETE=bash_source garage-like)"; echo rea""dy\n'
    )
    with subprocess.Popen(
        ["bash", "--norc", "-i"], stdin=child, stdout=child, stderr=child, env=env
    ) as bash:
        os.close(child)
        os.write(parent, start.encode())
        read_until(parent, "ready\r\n")
        os.write(parent, f"{line}\t".encode())
        seen = read_until(parent, expected)
        bash.kill()
    os.close(parent)
    return seen


def read_until(terminal, wanted):
    """Read what a terminal shows until it ends so, or for half a minute."""
    seen, end = b"", time.monotonic() + 30
    while time.monotonic() < end and not seen.endswith(wanted.encode()):
        if select.select([terminal], [], [], 0.2)[0]:
            seen += os.read(terminal, 65536)
    return seen.decode()
