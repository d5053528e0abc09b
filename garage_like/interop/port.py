"""Scripts written for garage, ported: files and trees of them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from garage_like.errors import install_hint
from garage_like.logging.log_files import check_replaceable

if TYPE_CHECKING:
    from garage_like.interop.port_rewriting import Ported


def scripts_in(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield each file, and the Python files of each directory, in the order of their names.

    Raises:
        FileNotFoundError: if there is no such file or directory.
    """
    for path in paths:
        if path.is_dir():
            yield from sorted(p for p in path.rglob("*.py") if p.is_file())
        elif path.exists():
            yield path
        else:
            raise FileNotFoundError(f"there is no {path}")


def port_file(path: Path, *, writes: bool) -> Ported:
    """Port one script.

    Args:
        path: the file.
        writes: whether it is rewritten in place; else it is left as it is.

    Raises:
        DirectoryError: if it is to be rewritten and is no file, but a pipe say.
        ValueError: if it is no Python in UTF-8.
        ModuleNotFoundError: if LibCST is not installed.
    """
    try:
        from garage_like.interop.port_rewriting import port_source
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "libcst":
            raise
        raise ModuleNotFoundError(
            f"port needs LibCST, which is not installed: {install_hint('port')}",
            name="libcst",
        ) from error
    if writes:
        check_replaceable(path)
    with open(path, encoding="utf-8", newline="") as file:
        source = file.read()
    ported = port_source(source)
    if writes and ported.code != source:
        path = path.resolve()  # a link stays one
        beside = path.with_name(f".{path.name}.ported")
        with open(beside, "w", encoding="utf-8", newline="") as file:
            file.write(ported.code)
        beside.chmod(path.stat().st_mode)
        os.replace(beside, path)
    return ported
