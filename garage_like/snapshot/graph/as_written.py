"""What a file of the user's gives a name first: for modules that are imported in mid-run.

How those were before training changed them nobody has seen. Only literals are read; nothing is run.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

NOT_A_LITERAL = object()


def as_written(file: str | None, path: str) -> Any:
    """Return the literal that is given to a name, or to one in a class; NOT_A_LITERAL if none is.

    Args:
        file: of the module.
        path: of the name, `Class.name` in a class.
    """
    *classes, name = path.split(".")
    body: Sequence[ast.stmt] = () if file is None else _statements(file)
    for each in classes:
        inside = [s.body for s in body if isinstance(s, ast.ClassDef) and s.name == each]
        body = inside[-1] if inside else ()
    return _given(body, name)


@functools.lru_cache(100)
def _statements(file: str) -> Sequence[ast.stmt]:
    try:
        return ast.parse(Path(file).read_bytes()).body
    except (OSError, SyntaxError, ValueError):
        return ()


def _given(body: Iterable[ast.stmt], name: str) -> Any:
    for statement in body:
        targets: list[ast.expr] = []
        if isinstance(statement, ast.Assign):
            targets = statement.targets
        elif isinstance(statement, ast.AnnAssign):
            targets = [statement.target]
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            try:
                return ast.literal_eval(statement.value)  # type: ignore[attr-defined]
            except (ValueError, TypeError):
                break
    return NOT_A_LITERAL
