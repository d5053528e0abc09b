"""BestRule: by which number of the log, and which way, the snapshots of a run are judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

Mode = Literal["max", "min"]
MODES: tuple[Mode, ...] = get_args(Mode)


@dataclass(frozen=True)
class BestRule:
    """Say which of two snapshots is the better one.

    Attributes:
        metric: a key of the log's table.
        mode: `'max'` or `'min'`.
    """

    metric: str = "Evaluation/AverageReturn"
    mode: Mode = "max"

    @classmethod
    def recorded_in(
        cls, record: Any, metric: str = "metric", mode: str = "mode"
    ) -> BestRule | None:
        """Read a rule from a file of any origin; None if there is none in it.

        Args:
            record: what may be a mapping that holds the rule.
            metric: the key of the metric.
            mode: the key of the mode; `'max'` if there is no such key.
        """
        if not isinstance(record, Mapping):
            return None
        found, way = record.get(metric), record.get(mode, "max")
        return cls(found, way) if isinstance(found, str) and found and way in MODES else None

    def rank(self, value: float | None) -> float | None:
        """Return a number that is greater the better a value is; None for none, and for NaN."""
        if value is None or value != value:
            return None
        return value if self.mode == "max" else -value
