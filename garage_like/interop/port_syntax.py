"""Small pieces of syntax for `port_rewriting`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import libcst as cst

_SPACE = cst.SimpleWhitespace(" ")
AS = (_SPACE, _SPACE)
_NONE = cst.SimpleWhitespace("")
_EQUAL = cst.AssignEqual(whitespace_before=_NONE, whitespace_after=_NONE)


def dotted_name(node: Any) -> str:
    """Return a name, or an attribute of one, as the script has it; else nothing."""
    if isinstance(node, cst.Attribute):
        return f"{dotted_name(node.value)}.{node.attr.value}"
    return node.value if isinstance(node, cst.Name) else ""


def attribute(dotted: str) -> Any:
    """Return the syntax of a dotted name."""
    return cst.parse_expression(dotted)


def parameters(code: str) -> cst.Parameters:
    """Return the syntax of a function's parameters."""
    function = cst.parse_statement(f"def f({code}): pass\n")
    assert isinstance(function, cst.FunctionDef)
    return function.params


def without_comma(names: Sequence[cst.ImportAlias]) -> list[cst.ImportAlias]:
    """Return names of an import, of which none follows."""
    *first, last = names
    return [*first, last.with_changes(comma=cst.MaybeSentinel.DEFAULT)]


def with_commas(args: Sequence[cst.Arg]) -> list[cst.Arg]:
    """Return arguments that others can follow, each of them as it was laid out."""
    comma = cst.Comma(whitespace_after=_SPACE)
    if not args:
        return []
    *first, last = args
    if isinstance(last.comma, cst.Comma):
        return [*args]
    before = first[-1].comma if first else comma
    return [*first, last.with_changes(comma=before, whitespace_after_arg=_NONE)]


def with_arguments(call: cst.Call, added: Mapping[str, str]) -> cst.Call:
    """Return a call with further keyword arguments, their values as code."""
    if not added:
        return call
    more = [
        cst.Arg(cst.parse_expression(value), keyword=cst.Name(name), equal=_EQUAL)
        for name, value in added.items()
    ]
    return call.with_changes(args=[*with_commas(call.args), *more])


def assigning(line: Any, statement: cst.Assign, target: Any) -> Any:
    """Return a line that assigns the same to something else."""
    targets = [statement.targets[0].with_changes(target=target)]
    return line.with_changes(body=[statement.with_changes(targets=targets)])


def shown(values: Mapping[str, str]) -> str:
    """Write keyword arguments as a call has them."""
    return ", ".join(f"{name}={value}" for name, value in values.items())


def code_of(node: cst.CSTNode) -> str:
    """Return a node as it is written."""
    return cst.Module([]).code_for_node(node)
