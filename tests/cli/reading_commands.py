"""Call every reading command on runs with one rubbish file: `reading_commands.py KIND RUN FOLDER`.

Prints a line for whatever goes wrong, and at last, of all commands, the most processor seconds that
one took and the most memory that was used, in MiB.
"""

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from click.testing import CliRunner

from garage_like.cli import main

SECONDS = 20
PROCESSOR_SECONDS = 2.0
SNAPSHOT = "snapshots/epoch_000005"
FILES = [
    "experiment.json",
    "variant.json",
    "configuration.json",
    "sources.json",
    "notes.json",
    "progress.csv",
    "progress.jsonl",
    "debug.log",
    ".lock-holder.json",
    f"{SNAPSHOT}/manifest.json",
    f"{SNAPSHOT}/objects.pkl",
    f"{SNAPSHOT}/pinned",
    f"{SNAPSHOT}/tensors/algo.safetensors",
]
COMMANDS = [
    ["ls", "{folder}"],
    ["show", "{run}"],
    ["show", "{run}", "--json"],
    ["tree", "{folder}"],
    ["compare", "{folder}"],
    ["study", "{folder}", "--reps", "5"],
    ["tag", "{run}"],
    ["verify", "{run}"],
    ["verify", "{run}", "--json"],
    ["compare", "{good}", "{run}"],
    ["diff", "{good}", "{run}"],
    ["diff", "{run}", "{good}"],
    ["pin", "{run}", "best"],
    ["prune", "{run}", "--dry-run"],
    ["rm", "{run}", "--dry-run"],
    ["branch", "{run}", "--from-epoch", "best"],
    ["hub", "push", "{run}", "a/b", "--dry-run"],
    ["export", "{run}", "{folder}/out.npz", "--component", "algo"],
    ["plot", "{run}", "--y", "no such column"],
]


def pipe(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def hole(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(8 << 30)


def large_hole_that_is_not_refused_at_once(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(900 << 20)


def nested(path: Path) -> None:
    path.write_text('{"a":' * 200_000)


def nested_as_far_as_it_parses(path: Path) -> None:
    path.write_text('{"options": ' + '{"a":' * 800 + "1" + "}" * 801)


def million_columns(path: Path) -> None:
    row = ",".join(f"c{number}" for number in range(10**6))
    path.write_text(f"{row}\n{row}\n")


def many_values(path: Path) -> None:
    path.write_text(json.dumps({f"k{number}": number for number in range(400_000)}))


def as_many_values_as_are_read(path: Path) -> None:
    path.write_text(json.dumps({f"k{number}": number for number in range(90_000)}))


def other_types(path: Path) -> None:
    options = {"snapshot_mode": 5, "best_metric": 7, "log_interval": {}, "name": [1]}
    path.write_text(json.dumps({"options": options, "parent": {"run": 5}, "module_paths": 3}))


def options_that_are_none(path: Path) -> None:
    path.write_text(json.dumps({"options": 3, "parent": [1], "function": {"a": 1}}))


def folder(path: Path) -> None:
    path.mkdir()


def zeros(path: Path) -> None:
    path.write_bytes(bytes(1 << 20))


KINDS: dict[str, Callable[[Path], None]] = {
    make.__name__: make
    for make in (
        pipe,
        device,
        hole,
        large_hole_that_is_not_refused_at_once,
        nested,
        nested_as_far_as_it_parses,
        million_columns,
        many_values,
        as_many_values_as_are_read,
        other_types,
        options_that_are_none,
        folder,
        zeros,
    )
}


class LateError(BaseException):
    """Raise when a command takes too long."""


def give_up(*_: object) -> None:
    raise LateError


def check(words: list[str], what: str) -> float:
    began = time.process_time()
    signal.alarm(SECONDS)
    try:
        result = CliRunner().invoke(main, words)
    except LateError:
        print(f"{what}, {words[0]}: does not end")
        return float(SECONDS)
    finally:
        signal.alarm(0)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        print(f"{what}, {words[0]}: {result.exception!r}")
    took = time.process_time() - began
    if took > PROCESSOR_SECONDS:
        print(f"{what}, {words[0]}: takes {took:.1f} processor seconds")
    return took


def most_mib() -> int:
    """Return the most memory that this program took; `getrusage` counts who started it, too."""
    with open("/proc/self/status") as status:
        peak = next(line for line in status if line.startswith("VmHWM:"))
    return int(peak.split()[1]) // 1024


def look(kind: str, good: Path, workplace: Path, commands: list[list[str]]) -> tuple[float, int]:
    signal.signal(signal.SIGALRM, give_up)
    longest = 0.0
    for number, name in enumerate(FILES):
        place = workplace / f"{kind}_{number}"
        run = Path(shutil.copytree(good, place / "run"))
        (run / name).unlink(missing_ok=True)
        KINDS[kind](run / name)
        words = {"run": run, "folder": place, "good": good}
        for command in commands:
            longest = max(longest, check([word.format(**words) for word in command], name))
    return longest, most_mib()


def apart(kind: str, good: Path, workplace: Path, commands: list[list[str]]) -> tuple[float, int]:
    """Look in a process that keeps no library which only other commands load."""
    reads, writes = os.pipe()
    if os.fork() == 0:
        found = look(kind, good, workplace, commands)
        sys.stdout.flush()
        os.write(writes, json.dumps(found).encode())
        os._exit(0)
    os.close(writes)
    os.wait()
    with os.fdopen(reads) as told:
        return tuple(json.load(told))


if __name__ == "__main__":
    words = sys.argv[1], Path(sys.argv[2])
    hub = [command for command in COMMANDS if command[0] == "hub"]
    others = [command for command in COMMANDS if command not in hub]
    found = [
        apart(*words, Path(sys.argv[3], str(number)), commands)
        for number, commands in enumerate((hub, others))
    ]
    print(f"{max(seconds for seconds, _ in found):.2f}")
    print(max(mib for _, mib in found))
