"""The page of benchmarks says what was measured."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture
def page() -> ModuleType:
    spec = importlib.util.spec_from_file_location("page", ROOT / "benchmarks" / "page.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(work: str, name: str, rate: float, **others: Any) -> dict[str, Any]:
    found = {"work": work, "name": name, "steps_per_cpu_second": rate, "steps": 2048}
    return {**found, "commit": "abc", "round": 0, "seed": 1, **others}


def results(**measured: Any) -> dict[str, Any]:
    facts = dict.fromkeys(("date", "machine", "load", "python"), "?")
    start_up = [{"name": "python", "cpu_seconds": 0.01, "commit": "abc"}]
    about = {"about": {**facts, "versions": {"torch": "2"}}}
    return {"timed": [], "learned": [], "start_up": start_up, **about, **measured}


def row(text: str, start: str) -> list[str]:
    found = [line for line in text.splitlines() if line.startswith(start)]
    assert len(found) == 1
    return [cell.strip() for cell in found[0].strip("|").split("|")]


def test_ratio_is_to_the_fastest_peer_of_the_same_round(page: ModuleType) -> None:
    timed = []
    for number, (ours, slow, fast) in enumerate(((40, 10, 20), (600, 200, 100), (18, 1, 2))):
        rates = {"garage_like": ours, "skrl": slow, "SB3": fast}
        timed += [run("ppo", name, rate, round=number) for name, rate in rates.items()]
    cells = row(page.render(results(timed=timed)), "| PPO, CartPole-v1, 1 environment")
    assert cells[1:5] == ["garage_like", "40", "18 – 600", "**3.0**"]


def test_own_variants_are_no_peers(page: ModuleType) -> None:
    timed = [
        run("trpo", "garage_like", 10),
        run("trpo", "garage_like, autograd", 99),
        run("trpo", "sb3-contrib", 5),
    ]
    assert row(page.render(results(timed=timed)), "| TRPO")[4] == "**2.0**"


def test_commits_of_rows_are_named(page: ModuleType) -> None:
    timed = [run("ppo", "garage_like", 10), run("ppo", "garage_like", 9, round=1, commit="def")]
    assert row(page.render(results(timed=timed)), "| PPO")[5] == "abc, def"


def test_returns_stand_in_the_order_of_seeds(page: ModuleType) -> None:
    learned = [
        run("dqn", "SB3", 1.0, seed=seed, **{"return": value})
        for seed, value in ((2, 20.0), (3, 30.0), (1, 10.0))
    ]
    assert row(page.render(results(learned=learned)), "| DQN")[3] == "10, 20, 30"


def test_work_that_was_not_measured_has_no_row(page: ModuleType) -> None:
    assert "| PPO" not in page.render(results())


def test_ratios_to_each_peer_are_medians_over_rounds(page: ModuleType) -> None:
    timed = []
    for number, (ours, slow, fast) in enumerate(((40, 10, 20), (600, 200, 100), (18, 1, 2))):
        rates = {"garage_like": ours, "skrl": slow, "SB3": fast}
        timed += [run("ppo", name, rate, round=number) for name, rate in rates.items()]
    timed += [run("dqn", name, rate) for name, rate in (("garage_like", 3), ("SB3", 2))]
    text = page.ratio_table(timed)
    assert row(text, "| work")[1:] == ["skrl", "SB3"]
    assert row(text, "| `ppo`")[1:] == ["4.00", "6.00"]
    assert row(text, "| `dqn`")[1:] == ["", "1.50"]
