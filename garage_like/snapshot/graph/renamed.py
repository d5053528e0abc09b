"""What old snapshots name that has another name now. Entries stay, or old runs are lost."""

from garage_like import lazy

_GRAPH = "garage_like.snapshot.graph"
_KINDS = "garage_like.snapshot.kinds"
_LOGGING = "garage_like.logging"
_OF_GYMNASIUM = ("rebuild_by", "rebuild_from_spec", "set_attributes", "set_mujoco_state")
_OF_DOWEL = ("Histogram", "LogOutput", "LoggerWarning", "StdOutput")

RENAMED: dict[tuple[str, str], tuple[str, str]] = {
    (then, name): (f"garage_like.{now}", name)
    for then, now, names in (
        (f"{_GRAPH}.pickling", "snapshot.kinds.numpy", ("rebuild_seed_sequence",)),
        (f"{_GRAPH}.pickling", "snapshot.kinds.torch_arrays", ("rebuild_view_of_storage",)),
        (
            f"{_KINDS}.environments",
            "snapshot.kinds.mujoco",
            ("rebuild_mujoco_data", "rebuild_simulation"),
        ),
        (f"{_KINDS}.environments", "snapshot.kinds.gymnasium", _OF_GYMNASIUM),
        (
            f"{_KINDS}.torch_arrays",
            "snapshot.kinds.torch_modules",
            ("rebuild_generator", "set_module_state"),
        ),
        ("garage_like.experiment.task_sampler", "envs.meta_world", ("_WrapMetaWorld",)),
        ("dowel", "logging.light_imports", ("logger", "tabular")),
        ("dowel.histogram", "logging.light_imports", ("Histogram",)),
        ("dowel.logger", "logging.light_imports", ("LogOutput", "LoggerWarning")),
        ("dowel.simple_outputs", "logging.light_imports", ("FileOutput", "StdOutput")),
        ("dowel.tabular_input", "logging.light_imports", ("TabularInput",)),
        # Written without dowel, and read with it.
        (f"{_LOGGING}.dowel_interface", "logging.light_imports", _OF_DOWEL),
        (f"{_LOGGING}.dowel_table", "logging.light_imports", ("TabularInput",)),
    )
    for name in names
}
"""Classes and functions: (module, name) then → now, of modules where they are now."""

MOVED: dict[str, str] = {
    "garage_like.snapshot.tables": "garage_like.snapshot.disk.tables",
    **{
        f"garage_like.snapshot.{name}": lazy.MOVED.get(f"{_GRAPH}.{name}", f"{_GRAPH}.{name}")
        for name in (
            *("ale_state", "arrays", "env_state", "keras_objects", "live", "pickling"),
            *("tf_arrays", "tf_sessions", "torch_arrays"),
        )
    },
    **lazy.MOVED,
}
"""Modules of which snapshots name something: then → now."""


def present_name(module: str, name: str) -> tuple[str, str]:
    """Return where something is to be found that a snapshot names."""
    module = MOVED.get(module, module)
    return RENAMED.get((module, name), (module, name))
