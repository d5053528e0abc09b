"""SaveCallback: a snapshot that stays, on a condition."""

from __future__ import annotations

from collections.abc import Callable

from garage_like.callbacks.callback import Callback, EndedEpoch


class SaveCallback(Callback):
    """Take a snapshot where a condition holds, whatever the schedule says.

    Args:
        condition: is given the epoch that has just ended; what it answers decides.
        pin: keep the snapshot for ever; else it is pruned when its time comes.
    """

    def __init__(self, condition: Callable[[EndedEpoch], bool], *, pin: bool = True) -> None:
        if not callable(condition):
            raise TypeError(
                f"SaveCallback: condition must be a function of the ended epoch, got {condition!r}"
            )
        self.condition = condition
        self.pin = pin

    def on_epoch_end(self, ended: EndedEpoch) -> None:
        """Save, if the condition holds."""
        if self.condition(ended):
            ended.save(pin=self.pin)
