"""What old snapshots name that has another name now. Entries stay, or old runs are lost."""

from garage_like import lazy

_GRAPH = "garage_like.snapshot.graph"

RENAMED: dict[tuple[str, str], tuple[str, str]] = {
    (f"{_GRAPH}.env_state", name): (f"{_GRAPH}.mujoco_data", name)
    for name in ("rebuild_mujoco_data", "rebuild_simulation")
}
"""Classes and functions: (module, name) then → now, of modules where they are now."""

MOVED: dict[str, str] = lazy.MOVED | {
    f"garage_like.snapshot.{module}": f"garage_like.snapshot.{room}.{module}"
    for module, room in (
        ("ale_state", "graph"),
        ("arrays", "graph"),
        ("env_state", "graph"),
        ("keras_objects", "graph"),
        ("live", "graph"),
        ("pickling", "graph"),
        ("tables", "disk"),
        ("tf_arrays", "graph"),
        ("tf_sessions", "graph"),
        ("torch_arrays", "graph"),
    )
}
"""Modules of which snapshots name something: then → now."""


def present_name(module: str, name: str) -> tuple[str, str]:
    """Return where something is to be found that a snapshot names."""
    while module in MOVED:
        module = MOVED[module]
    return RENAMED.get((module, name), (module, name))
