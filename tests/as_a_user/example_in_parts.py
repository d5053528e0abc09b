"""An example that has a loop of epochs: `example_in_parts.py PATH WORDS...` types its command.

PLAIN puts `range` in the place of `epochs`. It dies in the middle of epoch DIES_IN, and prints a
digest of the arrays and numbers that the loop's state holds, and of what is drawn next.
"""

import hashlib
import os
import random
import runpy
import signal
import sys
import types
from pathlib import Path

import numpy as np

import garage_like

STATE: list[dict] = []
CODE = types.ModuleType | types.FunctionType | types.MethodType
NOT_COMPARED = (
    "space._np_random",
    "_variables_indices",
    "time",
    "start",
    "writer",
    "experiment_dir",
    "_progress",
    "logger",
    ".forward.__",  # how Python calls what TorchScript compiled
)


def epochs(where, n, state, **options):
    STATE.append(state)
    if os.environ.get("PLAIN"):
        yield from range(n)
        return
    for epoch in kept(where, n, state, max_stall=1.0, **options):
        if os.environ.get("DIES_IN") == str(epoch):
            while not list(Path(where, "snapshots").glob("epoch_*/manifest.json")):
                pass  # what was captured is written meanwhile
            os.kill(os.getpid(), signal.SIGKILL)
        yield epoch


def leaves(value, path="", seen=None):
    """Yield paths and bytes of all arrays and numbers, by means of its own."""
    seen = {} if seen is None else seen
    if isinstance(value, bool | int | float | complex | str):
        yield path, repr(value).encode()
        return
    if id(value) in seen or (callable(value) and isinstance(value, type)):
        return
    seen[id(value)] = value
    module = type(value).__module__.partition(".")[0]
    if hasattr(value, "detach") and hasattr(value, "numpy"):
        value = value.detach()
    if (hasattr(value, "__array__") and module != "keras") or isinstance(value, np.generic):
        array = np.asarray(value)
        if array.dtype != object:
            yield path, array.tobytes()
            return
    if isinstance(value, dict):
        for key, item in list(value.items()):
            yield from leaves(item, f"{path}.{key if isinstance(key, str) else '?'}", seen)
    elif isinstance(value, list | tuple) or type(value).__name__ == "deque":
        for number, item in enumerate(value):
            yield from leaves(item, f"{path}[{number}]", seen)
    elif isinstance(value, np.random.Generator):
        yield path, repr(value.bit_generator.state).encode()
    elif module not in ("builtins", "re", "logging", "datetime") and not isinstance(value, CODE):
        yield from leaves(getattr(value, "__dict__", {}), path, seen)
        for name in ("weights", "variables") if module == "keras" else ():
            arrays = [variable.numpy() for variable in getattr(value, name, ())]
            yield from leaves(arrays, f"{path}.{name}", seen)


def main():
    random.seed(5)
    np.random.seed(5)
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as end:
        if end.code:
            raise
    found = {
        path: content
        for path, content in leaves(STATE[0])
        if not any(word in path.lower() for word in NOT_COMPARED)
    }
    for path in sorted(found) if os.environ.get("SHOWN") else ():
        print("leaf", path, hashlib.md5(found[path]).hexdigest()[:8], len(found[path]))
    bits = hashlib.md5(b"".join(path.encode() + found[path] for path in sorted(found)))
    numbers = sum(map(len, found.values()))
    drawn = [random.random(), np.random.rand()]
    if "torch" in sys.modules:
        drawn.append(sys.modules["torch"].rand(1).item())
    print("digest", len(found), numbers, bits.hexdigest(), drawn)


if __name__ == "__main__":
    del sys.argv[0]
    kept, garage_like.epochs = garage_like.epochs, epochs
    main()
