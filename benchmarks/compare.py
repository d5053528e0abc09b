"""Compare garage_like with its peers on the same work, and write docs/benchmarks.md.

Each run is a child process with one thread. Libraries take turns (A B C A B C ...), since a shared
machine's speed changes by the minute; what is compared are processor seconds, not wall time, and a
ratio is the median of the ratios within a round. Peers that are not installed are left out;
BENCH_TENSORFLOW, BENCH_JAX and BENCH_ORBAX name interpreters that have what this one has not.
Clocks start when a run is warm: compiling, and what an experiment does but once, are told apart.

    python benchmarks/compare.py                      # everything: make bench
    python benchmarks/compare.py --works ppo --learn --repetitions 1 --output /tmp/b.md
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from importlib import metadata, util
from pathlib import Path
from typing import Any

from page import ratio_table, render
from works import WORKS

HERE = Path(__file__).parent
ROOT = HERE.parent
OURS = ("garage_like", "garage_like, autograd", "garage_like, TensorFlow")
LIBRARIES = {
    "garage_like": ("with_garage_like.py", "torch", {}),
    "garage_like, autograd": ("with_garage_like.py", "torch", {"GARAGE_LIKE_FAST_PATH": "0"}),
    "garage_like, TensorFlow": ("with_garage_like.py", "tensorflow", {"BENCH_BACKEND": "tf"}),
    "Stable-Baselines3": ("with_sb3.py", "stable_baselines3", {}),
    "sb3-contrib": ("with_sb3.py", "sb3_contrib", {}),
    "skrl": ("with_skrl.py", "skrl", {}),
    "sbx": ("with_sb3.py", "sbx", {"BENCH_BACKEND": "sbx"}),
    "JAX": ("with_jax.py", "jax", {}),
    "tianshou": ("with_tianshou.py", "tianshou", {}),
}
SHARES = {"Stable-Baselines3": 4, "sb3-contrib": 4, "skrl": 4, "sbx": 2, "tianshou": 4}
"""What slow libraries do a part of: rates are compared."""
BASIC = (*OURS[:2], "Stable-Baselines3")
SAMPLED = ("garage_like", "Stable-Baselines3")
TAKES_PART = {
    "ppo": (*OURS, "Stable-Baselines3", "sbx", "JAX", "skrl", "tianshou"),
    "ppo8": (*BASIC, "sbx", "JAX", "skrl", "tianshou"),
    "ppo128": (*SAMPLED, "JAX"),
    "ppo2048": (*SAMPLED, "JAX"),
    "ppo4096": (*SAMPLED, "JAX"),
    "ppo8_wide": (*SAMPLED, "JAX"),
    "ppo8_large": (*SAMPLED, "JAX"),
    "trpo": (*OURS, "sb3-contrib"),
    "dqn": (*OURS, "Stable-Baselines3", "sbx", "tianshou"),
    "sac": (*BASIC, "sbx", "skrl", "tianshou"),
    "td3": (*BASIC, "sbx"),
    "tqc": ("garage_like", "sb3-contrib", "sbx"),
    "rollout": SAMPLED,
    "rollout8": SAMPLED,
    "rollout64": SAMPLED,
    "rollout2048": SAMPLED,
    "rollout4096": SAMPLED,
}
LEARNS = {
    "ppo": BASIC,
    "ppo8": BASIC,
    "trpo": TAKES_PART["trpo"],
    "dqn": BASIC,
    "sac_pendulum": BASIC,
}
START_UP = {
    "import garage_like": "import garage_like",
    "garage-like ls": (
        "from garage_like.cli import main; main(['ls', '/nonexistent'], standalone_mode=False)"
    ),
    "import torch": "import torch",
    "import garage_like.torch": "import garage_like.torch",
    "import stable_baselines3": "import stable_baselines3",
    "import skrl": "import skrl",
    "import tianshou": "import tianshou",
}
PEERS = ("stable-baselines3", "sb3-contrib", "skrl", "tianshou")
JAX = os.environ.get("BENCH_JAX", sys.executable)
TENSORFLOW = os.environ.get("BENCH_TENSORFLOW", sys.executable)
"""An interpreter with TensorFlow: where it is installed, other libraries import it, too."""
ELSEWHERE = {"tensorflow": TENSORFLOW, "jax": JAX, "sbx": JAX}
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")


def installed(library: str) -> bool:
    """Return whether a library can be imported by the interpreter that is to run it."""
    module = LIBRARIES[library][1]
    code = f"import sys, importlib.util as u; sys.exit(u.find_spec({module!r}) is None)"
    return subprocess.run([interpreter(library), "-c", code], check=False).returncode == 0


def interpreter(library: str) -> str:
    return ELSEWHERE.get(LIBRARIES[library][1], sys.executable)


def run_child(library: str, work: str, *options: str) -> dict[str, Any]:
    """Do one work through one library in a process of its own; return what it printed."""
    script, _, variables = LIBRARIES[library]
    command = [interpreter(library), "-W", "ignore", str(HERE / script), work, *options]
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    ended = subprocess.run(
        command,
        env={**os.environ, **ONE_THREAD, "PYTHONPATH": paths, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line for line in ended.stdout.splitlines() if line.startswith('{"library"')]
    if ended.returncode or not lines:
        raise SystemExit(f"{' '.join(command)} failed:\n{ended.stderr[-3000:]}")
    found = json.loads(lines[-1])
    print(f"{work:12s} {library:24s} {found['steps_per_cpu_second']:10,.0f} steps/s", flush=True)
    return {**found, "name": library, "commit": commit()}


def time_works(
    works: list[str], repetitions: int, share: float, libraries: list[str]
) -> list[dict[str, Any]]:
    """Time a share of each work through each library, taking turns."""
    found = []
    for work in works:
        for number in range(repetitions):
            for library in TAKES_PART[work]:
                if library in libraries and installed(library):
                    unit = WORKS[work].rollout or (1024 if library in OURS else 256)
                    part = share * WORKS[work].steps / SHARES.get(library, 1)
                    steps = str(max(1, round(part / unit)) * unit)
                    options = ("--seed", str(number + 1), "--steps", steps)
                    one = run_child(library, work, *options, "--warm", str(WORKS[work].warm))
                    found.append({**one, "round": number})
    return found


def learn(works: list[str], seeds: list[int], libraries: list[str]) -> list[dict[str, Any]]:
    """Train until something is learned, and evaluate."""
    return [
        run_child(
            library,
            work,
            *("--steps", str(WORKS[work].learning_steps)),
            *("--seed", str(seed)),
            "--evaluate",
        )
        for work in works
        for seed in seeds
        for library in LEARNS[work]
        if library in libraries and installed(library)
    ]


def which(one: dict[str, Any]) -> tuple[str, str, int]:
    """Return what a run that learned is replaced by another of."""
    return one["work"], one["name"], one["seed"]


def time_start_up(repetitions: int) -> list[dict[str, Any]]:
    """Measure processor seconds of a whole process that does next to nothing."""
    found = []
    for number in range(repetitions):
        for name, code in {"python": "pass", **START_UP}.items():
            module = code.split()[1].split(".")[0] if code.startswith("import") else "torch"
            if util.find_spec(module) is None:
                continue
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            started = time.perf_counter()
            subprocess.run(
                [sys.executable, "-W", "ignore", "-c", code],
                env={**os.environ, **ONE_THREAD, "PYTHONPATH": str(ROOT)},
                capture_output=True,
                check=False,
            )
            wall = time.perf_counter() - started
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            found.append({"name": name, "round": number, "cpu_seconds": cpu, "wall_seconds": wall})
            found[-1]["commit"] = commit()
    return found


def commit() -> str:
    return subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True
    ).stdout.strip()


def about() -> dict[str, Any]:
    """Say what was measured where."""
    names = ("numpy", "torch", "gymnasium", "mujoco", *PEERS)
    versions = {}
    for name in names:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    if installed("garage_like, TensorFlow"):
        code = "from garage_like.tf.quiet_import import tf; print(tf.__version__)"
        command = [TENSORFLOW, "-W", "ignore", "-c", code]
        told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout
        versions["tensorflow"] = told.strip()
    return {
        "versions": versions,
        "commit": commit(),
        "date": time.strftime("%Y-%m-%d"),
        "machine": f"{_processor()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 1),
    }


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor()
    names = [line.split(":")[1].strip() for line in text.splitlines() if "model name" in line]
    return names[0] if names else platform.processor()


def snapshot_table() -> str:
    """Run the benchmarks of snapshots, and quote them."""
    printed = []
    for script in ("replay_snapshot.py", "snapshot.py"):
        finished = subprocess.run(
            [sys.executable, "-W", "ignore", str(HERE / script)],
            env={**os.environ, **ONE_THREAD, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        if finished.returncode:
            raise SystemExit(f"{script} failed:\n{finished.stderr[-3000:]}")
        printed.append(f"`benchmarks/{script}`:\n\n```text\n{finished.stdout.strip()}\n```")
    return "\n\n".join(printed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--works", nargs="*", default=list(TAKES_PART), choices=list(TAKES_PART))
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2], help="of runs that learn")
    parser.add_argument("--learn", nargs="*", default=list(LEARNS), choices=list(LEARNS))
    parser.add_argument("--libraries", nargs="*", default=list(LIBRARIES), choices=list(LIBRARIES))
    parser.add_argument("--share", type=float, default=1.0, help="of each work's env steps")
    parser.add_argument("--only-ratios", action="store_true", help="print them, and write nothing")
    parser.add_argument("--no-snapshots", action="store_true")
    parser.add_argument("--results", type=Path, help="keep, or add to, what was measured, as JSON")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "benchmarks.md")
    given = parser.parse_args()
    results: dict[str, Any] = {"timed": [], "learned": [], "start_up": []}
    if given.results and given.results.exists():
        results = json.loads(given.results.read_text())
    results["about"] = about()
    if given.works:
        timed = time_works(given.works, given.repetitions, given.share, given.libraries)
        kept = [one for one in results["timed"] if one["work"] not in given.works]
        results["timed"] = kept + timed
        print(ratio_table(timed), flush=True)
        if given.only_ratios:
            return
    if not results["start_up"]:
        results["start_up"] = time_start_up(given.repetitions)
    learned = learn(given.learn, given.seeds, given.libraries)
    results["learned"] = list({which(one): one for one in results["learned"] + learned}.values())
    if not given.no_snapshots:
        results["snapshots"] = {"printed": snapshot_table(), "commit": commit()}
    if given.results:
        given.results.write_text(json.dumps(results, indent=1))
    given.output.write_text(render(results))
    print(f"wrote {given.output}")


if __name__ == "__main__":
    main()
