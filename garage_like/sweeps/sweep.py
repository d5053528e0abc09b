"""Sweep: the trials of a script, each with settings of its own, none run twice."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from garage_like.sweeps.carriers import Carrier, local
from garage_like.sweeps.rungs import Rungs
from garage_like.sweeps.settings import Setting, drawn, grid
from garage_like.sweeps.suggestions import check_installed, suggested
from garage_like.sweeps.trials import SEED, Leg, Trials

SEARCHES = ("grid", "random", "optuna")


class Sweep(Trials):
    """Run a script once for each trial; killed and started again, it goes on.

    The script must call one experiment, a function decorated with `wrap_experiment`, which takes
    the parameters that vary. Each trial is a run of its own with `auto_resume=True`: trials that
    have ended stay, others go on where they were. What is decided follows from the seed and the
    results, never from what came first.

    Args:
        directory: of the sweep.
        script: path of the script.
        settings: what varies.
        seeds: so many runs of each, with `seed=1, 2, …`; 0 leaves the parameter `seed` alone.
        trials: choose so many; None for every combination.
        search: `'grid'`, `'random'`, or `'optuna'`, which learns from earlier trials; None: random
            if `trials` is given.
        round_size: trials that `'optuna'` suggests at a time, from the results of those before.
        rungs: where trials that do badly are given up; None: nowhere.
        seed: what draws derive from.
        arguments: of the script.
        metric: column of the log that trials are judged by.
        mode: `'max'` or `'min'`.
        carrier: where trials run, one of `garage_like.sweeps.CARRIERS`.

    Raises:
        ValueError: if the directory holds another sweep, or the settings contradict each other.
        FileNotFoundError: if there is no such script.
        ModuleNotFoundError: if the search's library is missing.
    """

    def __init__(
        self,
        directory: Path,
        script: Path,
        settings: Sequence[Setting],
        *,
        seeds: int = 0,
        trials: int | None = None,
        search: str | None = None,
        round_size: int = 8,
        rungs: Rungs | None = None,
        seed: int = 1,
        arguments: Sequence[str] = (),
        metric: str = "Evaluation/AverageReturn",
        mode: str = "max",
        carrier: Carrier = local,
    ) -> None:
        names = [setting.name for setting in settings] + [SEED] * bool(seeds)
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)}: set twice; give each parameter once")
        search = search or ("grid" if trials is None else "random")
        if search not in SEARCHES or (search == "grid") != (trials is None):
            raise ValueError(
                f"search must be one of {', '.join(SEARCHES)}, and trials be given unless it is"
                f" 'grid'; got search={search!r}, trials={trials!r}"
            )
        self._settings, self._seed, self._rungs = settings, seed, rungs
        self._each_seed: list[dict[str, Any]] = [{SEED: k + 1} for k in range(seeds)] or [{}]
        self._round_size = round_size
        self._chosen: list[dict[str, Any]] = []
        self._n_trials = trials or 0
        plan: dict[str, Any] = {}
        if search == "grid":
            self._chosen = list(grid(settings))
        elif search == "random":
            self._chosen = [drawn(settings, seed, number) for number in range(self._n_trials)]
        else:
            check_installed()
            ranges = [[setting.name, *setting.ends()] for setting in settings]
            plan["suggested"] = [ranges, self._n_trials, round_size, seeds, seed, metric, mode]
        if rungs is not None:
            plan["rungs"] = [rungs.first, rungs.factor, metric, mode]
        plan["trials"] = [parameters for _, parameters in self.members()]
        super().__init__(directory, script, arguments, plan, metric, mode, carrier)

    def _recall(self) -> None:
        while self._is_decided():
            self._suggest()

    def members(self) -> list[tuple[str, dict[str, Any]]]:
        all_of = itertools.product(self._chosen, self._each_seed)
        return [(f"{k:04d}", {**one, **other}) for k, (one, other) in enumerate(all_of)]

    def _ready(self) -> list[Leg]:
        while True:
            names = [name for name, _ in self.members()]
            left = {} if self._rungs is None else self._give_up(self._rungs, names)
            if len(self._chosen) >= self._n_trials or not all(map(self._has_ended, names)):
                break
            self._suggest()
        return [
            Leg(name, left.get(name))
            for name in names
            if not self._has_ended(name) and not self._waits_after(name, left.get(name))
        ]

    def _give_up(self, rungs: Rungs, names: Sequence[str]) -> dict[str, int]:
        """End trials that do badly; return where each of the others is judged next."""
        left = rungs.decide(names, self._journal, self._has_ended, self._waits_after, self._score)
        for name in names:
            if name not in left and not self._has_ended(name):
                self._end(name, status=0, pruned=True)
        return left

    def _round_name(self) -> str:
        return f"trials from {len(self._chosen)} on"

    def _is_decided(self) -> bool:
        is_open = len(self._chosen) < self._n_trials
        return is_open and self._round_name() in self._journal.decisions

    def _suggest(self) -> None:
        """Choose the next round of trials by the results of all before."""
        number = min(self._round_size, self._n_trials - len(self._chosen))

        def choose() -> list[dict[str, Any]]:
            names, per = [name for name, _ in self.members()], len(self._each_seed)
            results = []
            for k, chosen in enumerate(self._chosen):
                scores = [self._score(name) for name in names[k * per : (k + 1) * per]]
                known = [score for score in scores if score is not None]
                results.append((chosen, sum(known) / len(known) if known else None))
            return suggested(self._settings, results, number, self._seed)

        self._chosen += self._journal.decided(self._round_name(), choose)
