"""What old snapshots name that has another name now. Entries stay, or old runs are lost."""

RENAMED: dict[tuple[str, str], tuple[str, str]] = {}
"""Classes and functions: (module, name) then → now."""

MOVED: dict[str, str] = {
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
    return RENAMED.get((module, name)) or (MOVED.get(module, module), name)
