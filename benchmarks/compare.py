"""Compare garage_like with its peers on the same work, and write docs/benchmarks.md.

Each run is a child process with one thread. Libraries take turns (A B C A B C ...), since a shared
machine's speed changes by the minute; what is compared are processor seconds, not wall time, and a
ratio is the median of the ratios within a round. Peers that are not installed are left out.

    python benchmarks/compare.py                      # everything: make bench
    python benchmarks/compare.py --works ppo --learn --repetitions 1 --output /tmp/b.md
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from importlib import metadata, util
from pathlib import Path
from typing import Any

from works import WORKS

HERE = Path(__file__).parent
ROOT = HERE.parent
OURS = ("garage_like", "garage_like, autograd")
LIBRARIES = {
    "garage_like": ("with_garage_like.py", "torch", {}),
    "garage_like, autograd": ("with_garage_like.py", "torch", {"GARAGE_LIKE_FAST_PATH": "0"}),
    "Stable-Baselines3": ("with_sb3.py", "stable_baselines3", {}),
    "skrl": ("with_skrl.py", "skrl", {}),
    "tianshou": ("with_tianshou.py", "tianshou", {}),
}
ALL = tuple(LIBRARIES)
TAKES_PART = {
    "ppo": ALL,
    "ppo8": ALL,
    "dqn": tuple(name for name in ALL if name != "skrl"),
    "sac": ALL,
    "rollout": ("garage_like", "Stable-Baselines3"),
    "rollout8": ("garage_like", "Stable-Baselines3"),
}
LEARNS = ("ppo", "ppo8", "dqn", "sac_pendulum")
TITLES = {
    "ppo": "PPO, CartPole-v1, 1 environment",
    "ppo8": "PPO, CartPole-v1, 8 environments",
    "dqn": "DQN, CartPole-v1",
    "sac": "SAC, HalfCheetah-v5",
    "sac_pendulum": "SAC, Pendulum-v1",
    "rollout": "rollouts, CartPole-v1, 1 environment",
    "rollout8": "rollouts, CartPole-v1, 8 environments",
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
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")


def installed(module: str) -> bool:
    return util.find_spec(module) is not None


def run_child(library: str, work: str, *options: str) -> dict[str, Any]:
    """Do one work through one library in a process of its own; return what it printed."""
    script, _, variables = LIBRARIES[library]
    command = [sys.executable, "-W", "ignore", str(HERE / script), work, *options]
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
    return {**found, "name": library}


def time_works(
    works: list[str], repetitions: int, share: float, libraries: list[str]
) -> list[dict[str, Any]]:
    """Time a share of each work through each library, taking turns."""
    found = []
    for work in works:
        for number in range(repetitions):
            for library in TAKES_PART[work]:
                if library in libraries and installed(LIBRARIES[library][1]):
                    steps = str(round(share * WORKS[work].steps / 2048) * 2048)
                    one = run_child(library, work, "--seed", str(number + 1), "--steps", steps)
                    found.append({**one, "round": number})
    return found


def learn(works: list[str], seeds: int, libraries: list[str]) -> list[dict[str, Any]]:
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
        for seed in range(1, seeds + 1)
        for library in (*OURS, "Stable-Baselines3")
        if library in libraries and installed(LIBRARIES[library][1])
    ]


def time_start_up(repetitions: int) -> list[dict[str, Any]]:
    """Measure processor seconds of a whole process that does next to nothing."""
    found = []
    for number in range(repetitions):
        for name, code in {"python": "pass", **START_UP}.items():
            module = code.split()[1].split(".")[0] if code.startswith("import") else "torch"
            if not installed(module):
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
    return found


def about() -> dict[str, Any]:
    """Say what was measured where."""
    names = ("numpy", "torch", "gymnasium", "mujoco", "stable-baselines3", "skrl", "tianshou")
    versions = {}
    for name in names:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True
    ).stdout.strip()
    return {
        "versions": versions,
        "commit": commit,
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


def render(results: dict[str, Any]) -> str:
    """Return the page."""
    text = (HERE / "benchmarks.md.in").read_text()
    facts = results["about"]
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    return text.format(
        training=_rate_table(results["timed"], ("ppo", "ppo8", "dqn", "sac")),
        rollouts=_rate_table(results["timed"], ("rollout", "rollout8")),
        returns=_return_table(results["learned"]),
        start_up=_start_up_table(results["start_up"]),
        snapshots=results.get("snapshots") or "Run `python benchmarks/snapshot.py`.",
        versions=f"Python {facts['python']}, {versions}",
        **{key: facts[key] for key in ("commit", "date", "machine", "load")},
    )


def _rate_table(timed: list[dict[str, Any]], works: tuple[str, ...]) -> str:
    lines = [
        "| work | library | env steps per CPU second | spread | times the fastest peer |",
        "|---|---|---:|---:|---:|",
    ]
    for work in works:
        runs = [one for one in timed if one["work"] == work]
        names = list(dict.fromkeys(one["name"] for one in runs))
        for name in names:
            rates = [one["steps_per_cpu_second"] for one in runs if one["name"] == name]
            ratio = f"**{_ratio(runs, name):.1f}**" if name in OURS and len(names) > 1 else ""
            title = f"{TITLES[work]}, {runs[0]['steps']:,} steps" if name == names[0] else ""
            spread = f"{min(rates):,.0f} – {max(rates):,.0f}"
            lines.append(
                f"| {title} | {name} | {statistics.median(rates):,.0f} | {spread} | {ratio} |"
            )
    return "\n".join(lines)


def _ratio(runs: list[dict[str, Any]], name: str) -> float:
    """Return the median over rounds of our rate to the fastest peer's of that round."""
    ratios = []
    for number in sorted({one["round"] for one in runs}):
        rates = {one["name"]: one["steps_per_cpu_second"] for one in runs if one["round"] == number}
        peers = [rate for other, rate in rates.items() if other not in OURS]
        if peers and name in rates:
            ratios.append(rates[name] / max(peers))
    return statistics.median(ratios) if ratios else float("nan")


def _return_table(learned: list[dict[str, Any]]) -> str:
    lines = [
        "| work | env steps | library | return, by seed | env steps per CPU second |",
        "|---|---:|---|---:|---:|",
    ]
    for work in dict.fromkeys(one["work"] for one in learned):
        runs = [one for one in learned if one["work"] == work]
        for number, name in enumerate(dict.fromkeys(one["name"] for one in runs)):
            mine = [one for one in runs if one["name"] == name]
            returns = ", ".join(f"{one['return']:g}" for one in mine)
            rate = statistics.median(one["steps_per_cpu_second"] for one in mine)
            title, steps = ("", "") if number else (TITLES[work], f"{mine[0]['steps']:,}")
            lines.append(f"| {title} | {steps} | {name} | {returns} | {rate:,.0f} |")
    return "\n".join(lines)


def _start_up_table(found: list[dict[str, Any]]) -> str:
    lines = ["| process | CPU seconds | more than Python alone |", "|---|---:|---:|"]
    seconds: dict[str, float] = {}
    for name in dict.fromkeys(one["name"] for one in found):
        seconds[name] = statistics.median(o["cpu_seconds"] for o in found if o["name"] == name)
    for name, value in seconds.items():
        lines.append(f"| `{name}` | {value:.2f} | {value - seconds['python']:.2f} |")
    return "\n".join(lines)


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
    parser.add_argument("--seeds", type=int, default=2, help="runs whose return counts")
    parser.add_argument("--learn", nargs="*", default=list(LEARNS), choices=list(LEARNS))
    parser.add_argument("--libraries", nargs="*", default=list(ALL), choices=list(ALL))
    parser.add_argument("--share", type=float, default=1.0, help="of each work's env steps")
    parser.add_argument("--no-snapshots", action="store_true")
    parser.add_argument("--results", type=Path, help="keep, or add to, what was measured, as JSON")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "benchmarks.md")
    given = parser.parse_args()
    results: dict[str, Any] = {"timed": [], "learned": [], "start_up": []}
    if given.results and given.results.exists():
        results = json.loads(given.results.read_text())
    results["about"] = about()
    kept = [one for one in results["timed"] if one["work"] not in given.works]
    results["timed"] = kept + time_works(
        given.works, given.repetitions, given.share, given.libraries
    )
    if not results["start_up"]:
        results["start_up"] = time_start_up(given.repetitions)
    kept = [one for one in results["learned"] if one["work"] not in given.learn]
    results["learned"] = kept + learn(given.learn, given.seeds, given.libraries)
    if not given.no_snapshots:
        results["snapshots"] = snapshot_table()
    if given.results:
        given.results.write_text(json.dumps(results, indent=1))
    given.output.write_text(render(results))
    print(f"wrote {given.output}")


if __name__ == "__main__":
    main()
