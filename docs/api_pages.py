"""Write one page of API reference for each package, from the names that it exports.

Another page lists the examples, and one explains the columns of the log.
"""

import ast
import importlib
import inspect
import pkgutil
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import garage_like
from garage_like.interfaces import RLAlgorithm
from garage_like.logging import glossary
from garage_like.logging.episode_metrics import METRICS as EPISODE_METRICS

# Modules that are worth a page though they are no packages.
MODULES = [
    "garage_like.interfaces",
    "garage_like.seeding",
    "garage_like.errors",
    "garage_like.algos.on_policy",
    "garage_like.algos.advantages",
]
# The commands have a page of their own.
LEFT_OUT = {"garage_like.cli"}


def public_modules() -> list[ModuleType]:
    """Import every package, and what else has a page; the outermost first."""
    packages = [
        found.name
        for found in pkgutil.walk_packages(garage_like.__path__, "garage_like.")
        if found.ispkg and found.name not in LEFT_OUT
    ]
    modules = [importlib.import_module(name) for name in ["garage_like", *MODULES, *packages]]
    return [module for module in modules if public_names(module)]


def public_names(module: ModuleType) -> list[str]:
    """Return what a module lists in `__all__`, or else the classes and functions it defines."""
    if hasattr(module, "__all__"):
        return list(module.__all__)
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (inspect.isclass(value) or inspect.isfunction(value))
        and value.__module__ == module.__name__
    ]


def write(directory: Path) -> None:
    """Write `index.md` and a page for each package into a directory; touch only what changed."""
    modules = public_modules()
    pages = {"index": _index(modules), "examples": _examples(), "metrics": _metrics(modules)}
    documented: dict[int, str] = {}
    for module in modules:
        pages[module.__name__] = _page(module, documented)
    directory.mkdir(exist_ok=True)
    for stale in {path.stem for path in directory.glob("*.md")} - pages.keys():
        (directory / f"{stale}.md").unlink()
    for name, text in pages.items():
        path = directory / f"{name}.md"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def _examples() -> str:
    """List the example scripts with the first line of what each says of itself."""
    root = Path(__file__).parents[1] / "examples"
    rows = []
    for path in sorted(root.rglob("*.py"), key=lambda path: (len(path.parts), path)):
        doc = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        first = doc.partition("\n\n")[0].replace("\n", " ")
        rows.append(f"| `examples/{path.relative_to(root)}` | {first} |")
    return (
        "# Examples\n\nEach is a script that runs on its own; `--help` lists its options.\n\n"
        "| script | what it shows |\n|---|---|\n" + "\n".join(rows) + "\n"
    )


def _metrics(modules: list[ModuleType]) -> str:
    """Explain the columns that every run has, then those of each algorithm."""
    parts = [
        "# Metrics\n\nMade from the code: the columns of `progress.csv`.",
        "## Every run",
        _table(EPISODE_METRICS),
        "## Evaluation",
        _table(glossary.EVALUATION_METRICS),
        "## Progress and times",
        _table(glossary.PROGRESS_METRICS),
        "## Now and then",
        _table(glossary.OCCASIONAL_METRICS),
    ]
    for module in modules:
        for value in (getattr(module, name) for name in public_names(module)):
            if not (inspect.isclass(value) and issubclass(value, RLAlgorithm)):
                continue
            metrics = getattr(value, "METRICS", {})
            if metrics and value.__module__.startswith(f"{module.__name__}."):
                parts += [f"## {value.__name__} (`{module.__name__}`)", _table(metrics)]
                optional = getattr(value, "OPTIONAL_METRICS", {})
                parts += ["Where there is such a thing:", _table(optional)] if optional else []
    return "\n\n".join(parts) + "\n"


def _table(metrics: dict[str, str]) -> str:
    rows = [f"| `{name}` | {text.replace('|', chr(92) + '|')} |" for name, text in metrics.items()]
    return "\n".join(["| column | meaning |", "|---|---|", *rows])


def _index(modules: list[ModuleType]) -> str:
    rows = [
        f"| [`{module.__name__}`]({module.__name__}.md) | {_first_line(module)} |"
        for module in modules
    ]
    names = "\n".join(f"{_short(module)} <{module.__name__}>" for module in modules)
    return (
        "# API reference\n\nMade from the code: what each package exports, and nothing else.\n\n"
        "| package | what is in it |\n|---|---|\n" + "\n".join(rows) + "\n\n"
        f"```{{toctree}}\n:hidden:\n\n{names}\n```\n"
    )


def _short(module: ModuleType) -> str:
    return module.__name__.removeprefix("garage_like.")


def _page(module: ModuleType, documented: dict[int, str]) -> str:
    parts = [f"# `{module.__name__}`", _summary(module)]
    elsewhere = []
    for name in public_names(module):
        value = getattr(module, name)
        home = documented.get(id(value))
        if home is not None:
            elsewhere.append(f"- `{name}`: see {{py:obj}}`{home}`")
            continue
        if inspect.isclass(value) or inspect.isfunction(value):
            documented[id(value)] = f"{module.__name__}.{name}"
        parts.append(_directive(f"{module.__name__}.{name}", value))
    if elsewhere:
        parts.insert(2, "\n".join(elsewhere))
    return "\n\n".join(part for part in parts if part) + "\n"


def _directive(name: str, value: Any) -> str:
    if inspect.isclass(value):
        options = ":members:\n:show-inheritance:\n"
        return f"```{{eval-rst}}\n.. autoclass:: {name}\n{_indent(options)}\n```"
    if inspect.isfunction(value):
        return f"```{{eval-rst}}\n.. autofunction:: {name}\n```"
    kind = type(value)
    return (
        f"```{{eval-rst}}\n.. py:data:: {name}\n"
        f"   :type: {kind.__module__}.{kind.__qualname__}\n```"
    )


def _indent(text: str) -> str:
    return "".join(f"   {line}\n" for line in text.splitlines())


def _first_line(module: ModuleType) -> str:
    return (inspect.getdoc(module) or "").partition("\n\n")[0].replace("\n", " ")


def _summary(module: ModuleType) -> str:
    """Return a package's docstring; what is indented in it is a table or a drawing, kept so."""
    paragraphs = (inspect.getdoc(module) or "").split("\n\n")
    return "\n\n".join(
        f"```text\n{p}\n```" if any(line.startswith("  ") for line in p.splitlines()) else p
        for p in paragraphs
    )


_AS_IT_IS = re.compile(r"(`[^`]*`|(?<!\w)\*{1,2}\w+\*{1,2}(?!\w))")
_MARKUP = re.compile(r"(?<!\\)([*|]|(?<=\w)_(?=\W|$))")


def escape(app: Any, what: str, name: str, value: Any, options: Any, lines: list[str]) -> None:
    """Make Sphinx read `shape (N, *O)`, `|x|` and `name_` in a docstring as they stand."""
    for i, line in enumerate(lines):
        spans = _AS_IT_IS.split(line)
        spans[::2] = [_MARKUP.sub(r"\\\1", span) for span in spans[::2]]
        lines[i] = "".join(spans)


def skip(app: Any, what: str, name: str, value: Any, skipped: bool, options: Any) -> bool | None:
    """Leave out the fields of a NamedTuple, which its docstring lists already."""
    doc = getattr(value, "__doc__", None) or ""
    return True if doc.startswith("Alias for field number") else None
