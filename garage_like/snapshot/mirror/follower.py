"""Follower: a thread that sends each new snapshot on, and catches up when the network is back."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from garage_like.logging.notices import warn
from garage_like.snapshot.disk import layout
from garage_like.snapshot.mirror.heads import FencedError
from garage_like.snapshot.mirror.lease import Lease
from garage_like.snapshot.mirror.place import Place, what_failed
from garage_like.snapshot.mirror.sending import Sender

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
"""Seconds between two tries while a place cannot be reached: twice as many after each."""

LAST_CHANCE = 30.0
"""Seconds that the end of a run waits for the newest snapshot to arrive."""


class Follower:
    """Send a run's newest snapshot whenever there is a newer one; never in training's way.

    One snapshot is on its way at a time; those that were replaced meanwhile are passed over.

    Args:
        url: where to.
        run_dir: the run directory.
    """

    def __init__(self, url: str, run_dir: Path) -> None:
        self._url, self._run_dir = url, run_dir
        self._state = threading.Condition()
        self._has_news = False
        self._is_ending = False
        self._ends_at = float("inf")
        self._is_fenced = False
        self._was_told = False
        self._sender: Sender | None = None
        self._lease: Lease | None = None
        self._thread: threading.Thread | None = None

    def begin(self, *, has_news: bool = False) -> None:
        """Become the place's writer, in a thread; others are kept out from then on.

        Args:
            has_news: whether there is a newer snapshot.
        """
        with self._state:
            self._has_news = self._has_news or has_news
            if self._thread is None and not self._is_fenced:
                self._thread = threading.Thread(target=self._follow, name="mirror", daemon=True)
                self._thread.start()
            self._state.notify_all()

    def wake(self) -> None:
        """Say that there is a newer snapshot."""
        self.begin(has_news=True)

    def finish(self) -> None:
        """Wait a while for the newest to arrive; say so if it does not."""
        thread = self._thread
        if thread is None:
            return
        with self._state:
            self._is_ending, self._ends_at = True, time.monotonic() + LAST_CHANCE / 2
            self._state.notify_all()
        thread.join(LAST_CHANCE)
        if not self._is_fenced and (thread.is_alive() or self._has_news):
            warn(
                f"{self._url} does not hold the newest snapshot yet; when it can be reached,"
                f" `garage-like push {self._run_dir} {self._url}` makes it up"
            )
        self._thread, self._is_ending = None, False

    def _follow(self) -> None:
        pause = FIRST_PAUSE
        while True:
            with self._state:
                while self._sender is not None and not self._has_news and not self._is_ending:
                    self._state.wait()
                if self._is_ending and not self._has_news:
                    break
                has_news, self._has_news = self._has_news, False
            try:
                sender = self._take_place()
                if has_news:
                    push_newest(sender, self._run_dir)
                pause = FIRST_PAUSE
            except (FencedError, ValueError) as error:
                self._is_fenced = True
                warn(f"nothing more goes to {self._url}, training goes on: {error}")
                break
            except FileNotFoundError:
                self._has_news = True  # pruned before it was held: there is a newer one
            except Exception as error:
                self._has_news = self._has_news or has_news
                if not self._was_told:
                    self._was_told = True
                    warn(
                        f"{self._url} cannot be reached, training goes on and it is tried again:"
                        f" {what_failed(error)}"
                    )
                with self._state:
                    if time.monotonic() > self._ends_at:
                        break
                    self._state.wait(min(pause, FIRST_PAUSE) if self._is_ending else pause)
                pause = min(2.0 * pause, LONGEST_PAUSE)
        if self._lease is not None:
            self._lease.give_back()
            self._lease = None
        if self._sender is not None:
            self._sender.close()
            self._sender = None

    def _take_place(self) -> Sender:
        if self._sender is None:
            place = Place(self._url)
            sender = Sender(place, self._run_dir)
            sender.take_over()
            self._sender, self._lease = sender, Lease(place, sender.token)
        return self._sender


def push_newest(sender: Sender, run_dir: Path) -> str | None:
    """Send a run's newest snapshot; those that it keeps stay there as well. Return its name."""
    names = [layout.epoch_name(e) for e in layout.epochs_in(run_dir / layout.SNAPSHOTS)]
    if not names or names[-1] in sender.names[-1:]:
        return None
    sender.send(names[-1], keep={*names, *sender.names[-1:]})
    return names[-1]
