"""Look at malicious runs in every way that runs no code, under the eyes of an audit hook.

    reader_under_watch.py FOLDER

Prints a JSON line for each way and run: what came of it, CPU seconds, and what was touched that
should not have been; then the memory that the process took at most, in bytes.
"""

import contextlib
import io
import json
import resource
import sys
import time
from pathlib import Path

from garage_like.cli import main
from garage_like.cli.command_line import COMMANDS
from garage_like.errors import SnapshotError
from garage_like.snapshot import read_snapshot

WRITES = ("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate")
CODE = ("pickle.find_class", "os.system", "os.exec", "subprocess.Popen", "os.fork", "exec")
READERS = {
    "ls": lambda run: ["ls", run],
    "show": lambda run: ["show", run],
    "tree": lambda run: ["tree", run],
    "verify": lambda run: ["verify", run],
    "diff": lambda run: ["diff", run, str(GOOD)],
}
FOLDER = Path(sys.argv[1])
GOOD = FOLDER / "good"
touched = []
watching = False


def watch(event, arguments):
    if not watching:
        return
    if event in (*WRITES, *CODE) and not (event == "exec" and is_import(arguments)):
        touched.append(f"{event}{arguments!r}"[:200])
    if event == "open":
        path, _, flags = arguments
        outside = str(path).startswith(str(FOLDER / "outside"))
        writes = isinstance(flags, int) and flags & 3 and not str(path).startswith("/dev/")
        if outside or writes:
            touched.append(f"open{arguments!r}"[:200])


def is_import(arguments):
    return str(getattr(arguments[0], "co_filename", "")).startswith(("<frozen", sys.prefix)) or (
        "garage_like" in str(getattr(arguments[0], "co_filename", ""))
    )


def run_command(arguments):
    text = io.StringIO()
    try:
        with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
            main(arguments, standalone_mode=True)
    except SystemExit as end:
        return f"exit {end.code or 0}: {text.getvalue()[-300:]}"
    return f"exit 0: {text.getvalue()[-300:]}"


def read_all(run):
    """Read everything that a reader offers as data."""
    try:
        snapshot = read_snapshot(run)
        snapshot.summary()
        for name in snapshot.components:
            snapshot.tensors(name)
        for name in snapshot.tables:
            snapshot.table(name)
    except SnapshotError as error:
        return f"{type(error).__name__}: {error}"[:300]
    return "read"


def look(way, run):
    global watching
    began = time.process_time()
    watching = True
    try:
        found = read_all(run) if way == "read_snapshot" else run_command(READERS[way](str(run)))
    except Exception as error:
        found = f"NOT CAUGHT {error!r}"
    finally:
        watching = False
    seconds, seen = time.process_time() - began, list(touched)
    touched.clear()
    return {
        "peak": peak_bytes(),
        "way": way,
        "run": run.name,
        "found": found,
        "seconds": seconds,
        "touched": seen,
    }


def peak_bytes():
    """Return the most memory that was taken; getrusage counts that of the parent before exec."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


ways = [*(way for way in READERS if way in COMMANDS), "read_snapshot"]
for way in ways:  # so that all is imported before anything is watched
    look(way, GOOD)
sys.addaudithook(watch)
for run in [GOOD, *sorted((FOLDER / "runs").iterdir())]:
    for way in ways:
        print(json.dumps(look(way, run)), flush=True)
print(json.dumps({"peak": peak_bytes()}))
