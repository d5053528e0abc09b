"""Graphs and sessions of TensorFlow 1: what is built on placeholders goes into a snapshot too.

Operations, tensors and variables of such a graph are pickled by name; the graph itself as its
definition and the values of its variables. A restore takes the graph of the default session: if
the same names are in there, the program has built it already and only values are set; if not, the
graph is built from its definition.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from typing import Any

import numpy as np

from garage_like.errors import SnapshotMismatchError
from garage_like.snapshot.kinds.tf_random import HIDDEN_COUNTERS

_definitions: weakref.WeakKeyDictionary[Any, tuple[int, bytes]] = weakref.WeakKeyDictionary()
"""Definition of each graph, with the version that it was made from."""


def get_session_variables(session: Any) -> dict[str, np.ndarray]:
    """Return the values of all variables of a session that have one, by name.

    Args:
        session: a tf.compat.v1.Session.
    """
    import tensorflow as tf

    variables = variables_of(session.graph)
    try:
        values: list[Any] = session.run(list(variables.values()))
        return {name: np.asarray(v) for name, v in zip(variables, values, strict=True)}
    except tf.errors.FailedPreconditionError:  # some have not been initialized: ask one by one
        found = {}
        for name, variable in variables.items():
            try:
                found[name] = np.asarray(session.run(variable))
            except tf.errors.FailedPreconditionError:
                continue
        return found


def get_default_values(graph: Any) -> dict[str, np.ndarray]:
    """Return the values of a graph's variables, if its session is the default one; else nothing."""
    session = _default_session()
    return get_session_variables(session) if session is not None and session.graph is graph else {}


def set_session_variables(session: Any, values: Mapping[str, np.ndarray]) -> None:
    """Give variables of a session the values that `get_session_variables` returned.

    Adds nothing to the graph.

    Raises:
        SnapshotMismatchError: if the graph has no such variable, or one of another shape.
    """
    variables = variables_of(session.graph)
    missing = sorted(set(values) - set(variables))
    if missing:
        raise SnapshotMismatchError(
            f"the snapshot holds session variables that the graph lacks: {', '.join(missing[:5])};"
            " build the same graph before restoring, or restore into a session on an empty graph"
        )
    for name, value in values.items():
        if not variables[name].shape.is_compatible_with(value.shape):
            raise SnapshotMismatchError(
                f"session variable {name} has shape {variables[name].shape}, the snapshot holds"
                f" {value.shape}; build the same graph as in the run that was saved"
            )
    initializers = [variables[name].initializer for name in values]
    feed = {
        operation.inputs[-1]: value
        for operation, value in zip(initializers, values.values(), strict=True)
    }
    session.run(initializers, feed)


def variables_of(graph: Any) -> dict[str, Any]:
    """Return the global and local variables of a graph, by name."""
    import tensorflow as tf

    keys = tf.compat.v1.GraphKeys
    found = graph.get_collection(keys.GLOBAL_VARIABLES) + graph.get_collection(keys.LOCAL_VARIABLES)
    return {variable.name: variable for variable in found}


def why_inexact(graph: Any) -> list[str]:
    """Return why a graph cannot be continued exactly: operations that hide what they have drawn.

    Those that merely initialize variables do not count.
    """
    initializers = {v.initializer for v in variables_of(graph).values()}
    pending, harmless = [tensor.op for op in initializers for tensor in op.inputs[1:]], set()
    while pending:
        operation = pending.pop()
        if operation not in harmless:
            harmless.add(operation)
            pending += [tensor.op for tensor in operation.inputs]
    return [
        f"TensorFlow: {operation.type} {operation.name} in a session's graph keeps its counter"
        " where it cannot be saved; feed random numbers in, or use tf.random.stateless_*"
        for operation in graph.get_operations()
        if operation.type in HIDDEN_COUNTERS and operation not in harmless
    ]


def why_default_session_is_inexact() -> list[str]:
    """Return why the graph of the default session, if there is one, cannot be continued exactly."""
    session = _default_session()
    return [] if session is None else why_inexact(session.graph)


# ---- pickling -----------------------------------------------------------------------------------


def reduce_element(element: Any) -> Any:
    """Return how pickle saves an operation, tensor or variable of a graph: by name."""
    graph = element.graph
    if hasattr(graph, "outer_graph"):
        raise TypeError(
            f"{element.name} is a symbol inside a traced function; keep its value, or nothing of it"
        )
    if type(element).__name__ == "_UnreadVariable":  # an assignment: its value after it
        element = element._as_graph_element()
    return element_of, (graph, element.name, hasattr(element, "initializer"))


def element_of(graph: Any, name: str, is_variable: bool) -> Any:
    """Find an operation, tensor or variable of a graph."""
    if is_variable:
        return variables_of(graph)[name]
    return graph.as_graph_element(name)


def reduce_graph(graph: Any, runtime: Any) -> Any:
    """Return how pickle saves a graph: its definition, and the values in the default session.

    Args:
        graph: of TensorFlow 1.
        runtime: the module that loads TensorFlow.
    """
    session = _default_session()
    if session is None or session.graph is not graph:
        raise TypeError(
            "a graph of TensorFlow 1 can be saved while its session is the default one; train"
            " inside `with TFTrainer(...) as trainer:` and build under `trainer.graph_mode()`"
        )
    values = get_session_variables(session)
    return rebuild_graph, (runtime, _definition(graph)), values, None, None, _set_values


def _definition(graph: Any) -> bytes:
    import tensorflow as tf

    known = _definitions.get(graph)
    if known is None or known[0] != graph.version:
        with graph.as_default():
            meta = tf.compat.v1.train.export_meta_graph(clear_extraneous_savers=True)
        known = _definitions[graph] = (graph.version, meta.SerializeToString(deterministic=True))
    return known[1]


def rebuild_graph(runtime: Any, definition: bytes) -> Any:
    """Return the default session's graph, built from the definition if it is not there yet."""
    import tensorflow as tf

    session = _default_session()
    if session is None:
        raise SnapshotMismatchError(
            "the snapshot holds a graph of TensorFlow 1, which needs a session to live in; restore"
            " inside `with TFTrainer(...) as trainer:`"
        )
    meta = tf.compat.v1.MetaGraphDef.FromString(definition)
    names = {node.name for node in meta.graph_def.node}
    present = {operation.name for operation in session.graph.get_operations()}
    if names <= present:
        return session.graph
    if names & present:
        missing = sorted(names - present)
        raise SnapshotMismatchError(
            "the session's graph is another than the one saved: it lacks"
            f" {', '.join(missing[:5])}; build the same graph before restoring, or restore into a"
            " session on an empty graph"
        )
    with session.graph.as_default():
        tf.compat.v1.train.import_meta_graph(meta)
    return session.graph


def _set_values(graph: Any, values: Mapping[str, np.ndarray]) -> None:
    set_session_variables(_default_session(), values)


def reduce_session(session: Any) -> Any:
    """Return how pickle saves a session: as the default one of the process that restores it."""
    return session_of, (session.graph,)


def session_of(graph: Any) -> Any:
    """Return the default session, whose graph has been restored."""
    return _default_session()


def _default_session() -> Any:
    import tensorflow as tf

    return tf.compat.v1.get_default_session()
