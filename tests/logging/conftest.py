from collections.abc import Iterator

import pytest

from garage_like.logging import logger, tabular
from garage_like.logging.logger_state import LoggerState, begin_anew


@pytest.fixture(autouse=True)
def _fresh_logger() -> Iterator[None]:
    before = LoggerState()
    begin_anew(keep_outputs=False)
    yield
    before.restore()


@pytest.fixture
def log_row():
    """Log one row as a Trainer does at the end of an epoch."""

    def log(steps=None, **values):
        if steps is not None:
            tabular.record("TotalEnvSteps", steps)
        for key, value in values.items():
            tabular.record(key, value)
        logger.log(tabular)
        logger.dump_all()
        tabular.clear()

    return log


@pytest.fixture
def read_scalars():
    """Read a directory as TensorBoard does: `{tag: [(step, value), ...]}`."""
    event_accumulator = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator"
    )

    def read(directory):
        accumulator = event_accumulator.EventAccumulator(str(directory), {"scalars": 0})
        accumulator.Reload()
        return {
            tag: [(event.step, event.value) for event in accumulator.Scalars(tag)]
            for tag in accumulator.Tags()["scalars"]
        }

    return read


@pytest.fixture
def read_summaries():
    """Read one event file: `[(step, {tag: Summary.Value}), ...]`, without its first record."""
    loader = pytest.importorskip("tensorboard.backend.event_processing.event_file_loader")

    def read(path):
        events = list(loader.LegacyEventFileLoader(str(path)).Load())
        assert events[0].file_version == "brain.Event:2"
        return [(e.step, {value.tag: value for value in e.summary.value}) for e in events[1:]]

    return read
