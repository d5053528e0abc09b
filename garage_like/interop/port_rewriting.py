"""One script written for garage, rewritten: a walk over its syntax tree, comments kept."""

# ruff: noqa: N802 (LibCST calls methods by the names of its nodes)

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider

from garage_like.interop.port_facts import (
    DEFAULTS,
    MODULES,
    NAMES,
    PACKAGES,
    id_of_today,
    task_of_today,
)
from garage_like.interop.port_names import find, unknown_arguments
from garage_like.interop.port_syntax import (
    AS,
    assigning,
    attribute,
    code_of,
    dotted_name,
    parameters,
    shown,
    with_arguments,
    without_comma,
)


@dataclass
class Ported:
    """What became of a script.

    Attributes:
        code: the script now.
        changes: what was changed, by line of the script as it was.
        left: what could not be done, by line of the script as it was.
    """

    code: str
    changes: list[tuple[int, str]] = field(default_factory=list)
    left: list[tuple[int, str]] = field(default_factory=list)


def port_source(source: str) -> Ported:
    """Rewrite a script; one that imports neither garage nor gym is left as it is.

    Raises:
        ValueError: if it is no Python.
    """
    try:
        wrapper = MetadataWrapper(cst.parse_module(source))
    except cst.ParserSyntaxError as error:
        raise ValueError(f"it is no Python 3: {error.message} in line {error.raw_line}") from error
    rewriter = _Rewriter()
    module = wrapper.visit(rewriter)
    if not rewriter.imported:
        return Ported(source)
    rewriter.changes.sort()
    rewriter.left.sort()
    return Ported(module.code, rewriter.changes, rewriter.left)


class _Rewriter(cst.CSTTransformer):
    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self) -> None:
        super().__init__()
        self.imported: dict[str, str] = {}  # what names of the script are, by garage's full name
        self.found: dict[str, Any] = {}  # what they are here
        self.changes: list[tuple[int, str]] = []
        self.left: list[tuple[int, str]] = []
        self._wrapped: set[str] = set()  # experiments
        self._classes: list[bool] = []  # whether those around here are environments of gym's
        self._methods: list[str] = []  # functions around here
        self._made: set[cst.SimpleString] = set()  # ids of environments that are made here
        self._of_meta_world: set[cst.SimpleString] = set()  # names of its tasks
        self._envs: set[str] = set()  # environments that garage makes

    # ---- imports ----------------------------------------------------------------------------

    def leave_ImportFrom(self, original_node: cst.ImportFrom, updated_node: cst.ImportFrom) -> Any:
        """Take names from where they are here."""
        module = dotted_name(updated_node.module)
        root = module.partition(".")[0]
        if root not in (*PACKAGES, "dowel"):
            return updated_node
        line = self._line(original_node)
        if isinstance(updated_node.names, cst.ImportStar):
            if root == "dowel":
                return updated_node
            self.imported["*"] = module
            self.left.append((line, f"names of `from {module} import *` are not followed"))
            self.changes.append((line, f"{module} is {_moved(module)}"))
            return updated_node.with_changes(module=attribute(_moved(module)))
        by_home: dict[str, list[cst.ImportAlias]] = {}
        for alias in updated_node.names:
            name = dotted_name(alias.name)
            local = dotted_name(alias.asname.name) if alias.asname else name
            full = f"{module}.{name}"
            home, new = NAMES.get(full, (_moved(module), name))
            self.imported[local] = full
            if home.startswith("garage_like"):
                self._look_up(line, home, new, local)
            if new != local:
                alias = alias.with_changes(
                    name=cst.Name(new), asname=cst.AsName(cst.Name(local), *AS)
                )
            by_home.setdefault(home, []).append(alias)
        if list(by_home) == [module]:
            return updated_node
        self.changes.append((line, f"{module} is {' and '.join(by_home)}"))
        statements = [
            updated_node.with_changes(module=attribute(home), names=without_comma(names))
            for home, names in by_home.items()
        ]
        return statements[0] if len(statements) == 1 else cst.FlattenSentinel(statements)

    def leave_Import(self, original_node: cst.Import, updated_node: cst.Import) -> cst.Import:
        """Import packages under the names that the script calls them by."""
        names = []
        for alias in updated_node.names:
            module = dotted_name(alias.name)
            root = module.partition(".")[0]
            if root not in PACKAGES:
                names.append(alias)
                continue
            new, line = _moved(module), self._line(original_node)
            self.imported[alias.evaluated_alias or root] = module
            self.changes.append((line, f"{module} is {new}"))
            if alias.asname is None and "." not in module:
                alias = alias.with_changes(asname=cst.AsName(cst.Name(root), *AS))
            elif alias.asname is None:
                self.left.append((line, f"import {module}: write `import {new} as ...` by hand"))
            names.append(alias.with_changes(name=attribute(new)))
        return updated_node.with_changes(names=without_comma(names))

    def _look_up(self, line: int, home: str, name: str, local: str) -> None:
        try:
            found = find(home, name)
        except ImportError as error:
            self.left.append((line, str(error)))
            return
        if found is None:
            self.left.append((line, f"{home} has no {name}"))
        self.found[local] = found

    # ---- calls ------------------------------------------------------------------------------

    def visit_Call(self, node: cst.Call) -> None:
        """Note which strings are ids of environments that are made here."""
        first = node.args[0].value if node.args else None
        called = dotted_name(node.func).rpartition(".")[2]
        if not isinstance(first, cst.SimpleString):
            return
        if called in ("make", "GymEnv"):
            self._made.add(first)
        if called in ("MT1", "ML1"):
            self._of_meta_world.add(first)

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.Call:
        """Write out garage's defaults and how a game is made; tell of arguments not taken."""
        updated_node = self._with_how_it_is_made(original_node, updated_node)
        called, line = dotted_name(updated_node.func), self._line(original_node)
        full = self.imported.get(called)
        if full is None:
            self._tell_of_methods(line, called)
            return self._told_of_tasks(line, called, updated_node)
        updated_node = self._with_tasks_in_observations(line, full, updated_node)
        given = [arg.keyword.value for arg in updated_node.args if arg.keyword is not None]
        for name in unknown_arguments(self.found.get(called), given):
            self.left.append((line, f"{called} takes no argument {name}"))
        defaults = DEFAULTS.get(_public(full), {})
        if any(arg.star for arg in updated_node.args):
            if defaults:
                self.left.append((line, f"{called}: in garage {shown(defaults)}, if not given"))
            return updated_node
        positional = [arg for arg in updated_node.args if arg.keyword is None]
        added = {
            name: value
            for name, value in defaults.items()
            if name not in given and not (name == "hidden_sizes" and len(positional) > 1)
        }
        if not added:
            return updated_node
        self.changes.append((line, f"{called}: garage's defaults {shown(added)}"))
        return with_arguments(updated_node, added)

    def _embeds_tasks(self) -> bool:
        return any(full.endswith((".TEPPO", ".TENPO")) for full in self.imported.values())

    def _with_tasks_in_observations(self, line: int, full: str, node: cst.Call) -> cst.Call:
        """Let observations end with the task, where an algorithm learns an embedding of it."""
        if not full.endswith(".MultiEnvWrapper") or not self._embeds_tasks():
            return node
        args = []
        for arg in node.args:
            is_mode = arg.keyword is not None and arg.keyword.value == "mode"
            if is_mode and code_of(arg.value).strip("'\"") == "vanilla":
                arg = arg.with_changes(value=cst.SimpleString("'add-onehot'"))
                self.changes.append((line, "observations end with the task"))
            args.append(arg)
        return node.with_changes(args=args)

    def _told_of_tasks(self, line: int, called: str, node: cst.Call) -> cst.Call:
        """Tell `get_infer_spec` of how many numbers the task at the end is."""
        owner, _, method = called.rpartition(".")
        named = {arg.keyword.value: arg.value for arg in node.args if arg.keyword is not None}
        if method != "get_infer_spec" or "num_tasks" in named:
            return node
        if not self.imported.get(owner, "").endswith((".TEPPO", ".TENPO")):
            return node
        env = code_of(named["env_spec"] if "env_spec" in named else node.args[0].value)
        if not env.endswith(".spec"):
            self.left.append((line, f"{called}: num_tasks is how many tasks there are"))
            return node
        tasks = f"{env.removesuffix('.spec')}.num_tasks"
        self.changes.append((line, f"{called}: num_tasks={tasks}"))
        return with_arguments(node, {"num_tasks": tasks})

    def _with_how_it_is_made(self, original_node: cst.Call, updated_node: cst.Call) -> cst.Call:
        first = original_node.args[0].value if original_node.args else None
        if not isinstance(first, cst.SimpleString) or first not in self._made or not self.imported:
            return updated_node
        return with_arguments(updated_node, id_of_today(str(first.evaluated_value))[1])

    def _tell_of_methods(self, line: int, called: str) -> None:
        owner, _, method = called.rpartition(".")
        if "gym" not in self._roots():
            return
        if method == "seed" and "env" in owner:
            self.left.append((line, f"{called}: gymnasium seeds by reset(seed=...)"))
        if method == "render" and "env" in owner:
            self.left.append((line, f"{called}: gymnasium renders as render_mode of `make` says"))

    def _roots(self) -> set[str]:
        return {full.partition(".")[0] for full in self.imported.values()}

    def leave_SimpleString(
        self, original_node: cst.SimpleString, updated_node: cst.SimpleString
    ) -> cst.SimpleString:
        """Bring ids of environments up to date."""
        value = updated_node.evaluated_value
        if not self.imported or not isinstance(value, str):
            return updated_node
        today, told = id_of_today(value)
        if original_node in self._of_meta_world:
            today = task_of_today(value)
        if today == value:
            return updated_node
        line = self._line(original_node)
        if told and original_node not in self._made:
            self.left.append((line, f"{value} is {today}, made with {shown(told)}"))
            return updated_node
        self.changes.append((line, f"{value} is {today}"))
        return updated_node.with_changes(value=updated_node.value.replace(value, today))

    # ---- gym's four, gymnasium's five -------------------------------------------------------

    def leave_SimpleStatementLine(
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> Any:
        """Unpack what `step` returns, and what `reset` does."""
        if len(updated_node.body) != 1 or not self.imported:
            return updated_node
        statement = updated_node.body[0]
        if isinstance(statement, cst.Return) and self._classes and self._classes[-1]:
            return self._returned(original_node, updated_node, statement)
        if not isinstance(statement, cst.Assign) or len(statement.targets) != 1:
            return updated_node
        target, value = statement.targets[0].target, statement.value
        if not isinstance(value, cst.Call):
            return updated_node
        made = self.imported.get(dotted_name(value.func), "")
        if made.startswith(("garage.envs", "garage.tf.envs")):
            self._envs.add(dotted_name(target))
        if not isinstance(value.func, cst.Attribute):
            return updated_node
        method, owner = value.func.attr.value, dotted_name(value.func.value)
        if owner not in self._envs and "gym" not in self._roots():
            return updated_node
        line = self._line(original_node)
        if method == "reset" and isinstance(target, cst.Name):
            self.changes.append((line, "reset returns an observation and infos"))
            return assigning(updated_node, statement, cst.parse_expression(f"{target.value}, _"))
        if method != "step" or not isinstance(target, cst.Tuple) or len(target.elements) != 4:
            return updated_node
        first, reward, done, infos = [code_of(element.value) for element in target.elements]
        if owner in self._envs:
            self.changes.append((line, "step returns an EnvStep"))
            step = assigning(updated_node, statement, cst.Name("env_step"))
            parts = "env_step.observation, env_step.reward, env_step.last, env_step.env_info"
            apart = cst.parse_statement(f"{first}, {reward}, {done}, {infos} = {parts}")
            return cst.FlattenSentinel([step, apart])
        self.changes.append((line, "step tells termination from truncation"))
        five = cst.parse_expression(f"{first}, {reward}, terminated, truncated, {infos}")
        unpacked = assigning(updated_node, statement, five)
        if done == "_":
            return unpacked
        together = cst.parse_statement(f"{done} = terminated or truncated")
        return cst.FlattenSentinel([unpacked, together])

    def visit_ClassDef(self, node: cst.ClassDef) -> None:
        """Note whether a class is an environment of gym's."""
        bases = [dotted_name(base.value) for base in node.bases]
        full = [self.imported.get(name.partition(".")[0], "") for name in bases]
        self._classes.append(any(name.startswith("gym") for name in full))

    def leave_ClassDef(self, original_node: cst.ClassDef, updated_node: cst.ClassDef) -> Any:
        """Forget it."""
        self._classes.pop()
        return updated_node

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        """Note the method that statements are in."""
        self._methods.append(node.name.value)

    def _returned(
        self, original: cst.SimpleStatementLine, line: cst.SimpleStatementLine, node: cst.Return
    ) -> cst.SimpleStatementLine:
        method, value = self._methods[-1] if self._methods else "", node.value
        code = "" if value is None else code_of(value)
        if method == "step" and isinstance(value, cst.Tuple) and len(value.elements) == 4:
            parts = [code_of(e.value) for e in value.elements]
            code = ", ".join([*parts[:3], "False", parts[3]])
        elif method == "reset" and value is not None and not isinstance(value, cst.Tuple):
            code = f"{code}, {{}}"
        else:
            return line
        self.changes.append((self._line(original), f"{method} returns what gymnasium's does"))
        return line.with_changes(body=[node.with_changes(value=cst.parse_expression(code))])

    def leave_FunctionDef(
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef:
        """Let `reset` take a seed, and parameters of experiments follow a `*`."""
        self._methods.pop()
        line, params = self._line(original_node), updated_node.params
        is_reset = any(self._classes[-1:]) and updated_node.name.value == "reset"
        takes_more = params.kwonly_params or params.star_kwarg or len(params.params) != 1
        if is_reset and not takes_more:
            self.changes.append((line, "reset takes seed and options"))
            taking = parameters("self, *, seed=None, options=None")
            return updated_node.with_changes(params=taking)
        decorators = [
            dotted_name(d.decorator.func if isinstance(d.decorator, cst.Call) else d.decorator)
            for d in updated_node.decorators
        ]
        wraps = [self.imported.get(d, "").endswith(".wrap_experiment") for d in decorators]
        if any(wraps):
            self._wrapped.add(updated_node.name.value)
            if len(params.params) > 1 and isinstance(params.star_arg, cst.MaybeSentinel):
                self.changes.append((line, "parameters of an experiment are keywords"))
                first, *others = params.params
                return updated_node.with_changes(
                    params=params.with_changes(
                        params=[first], kwonly_params=[*others, *params.kwonly_params]
                    )
                )
        return updated_node

    # ---- the whole --------------------------------------------------------------------------

    def leave_Module(self, original_node: cst.Module, updated_node: cst.Module) -> cst.Module:
        """Start experiments only where the script itself is run."""
        started: list[Any] = []
        body = list(updated_node.body)
        while body and self._starts(body[-1]):
            started.insert(0, body.pop())
        if not started:
            return updated_node
        self.changes.append((len(original_node.code.splitlines()), "started as a script alone"))
        lead, started[0] = started[0].leading_lines, started[0].with_changes(leading_lines=[])
        guard = cst.parse_statement('if __name__ == "__main__":\n    pass\n')
        guard = guard.with_changes(leading_lines=lead, body=cst.IndentedBlock(started))
        return updated_node.with_changes(body=[*body, guard])

    def _starts(self, statement: Any) -> bool:
        if not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) != 1:
            return False
        expression = statement.body[0]
        call = expression.value if isinstance(expression, cst.Expr) else None
        return isinstance(call, cst.Call) and dotted_name(call.func) in self._wrapped

    def _line(self, node: cst.CSTNode) -> int:
        position = self.get_metadata(PositionProvider, node)
        return int(position.start.line)


def _moved(module: str) -> str:
    """Return the module by its name here."""
    if module in MODULES:
        return MODULES[module]
    root, dot, rest = module.partition(".")
    return PACKAGES.get(root, root) + dot + rest


def _public(full: str) -> str:
    """Return a class by the shortest name that garage has for it."""
    *rooms, name = full.split(".")
    return ".".join([*rooms[:3], name])
