"""Keras models, layers, optimizers and metrics, attribute by attribute, with identity kept.

Keras pickles a model as a file of its own: shared layers come apart, an optimizer no longer steps
the model's variables, and dropout seeds and optimizer slots are lost. Here they are pickled as any
other object is. What Keras finds by the address or number of an object is found again on restore,
and what it makes by itself (wrapped methods, traced functions) is left out.

Used only where Keras is loaded already; importing this module does not load it.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping
from typing import Any

from garage_like.snapshot.kinds.attributes import NEW_OBJECT

_WRAPPED_METHODS = ("build", "quantize")
_TRACED = ("train_function", "test_function", "predict_function")
_FOUND_AGAIN = ("_nodes", "_trainable_variables_indices", "_loss_ids", "_distribution_strategy")
_LAST = ("_variables", "_trainable_variables", "_non_trainable_variables", "_layers", "_functional")
_NOT_SHOWN = frozenset(
    (
        *(*_WRAPPED_METHODS, *_TRACED, *_FOUND_AGAIN, "_tracker", "_tracked"),
        *("_name", "name", "_path", "_parent_path", "_lock", "_call_signature"),
        *("_inbound_nodes", "_outbound_nodes", "_nodes_by_depth", "_operations"),
        *("_operations_by_depth", "_inputs", "_outputs", "_inputs_struct", "_outputs_struct"),
        *("_output_layers", "_input_layers"),
    )
)


def _kind_of(cls: type) -> str | None:
    if "keras" not in sys.modules or not any(_of_keras(base) for base in cls.__mro__):
        return None
    names = {base.__name__ for base in cls.__mro__ if _of_keras(base)}
    if "KerasSaveable" in names:
        return "saveable"
    if "KerasTensor" in names:
        return "symbol"
    if "KerasVariable" in names or "Variable" in names:
        return "variable"
    if names & {"TrackedList", "TrackedDict", "TrackedOrderedDict", "TrackedSet"}:
        return "tracked"
    return "operation" if "Operation" in names else "tracker" if "Tracker" in names else None


kind_of: Callable[[type], str | None] = functools.lru_cache(1024)(_kind_of)
"""Return what a class of Keras's is; None if it is none of those treated here."""


def _of_keras(cls: type) -> bool:
    return cls.__module__.startswith("keras.")


def reducer_for(cls: type) -> Callable[[Any], Any] | None:
    """Choose how objects of a class are pickled; None: as any other."""
    kind = kind_of(cls)
    if kind in ("saveable", "operation"):
        own = any(
            "__reduce__" in vars(base)
            for base in cls.__mro__
            if not _of_keras(base) and base is not object
        )
        return None if own else _reduce_object
    return {"tracked": _reduce_tracked, "tracker": _reduce_tracker}.get(kind or "")


def _reduce_object(value: Any) -> Any:
    cls = type(value)
    state = {name: v for name, v in vars(value).items() if name not in _WRAPPED_METHODS}
    for name in _TRACED:
        if name in state:
            state[name] = None
    for name in _FOUND_AGAIN:
        state.pop(name, None)
    if "_nodes" in vars(value):
        state["_nodes"] = _node_places(value)
    if "_trainable_variables_indices" in vars(value):
        indices = value._trainable_variables_indices
        state["_trainable_variables_indices"] = sorted(indices.values())
    make: tuple[Any, ...] = (NEW_OBJECT, (cls,))
    if any(base.__name__ == "Functional" for base in cls.__mro__) and not _of_keras(cls):
        make = (_make_functional, (cls,))
    return (*make, state, None, None, set_state)


def _make_functional(cls: Any) -> Any:
    """Make a bare object of a user's class that became functional when it was first used."""
    from keras.src.models.functional import Functional
    from keras.src.models.model import inject_functional_model_class

    if not issubclass(cls, Functional):
        inject_functional_model_class(cls)
    return cls.__new__(cls)


def _node_places(function: Any) -> list[tuple[Any, int]]:
    """Return operation and number of each node of a functional model."""
    from keras.src.ops.function import make_node_key

    return [
        (operation, number)
        for operation in function._operations
        for number in range(len(operation._inbound_nodes))
        if make_node_key(operation, number) in function._nodes
    ]


def set_state(value: Any, state: dict[str, Any]) -> None:
    """Give a bare object its attributes; find again what is found by address."""
    attributes = vars(value)
    attributes.update(state)
    if "_nodes" in state:
        from keras.src.ops.function import make_node_key

        attributes["_nodes"] = {make_node_key(*place) for place in state["_nodes"]}
    if hasattr(type(value), "add_loss"):
        attributes["_loss_ids"] = {id(loss) for loss in state.get("_losses", ())}
    if "_trainable_variables_indices" in state:
        import tensorflow as tf

        attributes["_distribution_strategy"] = tf.distribute.get_strategy()
        places = zip(
            state["_trainable_variables"], state["_trainable_variables_indices"], strict=True
        )
        attributes["_trainable_variables_indices"] = {value._var_key(v): i for v, i in places}
    tracker = state.get("_tracker")
    if tracker is not None:
        _find_tracked(tracker)


def _reduce_tracker(tracker: Any) -> Any:
    state = {name: v for name, v in vars(tracker).items() if name != "stored_ids"}
    state["config"] = {
        kind: (None if kind in _tests_of_kinds() else test, store)
        for kind, (test, store) in tracker.config.items()
    }
    return NEW_OBJECT, (type(tracker),), state, None, None, _set_tracker_state


@functools.cache
def _tests_of_kinds() -> dict[str, Callable[[Any], bool]]:
    """Return how Keras's trackers tell variables, metrics and layers.

    They are lambdas: pickled by value they would be code of one version of Python and of Keras.
    """
    import keras

    trackers = [keras.metrics.Metric(name="any")._tracker, keras.layers.Layer(name="any")._tracker]
    return {kind: test for one in trackers for kind, (test, _) in one.config.items()}


def _set_tracker_state(tracker: Any, state: dict[str, Any]) -> None:
    vars(tracker).update(state)
    tracker.config = {
        kind: (_tests_of_kinds()[kind] if test is None else test, store)
        for kind, (test, store) in state["config"].items()
    }
    _find_tracked(tracker)


def _find_tracked(tracker: Any) -> None:
    tracker.stored_ids = {
        name: {id(value) for value in store} for name, (_, store) in tracker.config.items()
    }


def _reduce_tracked(container: Any) -> Any:
    kind = next(base for base in (dict, list, set) if isinstance(container, base))
    content = list(container.items()) if kind is dict else list(container)
    state = {"content": content, **vars(container)}
    return NEW_OBJECT, (type(container),), state, None, None, _fill_tracked


def _fill_tracked(container: Any, state: dict[str, Any]) -> None:
    """Fill a container; past its own methods, which would track once more."""
    content = state.pop("content")
    vars(container).update(state)
    if isinstance(container, dict):
        for key, value in content:
            dict.__setitem__(container, key, value)
    elif isinstance(container, list):
        list.extend(container, content)
    else:
        set.update(container, content)


def kept_when_emptied(value: Any) -> Mapping[str, Any]:
    """Return the attributes that a live object keeps when it is restored into."""
    if kind_of(type(value)) is None:
        return {}
    return {name: vars(value)[name] for name in _WRAPPED_METHODS if name in vars(value)}


def parts(value: Any) -> list[tuple[str, Any]]:
    """Return what a Keras object is made of, as (label, object); what repeats other parts last.

    Names, which Keras numbers in the order in which a process happens to make objects, and the
    graph of symbols behind a functional model are left out.
    """
    kind = kind_of(type(value))
    if kind in ("tracker", "symbol"):
        return []
    if kind == "tracked":
        items = value.items() if isinstance(value, dict) else enumerate(value)
        return [(f".{k}" if isinstance(k, str) else f"[{k!r}]", v) for k, v in items]
    attributes = vars(value)
    if kind == "variable":
        return [("", attributes["_value"]), (".trainable", attributes["_trainable"])]
    shown = [name for name in attributes if name not in _NOT_SHOWN and name[:6] != "_self_"]
    return [(f".{name}", attributes[name]) for name in sorted(shown, key=_LAST.__contains__)]
