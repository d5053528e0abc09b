"""Write docs/benchmarks.md from what `compare.py` measured."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
TITLES = {
    "ppo": "PPO, CartPole-v1, 1 environment",
    "ppo8": "PPO, CartPole-v1, 8 environments",
    "ppo128": "PPO, CartPole-v1, 128 environments",
    "ppo2048": "PPO, CartPole-v1, 2,048 environments",
    "ppo4096": "PPO, CartPole-v1, 4,096 environments",
    "ppo8_wide": "PPO, CartPole-v1, 8 environments, two layers of 256",
    "ppo8_large": "PPO, CartPole-v1, 8 environments, minibatches of 512",
    "trpo": "TRPO, CartPole-v1, 1 environment",
    "dqn": "DQN, CartPole-v1",
    "sac": "SAC, HalfCheetah-v5",
    "td3": "TD3, HalfCheetah-v5",
    "tqc": "TQC, HalfCheetah-v5",
    "sac_pendulum": "SAC, Pendulum-v1",
    "rollout": "rollouts, CartPole-v1, 1 environment",
    "rollout8": "rollouts, CartPole-v1, 8 environments",
    "rollout64": "rollouts, CartPole-v1, 64 environments",
    "rollout2048": "rollouts, CartPole-v1, 2,048 environments",
    "rollout4096": "rollouts, CartPole-v1, 4,096 environments",
}
ROLLOUTS = tuple(work for work in TITLES if work.startswith("rollout"))
TRAINING = tuple(work for work in TITLES if work not in ROLLOUTS)


def render(results: dict[str, Any]) -> str:
    """Return the page."""
    text = (HERE / "benchmarks.md.in").read_text()
    facts = results["about"]
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    return text.format(
        training=_rate_table(results["timed"], TRAINING),
        ratios=ratio_table(results["timed"]),
        rollouts=_rate_table(results["timed"], ROLLOUTS),
        returns=_return_table(results["learned"]),
        start_up=_start_up_table(results["start_up"]),
        start_up_commit=_commits(results["start_up"]),
        snapshots=results.get("snapshots", {}).get("printed", "Not measured."),
        snapshot_commit=results.get("snapshots", {}).get("commit", "none"),
        versions=f"Python {facts['python']}, {versions}",
        **{key: facts[key] for key in ("date", "machine", "load")},
    )


def _rate_table(timed: list[dict[str, Any]], works: tuple[str, ...]) -> str:
    lines = [
        "| work | library | env steps per CPU second | spread | times the fastest peer | commit"
        " | MB at most |",
        "|---|---|---:|---:|---:|---|---:|",
    ]
    for work in works:
        runs = [one for one in timed if one["work"] == work]
        names = list(dict.fromkeys(one["name"] for one in runs))
        for name in names:
            rates = [one["steps_per_cpu_second"] for one in runs if one["name"] == name]
            is_ours = name.startswith("garage_like")
            ratio = f"**{_ratio(runs, name):.1f}**" if is_ours and len(names) > 1 else ""
            title = f"{TITLES[work]}, {runs[0]['steps']:,} steps" if name == names[0] else ""
            spread = f"{min(rates):,.0f} – {max(rates):,.0f}"
            cells = (title, name, f"{statistics.median(rates):,.0f}", spread, ratio)
            peaks = [one["peak_mb"] for one in runs if one["name"] == name and "peak_mb" in one]
            peak = f"{statistics.median(peaks):,.0f}" if peaks else ""
            lines.append(_row(*cells, _commits(runs) if title else "", peak))
    return "\n".join(lines)


def ratio_table(timed: list[dict[str, Any]]) -> str:
    """Return our rate as a multiple of each peer's."""
    works = [work for work in (*TRAINING, *ROLLOUTS) if any(o["work"] == work for o in timed)]
    found = dict.fromkeys(one["name"] for one in timed)
    peers = [name for name in found if not name.startswith("garage_like")]
    lines = [_row("work", *peers), f"|---|{'---:|' * len(peers)}"]
    for work in works:
        runs = [one for one in timed if one["work"] == work]
        ratios = [_ratio(runs, "garage_like", [peer]) for peer in peers]
        cells = ["" if r != r else f"{r:.2f}" for r in ratios]
        lines.append(_row(f"`{work}`: {TITLES[work]}", *cells))
    return "\n".join(lines)


def _ratio(runs: list[dict[str, Any]], name: str, peers: list[str] | None = None) -> float:
    """Return the median over rounds of a rate to the fastest peer's of that round."""
    ratios = []
    for number in sorted({one["round"] for one in runs}):
        rates = {one["name"]: one["steps_per_cpu_second"] for one in runs if one["round"] == number}
        others = rates.keys() if peers is None else rates.keys() & peers
        best = [rates[other] for other in others if not other.startswith("garage_like")]
        if best and name in rates:
            ratios.append(rates[name] / max(best))
    return statistics.median(ratios) if ratios else float("nan")


def _return_table(learned: list[dict[str, Any]]) -> str:
    lines = [
        "| work | env steps | library | return, by seed | env steps per CPU second | commit |",
        "|---|---:|---|---:|---:|---|",
    ]
    for work in dict.fromkeys(one["work"] for one in learned):
        runs = [one for one in learned if one["work"] == work]
        for number, name in enumerate(dict.fromkeys(one["name"] for one in runs)):
            mine = sorted((o for o in runs if o["name"] == name), key=lambda one: one["seed"])
            returns = ", ".join(f"{one['return']:g}" for one in mine)
            rate = statistics.median(one["steps_per_cpu_second"] for one in mine)
            title, steps = ("", "") if number else (TITLES[work], f"{mine[0]['steps']:,}")
            lines.append(_row(title, steps, name, returns, f"{rate:,.0f}", _commits(mine)))
    return "\n".join(lines)


def _start_up_table(found: list[dict[str, Any]]) -> str:
    lines = ["| process | CPU seconds | more than Python alone |", "|---|---:|---:|"]
    seconds: dict[str, float] = {}
    for name in dict.fromkeys(one["name"] for one in found):
        seconds[name] = statistics.median(o["cpu_seconds"] for o in found if o["name"] == name)
    for name, value in seconds.items():
        lines.append(_row(f"`{name}`", f"{value:.2f}", f"{value - seconds['python']:.2f}"))
    return "\n".join(lines)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _commits(runs: list[dict[str, Any]]) -> str:
    """Return at which commits runs were measured, in the order of the runs."""
    return ", ".join(dict.fromkeys(one["commit"] for one in runs))
