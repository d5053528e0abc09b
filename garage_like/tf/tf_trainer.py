"""TFTrainer: a Trainer with a default TensorFlow session as a Python context.

    with TFTrainer(ctxt) as trainer:
        trainer.setup(algo, env)
        trainer.train(n_epochs, batch_size)

Inside the block `tf.compat.v1.get_default_session()` is the trainer's, while eager execution,
`tf.function` and Keras go on as always. What is built on placeholders is built, and run, under
`trainer.graph_mode()`; its variables have their values in the session, and snapshots hold them.

Importing this module does not load TensorFlow; making a TFTrainer does.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from garage_like.snapshot.config import SnapshotConfig
from garage_like.snapshot.kinds import tf_sessions
from garage_like.trainer.state import TrainArgs
from garage_like.trainer.trainer import Trainer

if TYPE_CHECKING:
    import tensorflow as tf

    from garage_like.callbacks.callback import AnyCallback
    from garage_like.interfaces import Environment, RLAlgorithm

_EAGER_IS_OFF = (
    "{what}: TensorFlow's eager execution is off here, as it is inside `with sess:`, inside a"
    " graph's `as_default()` and after tf.compat.v1.disable_eager_execution(), but the trainer's"
    " algorithms need it; leave that block, and hand the session over instead:"
    " `with TFTrainer(ctxt, sess=sess) as trainer:`, or use `with sess.as_default():`"
)


class TFTrainer(Trainer):
    """Train an algorithm within a TensorFlow session, and keep snapshots as Trainer does.

    Args:
        snapshot_config: as for Trainer.
        sess: becomes the default session inside the block; None for one on a graph of its own.

    Raises:
        TypeError: if `sess` is no tf.compat.v1.Session.
        RuntimeError: if TensorFlow's eager execution is off, as inside `with sess:`.
    """

    def __init__(
        self,
        snapshot_config: SnapshotConfig | None = None,
        sess: tf.compat.v1.Session | None = None,
    ) -> None:
        from garage_like.tf.quiet_import import tf

        super().__init__(snapshot_config)
        if sess is not None and not isinstance(sess, tf.compat.v1.Session):
            raise TypeError(
                "TFTrainer: sess must be a tf.compat.v1.Session, or None for one of the trainer's"
                f" own, got {sess!r}"
            )
        _refuse_without_eager("TFTrainer")
        self._sess = sess or _make_session()
        self._entered: list[Any] = []

    @property
    def sess(self) -> tf.compat.v1.Session:
        """The default session inside the block."""
        return self._sess

    # ---- the block ------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        """Make the session the default one; a block may lie inside another of the same trainer."""
        _refuse_without_eager("with TFTrainer")
        # Not `with sess:`, which makes its graph the default one as well: that ends eager mode.
        block = self._sess.as_default()
        block.__enter__()
        self._entered.append(block)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Bring the default session back that there was before."""
        self._entered.pop().__exit__(kind, error, traceback)

    @contextlib.contextmanager
    def graph_mode(self) -> Iterator[tf.compat.v1.Session]:
        """Build operations into the session's graph, as TensorFlow 1 does; yield the session.

        with trainer.graph_mode() as sess:
            observations = tf.compat.v1.placeholder(tf.float32, (None, 4))
        """
        with self._sess.graph.as_default(), self._sess.as_default():
            yield self._sess

    # ---- what to train --------------------------------------------------------------------------

    def setup(
        self, algo: RLAlgorithm, env: Environment, callbacks: Iterable[AnyCallback] = ()
    ) -> None:
        """Say what to train; give graph-mode variables that have no values their initial ones.

        Args:
            algo: as for Trainer.
            env: as for Trainer.
            callbacks: as for Trainer.
        """
        super().setup(algo, env, callbacks)
        self.initialize_tf_vars()

    def initialize_tf_vars(self) -> None:
        """Initialise those variables of the session's graph that have no values yet.

        Adds nothing to the graph, which must look the same when a snapshot is restored into it.
        """
        variables = tf_sessions.variables_of(self._sess.graph)
        if variables:
            has_value = tf_sessions.get_session_variables(self._sess)
            self._sess.run([v.initializer for n, v in variables.items() if n not in has_value])

    # ---- restore, train and resume: in the session, also outside of a block ---------------------

    def restore(self, *args: Any, **kwargs: Any) -> TrainArgs:
        """Load a snapshot, graph-mode variables included; as in Trainer."""
        with self:
            return super().restore(*args, **kwargs)

    def _run(self) -> Any:
        with self:
            return super()._run()

    def save(self, epoch: int) -> None:
        """Take a snapshot of the run as it stands, if the mode wants one; as in Trainer."""
        with self:
            super().save(epoch)

    def _graph(self) -> dict[str, Any]:
        graph = super()._graph()
        if tf_sessions.variables_of(self._sess.graph):
            graph["tf_session"] = self._sess
        return graph


def _make_session() -> tf.compat.v1.Session:
    """Make a session on a graph of its own, on as many threads as eager execution has."""
    from garage_like.tf.quiet_import import tf

    threading = tf.config.threading
    config = tf.compat.v1.ConfigProto(
        intra_op_parallelism_threads=threading.get_intra_op_parallelism_threads(),
        inter_op_parallelism_threads=threading.get_inter_op_parallelism_threads(),
    )
    return tf.compat.v1.Session(graph=tf.Graph(), config=config)


def _refuse_without_eager(what: str) -> None:
    from garage_like.tf.quiet_import import tf

    if not tf.executing_eagerly():
        raise RuntimeError(_EAGER_IS_OFF.format(what=what))
