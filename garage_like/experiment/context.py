"""ExperimentContext: what an experiment is told about its run."""

from garage_like.configuration.shown_options import show_fields
from garage_like.snapshot.config import SnapshotConfig


@show_fields
class ExperimentContext(SnapshotConfig):
    """Tell the Trainer where and when to save: `Trainer(ctxt)`.

    `snapshot_dir` is the run directory, as a string: an experiment may write files of its own
    there. All else are the options that `wrap_experiment` was given.
    """
