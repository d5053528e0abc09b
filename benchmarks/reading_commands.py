"""Measure what the commands that read cost on large runs: processor seconds and the most memory.

    python benchmarks/reading_commands.py make FOLDER RUN     # a quarter of an hour of small files
    python benchmarks/reading_commands.py measure FOLDER [WORD]

RUN is a real run with two snapshots or more, of which all is made: 20,000 snapshots of one run,
twice, whose files but for the manifests are hard links; 10,000 runs; a log of 1,000,000 rows, and
one of 10,000 columns (`--sizes` says how many of each). Each command is a process of its own,
imports included; WORD chooses some.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from garage_like.snapshot.disk.manifest import Manifest

SIZES = (20_000, 10_000, 10**6, 10**4)
COMMANDS = {
    "snapshots": (
        "ls {folder}",
        "tree {folder}",
        "compare {folder}",
        "study {folder} --reps 5",
        "show {run}",
        "show {run} --json",
        "prune {run} --dry-run --keep-last 3",
        "rm {run} --dry-run",
        "pin {run} best",
        "unpin {run} best",
        "branch {run} {new} --from-epoch best",
        "diff {run} {other}",
        "verify {run}",
        "tag {run}",
        "plot {run} --y EpochTime --out {new}.png",
        "export {run} {new}.npz --component policy",
        "TAB pin {run} ",
        "TAB ls {run} --columns ",
    ),
    "runs": (
        "ls {folder}",
        "ls {folder}",
        "tree {folder}",
        "compare {folder}",
        "TAB show {folder}/",
    ),
    "rows": (
        "ls {folder}",
        "show {run}",
        "compare {folder}",
        "plot {run} --y EpochTime --out {new}.png",
        "diff {run} {other}",
        "study {folder} --reps 5",
        "export {run} {new}.npz --component policy",
    ),
}
COMMANDS["columns"] = COMMANDS["rows"]


def make(folder: Path, run: Path, sizes: Sequence[int]) -> None:
    """Make all runs."""
    n_snapshots, n_runs, n_rows, n_columns = sizes
    _many_snapshots(folder / "snapshots" / "run", run, n_snapshots)
    _linked(folder / "snapshots" / "run", folder / "snapshots" / "other")
    for number in range(n_runs):
        _run(folder / "runs" / f"experiment_{number // 100}" / f"run_{number}", run)
    header = "TotalEnvSteps,Evaluation/AverageReturn,policy/Entropy,EpochTime\n"
    rng = random.Random(1)
    for name in ("run", "other"):
        shutil.copytree(run, folder / "rows" / name)
        with (folder / "rows" / name / "progress.csv").open("w") as file:
            file.write(header)
            rows = ((n * 1000, n % 1000 + 0.5, rng.random(), 0.5) for n in range(n_rows))
            file.writelines(",".join(map(str, row)) + "\n" for row in rows)
        shutil.copytree(run, folder / "columns" / name)
        with (folder / "columns" / name / "progress.csv").open("w") as file:
            names = [*header.strip().split(","), *(f"x{n}" for n in range(n_columns - 4))]
            file.write(",".join(names) + "\n")
            file.writelines(f"{n}" + ",0.123456789" * (n_columns - 1) + "\n" for n in range(100))


def _many_snapshots(target: Path, run: Path, n_snapshots: int) -> None:
    shutil.copytree(run, target)
    shutil.rmtree(target / "snapshots")
    newest = max((run / "snapshots").iterdir())
    manifest = Manifest.read(newest)
    first = target / "snapshots" / "epoch_000000"
    for epoch in range(n_snapshots):
        place = target / "snapshots" / f"epoch_{epoch:06}"
        if epoch:
            _linked(first, place, leave_out="manifest.json")
        else:
            shutil.copytree(newest, place)
            (place / "manifest.json").unlink()
        told = replace(manifest, epoch=epoch, metrics={**manifest.metrics, "EpochTime": epoch % 7})
        (place / "manifest.json").write_bytes(told.to_bytes())


def _linked(source: Path, target: Path, leave_out: str = "") -> None:
    target.mkdir()
    with os.scandir(source) as entries:
        for entry in entries:
            if entry.is_dir():
                _linked(Path(entry.path), target / entry.name, leave_out)
            elif entry.name != leave_out:
                os.link(entry.path, target / entry.name)


def _run(target: Path, run: Path) -> None:
    """Make a run with all files of another; arrays are cut, since they are only measured."""
    for folder, _, files in os.walk(run):
        place = target / Path(folder).relative_to(run)
        place.mkdir(parents=True)
        for name in files:
            content = Path(folder, name).read_bytes()
            is_text = name.endswith((".json", ".csv"))
            (place / name).write_bytes(content if is_text else content[:64])


def measure(folder: Path, word: str = "") -> None:
    """Run the commands, and print a line of each."""
    with tempfile.TemporaryDirectory() as cache:
        os.environ["XDG_CACHE_HOME"] = cache
        new = (f"{cache}/new_{number}" for number in itertools.count())
        for kind, lines in COMMANDS.items():
            for line in lines:
                places = {
                    "folder": folder / kind,
                    "run": folder / kind / "run",
                    "other": folder / kind / "other",
                    "new": next(new),
                }
                if word in f"{kind}: {line}" and (folder / kind).exists():
                    seconds, mib, code = _timed(line.format(**places))
                    told = f"{seconds:6.2f} s {mib:5.0f} MiB, status {code}"
                    print(f"{kind:10} {line:44} {told}", flush=True)


def _timed(line: str) -> tuple[float, float, int]:
    """Return processor seconds and the most memory of a command, and its exit status."""
    words = line.split(" ")
    environment = dict(os.environ)
    if words[0] == "TAB":
        words[0] = "garage-like"
        environment["_GARAGE_LIKE_COMPLETE"] = "bash_complete"
        environment["COMP_LINE"] = " ".join(words)
        words = [""]
    process = os.posix_spawn(
        sys.executable,
        [sys.executable, "-c", _CALL, *words[0 if words != [""] else 1 :]],
        environment,
        file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)],
    )
    _, status, used = os.wait4(process, 0)
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, os.waitstatus_to_exitcode(status)


_CALL = "from garage_like.cli import main; main(prog_name='garage-like')"

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("action", choices=["make", "measure"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("more", nargs="?", default="", help="the run, or the word")
    parser.add_argument("--sizes", type=int, nargs=4, default=SIZES, help="columns from 4 on")
    given = parser.parse_args()
    if given.action == "make":
        make(given.folder, Path(given.more), given.sizes)
    else:
        measure(given.folder, given.more)
