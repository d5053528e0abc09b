"""What a snapshot's manifest says of a run: read off its objects."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from garage_like import seeding
from garage_like.configuration.comparison import Sections
from garage_like.data.normalizers import as_json, pooled_normalizers
from garage_like.snapshot.disk.manifest import Manifest, plain_numbers
from garage_like.snapshot.fingerprint import take_fingerprint


def manifest_of(
    graph: Mapping[str, Any],
    *,
    epoch: int,
    row: Mapping[str, Any],
    on_gap: bool,
    reasons: Sequence[str],
    logs: Mapping[str, int],
    parent: Mapping[str, Any] | None,
    configuration: Sections,
    trainer_class: type | None,
    skipped: Sequence[str],
    changes: Sequence[Mapping[str, Any]],
) -> Manifest:
    """Return all that is known before the capture, which then tells of the environments.

    Args:
        graph: the run's objects by name.
        epoch: that was finished.
        row: of the log.
        on_gap: whether the epoch is one of every `snapshot_gap`.
        reasons: why a resume is not exact; nothing if it is.
        logs: where each log file ends.
        parent: run and epoch that the run began from, if it did.
        configuration: of each part.
        trainer_class: what `garage-like resume` is to make of the run.
        skipped: names that were left out as was asked for.
        changes: settings that are others than those that the run began with.
    """
    stats = graph["stats"]
    seed, entropy = seeding.seed_state()
    return Manifest(
        epoch=epoch,
        itr=stats.total_itr,
        total_env_steps=stats.total_env_steps,
        train_seconds=stats.train_seconds,
        created=time.time(),
        metrics=plain_numbers(row),
        seed=seed,
        entropy=entropy,
        on_gap=on_gap,
        exact=not reasons,
        reasons=list(reasons),
        env_state={"mode": "exact", "reason": "", "name": env_name(graph["env"])},
        fingerprint=take_fingerprint(),
        logs=dict(logs),
        parent=None if parent is None else dict(parent),
        train_args=_plain(vars(graph["train_args"])),
        classes=_classes(graph, trainer_class),
        configuration=configuration,
        skipped=list(skipped),
        changes=[dict(change) for change in changes],
        normalizers=as_json(pooled_normalizers(trained_envs(graph["algo"], graph["env"]))),
    )


def trained_envs(algo: Any, env: Any) -> Sequence[Any]:
    """Return the environments that are trained in: those of the sampler, or the trainer's."""
    stepped = getattr(sampler_of(algo), "envs", ())
    return stepped or ([] if env is None else [env])


def sampler_of(algo: Any) -> Any:
    """Return what an algorithm draws episodes from; one of your own may have just `_sampler`."""
    return getattr(algo, "sampler", None) or getattr(algo, "_sampler", None)


def env_name(env: Any) -> str:
    """Return what gymnasium calls an environment, or the name of its class; '' if there is none."""
    if env is None:
        return ""
    spec = getattr(getattr(env, "gym_env", None), "spec", None)
    return str(spec.id) if spec is not None else type(env).__name__


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    kinds = (bool, int, float, str, type(None))
    return {key: value for key, value in values.items() if isinstance(value, kinds)}


def _classes(graph: Mapping[str, Any], trainer_class: type | None) -> dict[str, str]:
    algo = graph["algo"]
    parts = {"algo": algo, "env": graph["env"]}
    parts.update({key.lstrip("_"): value for key, value in vars(algo).items()})
    parts.update(vars(algo).get("_modules") or {})
    classes = {
        name: _qualified(type(part))
        for name, part in parts.items()
        if hasattr(part, "__dict__") and not isinstance(part, type)
    }
    for cls in trainer_class.__mro__ if trainer_class is not None else ():
        if cls.__module__ != "__main__" and "<locals>" not in cls.__qualname__:
            return {**classes, "trainer": _qualified(cls)}  # the nearest that can be imported
    return classes


def _qualified(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"
