"""The TensorBoard writer of the run: all of tensorboardX's `add_...`, into the run's event file.

`writer` is one object for the whole process, as `logger` and `tabular` are: what is added goes to
the innermost run that is logged. It may be kept on an algorithm: a pickle holds its name alone.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from garage_like.errors import NotSetupError
from garage_like.logging.light_imports import load_tensorboardx
from garage_like.logging.run_logs import RunLogs, active_run_logs

_tensorboardx: Any = load_tensorboardx()


class _RunFile:
    """What tensorboardX's SummaryWriter takes for its file: whatever run is logged now.

    Attributes:
        tag: what is being added is called by the user; tensorboardX puts `_` for spaces.
    """

    tag: str | None = None

    def get_logdir(self) -> str:
        return str(self._logs().directory)

    def add_event(self, event: Any, step: int | None = None, walltime: float | None = None) -> None:
        if step is not None:
            event.step = int(step)
        if walltime is not None:
            event.wall_time = walltime
        self._logs().add_event(event)

    def add_summary(
        self, summary: Any, global_step: int | None = None, walltime: float | None = None
    ) -> None:
        if self.tag is not None:
            cleaned = _tensorboardx.summary._clean_tag(self.tag)
            for value in summary.value:
                if value.tag.startswith(cleaned):
                    value.tag = self.tag + value.tag.removeprefix(cleaned)
        event = _tensorboardx.proto.event_pb2.Event(summary=summary)
        self.add_event(event, global_step, walltime)

    def add_graph(self, graph_profile: Any, walltime: float | None = None) -> None:
        """Add a graph, as `torch.utils.tensorboard` draws it."""
        graph = graph_profile[0].SerializeToString()
        self.add_event(_tensorboardx.proto.event_pb2.Event(graph_def=graph), None, walltime)

    def flush(self) -> None:
        """Do nothing: every event was flushed."""

    def close(self) -> None:
        """Do nothing: the run closes its file."""

    @staticmethod
    def _logs() -> RunLogs:
        logs = active_run_logs()
        if logs is None:
            raise NotSetupError(
                "writer: no run is being logged; use it within a function decorated with"
                " wrap_experiment"
            )
        return logs


class RunSummaryWriter(_tensorboardx.SummaryWriter):
    """tensorboardX's SummaryWriter, writing into the event file of the run that is logged now.

    What is added after a snapshot is cut off again when the run goes on from it, as rows are.

    Raises:
        NotSetupError: if something is added while no run is being logged.
    """

    def __init__(self) -> None:
        self._file = _RunFile()
        super().__init__(logdir=".", write_to_disk=False)
        self._get_file_writer()

    def _get_file_writer(self) -> Any:
        self.file_writer = self._file
        self.all_writers = {".": self._file}
        return self._file

    def add_hparams(self, *args: Any, **kwargs: Any) -> None:
        """Refuse: the parameters of the experiment are in TensorBoard already."""
        raise NotImplementedError(
            "add_hparams: the parameters of the experiment are hyper-parameters in TensorBoard"
            " already; make this one a parameter of the decorated function"
        )

    def __reduce__(self) -> str:
        """Be pickled by name."""
        return "writer"


def _keeping_its_tag(method: Callable[..., Any]) -> Callable[..., Any]:
    """Return one of the methods `add_…(tag, …)`, so that tags stay what a table's columns are."""

    @functools.wraps(method)
    def add(self: RunSummaryWriter, tag: str, *args: Any, **kwargs: Any) -> Any:
        self._file.tag = tag
        try:
            return method(self, tag, *args, **kwargs)
        finally:
            self._file.tag = None

    return add


for _name, _method in list(vars(_tensorboardx.SummaryWriter).items()):
    if _name.startswith("add_") and "tag" in inspect.signature(_method).parameters:
        setattr(RunSummaryWriter, _name, _keeping_its_tag(_method))

writer = RunSummaryWriter()
