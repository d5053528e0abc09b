"""Jobs of submitit that go on until the run is through."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from submitit.helpers import DelayedSubmission

from garage_like.snapshot.imposed import imposing


class Resumed:
    """Call an experiment; called again, go on with its run.

    Hand it to an executor: `executor.submit(Resumed(ppo), seed=3)`. When submitit signals that
    the time is nearly up, or the machine wanted by others, the run finishes its epoch and saves
    before submitit queues the job again.

    Args:
        function: a function decorated with `wrap_experiment`.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __call__(self, *args: Any, **parameters: Any) -> Any:
        """Run it, or what is left of it."""
        with imposing({"auto_resume": True}):
            return self.function(*args, **parameters)

    def checkpoint(self, *args: Any, **parameters: Any) -> DelayedSubmission:
        """Return what is to be queued again: the same call."""
        return DelayedSubmission(self, *args, **parameters)
