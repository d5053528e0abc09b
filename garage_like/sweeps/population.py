"""Population: runs that train side by side, the worst of which go on from the best.

Population-based training in rounds, as Jaderberg et al. (2017): when all members have come as far,
each of the worst quarter becomes a copy of one of the best quarter's snapshots (exploit), with
settings near that one's (explore). What is decided is a function of the seed, the round, the member
and the members' results.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from garage_like import seeding
from garage_like.runs.branching import branch_run
from garage_like.sweeps.carriers import Carrier, local
from garage_like.sweeps.settings import Setting, drawn
from garage_like.sweeps.trials import SEED, Leg, Trials


class Population(Trials):
    """Train a population of runs of a script; killed and started again, it goes on.

    The script is as for `Sweep`. A member that is replaced begins a run of its own, a branch of its
    parent's; `garage-like tree` shows the family, and manifests which settings changed at which
    epoch.

    Args:
        directory: of the sweep.
        script: path of the script.
        settings: what varies, within which bounds.
        n_members: how many.
        interval: epochs of a round.
        seeds: whether members differ in their parameter `seed`, too: 1, 2, ….
        seed: what draws derive from.
        arguments: of the script.
        metric: column of the log that members are judged by.
        mode: `'max'` or `'min'`.
        carrier: where members are trained.

    Raises:
        ValueError: if the directory holds another sweep, or a number is out of range.
        FileNotFoundError: if there is no such script.
    """

    options: Mapping[str, Any] = {"config_policy": "update"}

    def __init__(
        self,
        directory: Path,
        script: Path,
        settings: Sequence[Setting],
        n_members: int,
        *,
        interval: int = 10,
        seeds: bool = False,
        seed: int = 1,
        arguments: Sequence[str] = (),
        metric: str = "Evaluation/AverageReturn",
        mode: str = "max",
        carrier: Carrier = local,
    ) -> None:
        if n_members < 2 or interval < 1:
            raise ValueError(
                "Population: n_members must be at least 2 and interval at least 1, got"
                f" {n_members!r} and {interval!r}"
            )
        self._settings, self._seed, self._interval = settings, seed, interval
        each_seed: list[dict[str, Any]] = [{SEED: k + 1} if seeds else {} for k in range(n_members)]
        self._members = [
            (f"{k:04d}", {**drawn(settings, seed, k), **each_seed[k]}) for k in range(n_members)
        ]
        ranges = [[setting.name, *setting.ends()] for setting in settings]
        plan = {
            "population": [parameters for _, parameters in self._members],
            "explored": [ranges, interval, seed, metric, mode],
        }
        self._round = 0
        super().__init__(directory, script, arguments, plan, metric, mode, carrier)

    def _recall(self) -> None:
        while self._name_of_round() in self._journal.decisions:
            self._take(self._journal.decisions[self._name_of_round()])

    def members(self) -> list[tuple[str, dict[str, Any]]]:
        """Return the names of the runs that the members are now, and the parameters of each."""
        return self._members

    def _name_of_round(self) -> str:
        return f"after {(self._round + 1) * self._interval} epochs"

    def _ready(self) -> list[Leg]:
        self._branch()
        while True:
            until = (self._round + 1) * self._interval
            names = [name for name, _ in self._members]
            if all(map(self._has_ended, names)):
                return []
            legs = [
                Leg(name, until)
                for name in names
                if not self._has_ended(name) and not self._waits_after(name, until)
            ]
            if legs:
                return legs
            self._take(self._journal.decided(self._name_of_round(), self._decide))
            self._branch()

    def _take(self, decision: Mapping[str, Any]) -> None:
        self._members = [(one["run"], one["parameters"]) for one in decision["members"]]
        self._round += 1

    def _decide(self) -> dict[str, Any]:
        """Say which member goes on from which run, and how."""
        found: list[dict[str, Any]] = [
            {"run": name, "parameters": parameters} for name, parameters in self._members
        ]
        outcomes = self.outcomes()
        scores = {k: self._score(name) for k, (name, _) in enumerate(self._members)}
        ranked = sorted(
            (k for k in scores if outcomes[k].status != 0),  # those that failed come last
            key=lambda k: (-float("inf") if (score := scores[k]) is None else score, -k),
        )
        quarter = max(1, len(ranked) // 4)
        for k in ranked[:quarter]:
            rng = seeding.stream("population", self._round, k, entropy=self._seed)
            parent = ranked[-1 - int(rng.integers(quarter))]
            best, own = scores[parent], scores[k]
            if outcomes[parent].status is not None or best is None or parent == k:
                continue
            if own is not None and own >= best:
                continue
            name, given = self._members[parent]
            near = {s.name: s.explore(given[s.name], rng) for s in self._settings}
            child = f"{k:04d}-{self._round + 1:02d}"
            found[k] = {"run": child, "parameters": {**given, **near}, "parent": name}
        return {"scores": [scores[k] for k in sorted(scores)], "members": found}

    def _branch(self) -> None:
        """Make the runs that the last round has decided on; none has been trained on since."""
        if not self._round:
            return
        number = self._round * self._interval
        decision = self._journal.decisions[f"after {number} epochs"]
        for one in decision["members"]:
            target = self._run_dir(one["run"])
            if "parent" not in one or target.exists():
                continue
            unfinished = target.with_name(f".{target.name}.new")
            shutil.rmtree(unfinished, ignore_errors=True)
            branch_run(self._run_dir(one["parent"]), number - 1, unfinished)
            os.rename(unfinished, target)
