"""What imports what: read off the sources, and seen in fresh processes."""

import ast
import functools
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "garage_like"

# A room imports from its own floor and from those above it in this list, never from those below.
FLOORS = [
    {"errors", "lazy", "seeding"},
    {"data", "configuration", "files", "interfaces"},
    {"envs", "logging"},
    {"replay_buffer"},
    {"evaluation", "sampler", "snapshot"},
    {"algos", "pictures"},
    {"callbacks"},
    {"np"},
    {"torch", "tf", "jax"},
    {"trainer"},
    {"runs"},
    {"experiment", "audit", "loading"},
    {"adapters", "interop", "studies", "sweeps", "tuned", "ui"},
    {"cli", "__main__"},
]
# The package itself names what is on every floor and loads nothing: all may import it.
LAZY = "garage_like"
# So do packages that name what they offer, and load it when it is used.
FACES = {"garage_like.envs", "garage_like.experiment", "garage_like.trainer"}
LOOSE_FILES = ["__init__", "__main__", "errors", "evaluation", "interfaces", "lazy", "seeding"]

# Modules of framework-free rooms that need torch; others import them inside functions only.
LOADED_ONCE_TORCH_IS = {
    "garage_like.snapshot.kinds.torch_arrays",
    "garage_like.snapshot.kinds.torch_blocks",
    "garage_like.snapshot.kinds.torch_graphs",
    "garage_like.snapshot.kinds.torch_loaders",
    "garage_like.snapshot.kinds.torch_modules",
    "garage_like.snapshot.kinds.torch_pickling",
    "garage_like.snapshot.kinds.torch_scripts",
    "garage_like.snapshot.kinds.torch_slots",
}

LIGHT_MODULES = [
    "garage_like",
    "garage_like.data.batches",
    "garage_like.cli",
    "garage_like.envs",
    "garage_like.evaluation",
    "garage_like.experiment",
    "garage_like.interfaces",
    "garage_like.loading",
    "garage_like.logging",
    "garage_like.runs.overview",
    "garage_like.sampler",
    "garage_like.snapshot",
    "garage_like.trainer",
]
FRAMEWORKS = ["torch", "tensorflow", "jax", "dowel", "ray"]


@dataclass(frozen=True)
class Import:
    """One import statement: who imports what, and when it is carried out."""

    importer: str
    imported: str
    line: int
    deferred: bool
    for_types_only: bool

    @property
    def where(self) -> str:
        return f"{self.importer}:{self.line} imports {self.imported}"


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def is_import_by_name(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"importlib.import_module", "import_module", "__import__"}
        and isinstance(node.args[0], ast.Constant)
    )


def targets(node: ast.Import | ast.ImportFrom | ast.Call) -> list[str]:
    """Name the modules that a node loads: `from a import b` is `a.b` where that is a module."""
    if isinstance(node, ast.Call):
        return [ast.literal_eval(node.args[0])]
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    assert node.module, "imports are absolute"
    full = [f"{node.module}.{alias.name}" for alias in node.names]
    return [name if name in MODULES else node.module for name in full]


def walk(tree: ast.AST, deferred: bool = False, for_types: bool = False) -> Iterator[tuple]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom) or is_import_by_name(node):
            yield node, deferred, for_types
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for child in node.body:
                yield from walk(ast.Module([child], []), deferred, True)
            for child in node.orelse:
                yield from walk(ast.Module([child], []), deferred, for_types)
        else:
            in_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from walk(node, deferred or in_function, for_types)


def imports_of(module: str, path: Path) -> Iterator[Import]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node, deferred, for_types in walk(tree):
        for target in dict.fromkeys(targets(node)):
            yield Import(module, target, node.lineno, deferred, for_types)


@functools.cache
def all_imports() -> list[Import]:
    return [found for module, path in MODULES.items() for found in imports_of(module, path)]


@functools.cache
def own_imports() -> list[Import]:
    return [found for found in all_imports() if found.imported.split(".")[0] == "garage_like"]


def room(module: str) -> str:
    if module == "garage_like.tf.tf_trainer":  # a trainer, though it lies with what it is for
        return "trainer"
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else parts[0]


def floor(module: str) -> int:
    return next((i for i, rooms in enumerate(FLOORS) if room(module) in rooms), len(FLOORS))


def run_python(*arguments: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    search = [str(path)] if path else []
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([*search, str(ROOT)])},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def decoy(directory: Path, *names: str) -> Path:
    """Make packages that are importable but for the error they raise, after a note of the visit."""
    for name in names:
        package = directory / name
        package.mkdir()
        (package / "__init__.py").write_text(
            "from pathlib import Path\n"
            "Path(__file__).with_name('was_imported').touch()\n"
            f"raise RuntimeError('{name} must not be imported here')\n"
        )
    return directory


def visited(directory: Path) -> list[str]:
    return sorted(mark.parent.name for mark in directory.glob("*/was_imported"))


def test_the_disk_knows_nothing_of_the_object_graph() -> None:
    graph, disk = "garage_like.snapshot.graph", "garage_like.snapshot.disk"
    upward = [
        found.where
        for found in own_imports()
        if found.importer.startswith(disk) and found.imported.startswith(graph)
    ]
    assert not upward


def test_every_room_has_a_floor() -> None:
    assert {room(module) for module in MODULES} <= {LAZY}.union(*FLOORS)


def test_nothing_imports_upward() -> None:
    upward = [
        found.where
        for found in own_imports()
        if LAZY not in (found.importer, found.imported)
        and floor(found.imported) > floor(found.importer)
        and found.importer not in FACES
    ]
    assert upward == []


def test_what_runs_and_saves_knows_no_algorithm() -> None:
    runs, learns = (
        {"snapshot", "trainer", "runs", "experiment"},
        {"algos", "np", "torch", "tf", "jax"},
    )
    assert [
        found.where
        for found in own_imports()
        if room(found.importer) in runs
        and room(found.imported) in learns
        and found.imported != "garage_like.tf.quiet_import"
    ] == []


def test_what_learns_knows_no_snapshot() -> None:
    # Keras would copy its models in a way of its own.
    copies_as_a_snapshot_does = "garage_like.tf.algos.target_networks"
    assert [
        found.where
        for found in own_imports()
        if room(found.importer) in {"algos", "np", "torch", "tf", "jax"}
        and room(found.imported) == "snapshot"
        and found.importer != copies_as_a_snapshot_does
    ] == []


def test_the_backends_do_not_know_each_other() -> None:
    backends = {"torch", "tf", "jax"}
    crossing = [
        found.where
        for found in own_imports()
        if len({room(found.importer), room(found.imported)} & backends) == 2
    ]
    assert crossing == []


def test_few_files_lie_loose() -> None:
    assert sorted(path.stem for path in PACKAGE.glob("*.py")) == LOOSE_FILES


def test_the_package_itself_loads_none_of_its_modules() -> None:
    assert [
        found.where
        for found in own_imports()
        if found.importer == LAZY and not found.deferred and not found.for_types_only
    ] == ["garage_like:9 imports garage_like.lazy"]


def test_modules_import_each_other_in_no_cycle() -> None:
    """Imports inside functions and those for type checkers count as well."""
    ahead: dict[str, set[str]] = {module: set() for module in MODULES}
    for found in own_imports():
        if found.importer not in (LAZY, *FACES) and found.imported != LAZY:
            ahead[found.importer].add(found.imported)
    while free := [module for module, needs in ahead.items() if not needs & ahead.keys()]:
        for module in free:
            del ahead[module]
    assert ahead == {}, "these modules wait for each other"


@pytest.mark.parametrize(
    "name", ["algos", "cli", "envs", "experiment", "logging", "np", "sampler", "snapshot"]
)
def test_framework_free_room_loads_no_framework_by_being_imported(name: str) -> None:
    loaded = [
        found.where
        for found in all_imports()
        if room(found.importer) == name
        and found.importer not in LOADED_ONCE_TORCH_IS
        and found.imported.split(".")[0] in {"torch", "tensorflow"}
        and not found.deferred
        and not found.for_types_only
    ]
    assert loaded == []


def test_modules_that_need_torch_are_imported_inside_functions_only() -> None:
    users = [
        found
        for found in own_imports()
        if found.imported in LOADED_ONCE_TORCH_IS and found.importer not in LOADED_ONCE_TORCH_IS
    ]
    assert {found.imported for found in own_imports()} >= LOADED_ONCE_TORCH_IS
    assert [found.where for found in users if not found.deferred] == []


@pytest.mark.parametrize("name", ["algos", "np"])
def test_algorithms_free_of_frameworks_never_import_one(name: str) -> None:
    assert [
        found.where
        for found in all_imports()
        if room(found.importer) == name
        and found.imported.split(".")[0] in {"torch", "tensorflow", "keras", "jax"}
    ] == []


def test_jax_is_imported_in_its_room_and_by_its_kind_alone() -> None:
    libraries = {"jax", "jaxlib", "flax", "optax", "equinox", "ml_dtypes"}
    users = {found.importer for found in all_imports() if found.imported.split(".")[0] in libraries}
    assert {user for user in users if room(user) != "jax"} <= {"garage_like.snapshot.kinds.jax"}


def test_policies_in_jax_load_without_it(tmp_path: Path) -> None:
    decoys = decoy(tmp_path, "jax", "flax", "optax", "ml_dtypes", "torch", "tensorflow")
    ran = run_python("-c", "import garage_like.jax.policies", path=decoys)
    assert visited(decoys) == []
    assert ran.returncode == 0, ran.stderr


def test_only_the_logging_room_imports_dowel() -> None:
    assert {
        room(found.importer) for found in all_imports() if found.imported.split(".")[0] == "dowel"
    } == {"logging"}


@pytest.mark.parametrize("module", LIGHT_MODULES)
def test_light_module_loads_no_framework_though_all_are_importable(
    module: str, tmp_path: Path
) -> None:
    decoys = decoy(tmp_path, *FRAMEWORKS)
    ran = run_python("-c", f"import {module}", path=decoys)
    assert visited(decoys) == []
    assert ran.returncode == 0, ran.stderr


def test_decoys_catch_an_import(tmp_path: Path) -> None:
    decoys = decoy(tmp_path, "tensorflow")
    code = "try:\n    import tensorflow\nexcept RuntimeError:\n    pass"
    assert run_python("-c", code, path=decoys).returncode == 0
    assert visited(decoys) == ["tensorflow"]


def test_import_time_of_the_package_names_no_framework() -> None:
    ran = run_python("-X", "importtime", "-c", "import garage_like")
    assert ran.returncode == 0, ran.stderr
    names = {line.rpartition("|")[2].strip().split(".")[0] for line in ran.stderr.splitlines()}
    assert "garage_like" in names
    assert names.isdisjoint(FRAMEWORKS)


def test_torch_backend_loads_no_tensorflow_though_it_is_importable(tmp_path: Path) -> None:
    decoys = decoy(tmp_path, "tensorflow")
    modules = [name for name in MODULES if name.startswith("garage_like.torch")]
    ran = run_python("-c", f"import {', '.join(modules)}", path=decoys)
    assert visited(decoys) == []
    assert ran.returncode == 0, ran.stderr


def test_tensorflow_backend_loads_no_torch_though_it_is_importable(tmp_path: Path) -> None:
    decoys = decoy(tmp_path, "torch")
    modules = [name for name in MODULES if name.startswith("garage_like.tf")]
    ran = run_python("-W", "error", "-c", f"import {', '.join(modules)}", path=decoys)
    assert visited(decoys) == []
    assert ran.returncode == 0, ran.stderr


def test_one_module_imports_tensorflow_for_all_others() -> None:
    found = {
        found.importer
        for found in all_imports()
        if found.imported.split(".")[0] in {"tensorflow", "keras"}
        and room(found.importer) == "tf"
        and not found.for_types_only
    }
    assert found == {"garage_like.tf.quiet_import"}


@pytest.mark.parametrize(
    "statement",
    ["from garage_like.logging import logger, tabular", "from garage_like import Trainer"],
)
def test_logging_with_dowel_loads_neither_tensorflow_nor_torch(
    statement: str, tmp_path: Path
) -> None:
    decoys = decoy(tmp_path, "tensorflow", "torch")
    ran = run_python("-c", statement, path=decoys)
    assert visited(decoys) == []
    assert ran.returncode == 0, ran.stderr


def test_every_module_can_be_the_first_one_imported() -> None:
    code = f"""
import importlib, sys
import garage_like.trainer, torch
from garage_like.logging import logger
for module in {list(MODULES)}:
    for name in [name for name in sys.modules if name.split('.')[0] == 'garage_like']:
        del sys.modules[name]
    importlib.import_module(module)
"""
    ran = run_python("-W", "error", "-c", code)
    assert ran.returncode == 0, ran.stderr


def test_every_public_name_exists_and_is_documented() -> None:
    code = f"""
import importlib, inspect
for module in {[name for name in MODULES if name != "garage_like.cli.__main__"]}:
    package = importlib.import_module(module)
    assert package.__doc__, f'{{module}} has no docstring'
    for name in getattr(package, '__all__', []):
        assert inspect.getdoc(getattr(package, name)), f'{{module}}.{{name}} has no docstring'
    public = [value for name, value in vars(package).items() if name[0] != '_']
    for cls in [c for c in public if inspect.isclass(c) and c.__module__ == module]:
        for name in [name for name in vars(cls) if name[0] != '_']:
            value = getattr(cls, name)  # explained here, or by a class above
            if inspect.isfunction(value) or isinstance(value, property):
                assert inspect.getdoc(value), f'{{module}}.{{cls.__name__}}.{{name}}: no docstring'
"""
    ran = run_python("-c", code)
    assert ran.returncode == 0, ran.stderr


def test_an_unknown_public_name_is_an_attribute_error() -> None:
    import garage_like

    with pytest.raises(AttributeError, match="module 'garage_like' has no attribute 'Trayner'"):
        _ = garage_like.Trayner
