"""What a run is made of: the constructor arguments of all its parts, defaults resolved.

Files: `configuration.json` in the run directory, written once when training begins, says which
experiment this is before there is any snapshot. Every snapshot's manifest has the same under
`configuration`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from garage_like.configuration.comparison import (
    ENV_SPEC,
    PARAMETERS,
    ConfigPolicy,
    Difference,
    Sections,
    compare,
)
from garage_like.configuration.configured import CLASS, configuration_text
from garage_like.errors import SnapshotMismatchError
from garage_like.files.run_files import CONFIGURATION, VARIANT, read_json
from garage_like.logging.log_files import record_json


class RunConfiguration:
    """Tell what a run is made of; worked out again only if its parts have changed.

    Args:
        run_dir: where the decorated experiment's parameters are, if there is one.
    """

    def __init__(self, run_dir: Path) -> None:
        self._run_dir = run_dir
        self._parameters: dict[str, Any] | None = None
        self._known: tuple[dict[str, str], Sections] | None = None

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of the decorated experiment; nothing if there is none."""
        if self._parameters is None:
            self._parameters = read_json(self._run_dir / VARIANT)
        return self._parameters

    def sections(
        self, algo: Any, env: Any, callbacks: Any = None, *, with_parameters: bool = True
    ) -> Sections:
        """Return the configuration of each part, by the name that its tensors' file has.

        Args:
            algo: its attributes are parts too.
            env: the environment, or None.
            callbacks: whose attributes are parts too, or None.
            with_parameters: include the experiment's; a run that starts from a snapshot of another
                has parameters of its own.
        """
        texts = dict(_texts(parts_of(algo, env, callbacks)))
        if self._known is None or self._known[0] != texts:
            self._known = texts, _sections(texts)
        has_any = with_parameters and self.parameters
        parameters = {PARAMETERS: self.parameters} if has_any else {}
        return {**parameters, **self._known[1]}

    def write(self, algo: Any, env: Any, name_of_env: str, callbacks: Any = None) -> None:
        """Write `configuration.json`, unless it says the same; another one is kept beside it."""
        content = {
            "algorithm": type(algo).__name__,
            "environment": name_of_env or None,
            **self.sections(algo, env, callbacks),
        }
        record_json(self._run_dir / CONFIGURATION, content)

    @staticmethod
    def check(
        snapshot: Path, recorded: Sections, expected: Sections, config_policy: ConfigPolicy
    ) -> list[Difference]:
        """Say what a snapshot was made with otherwise than expected.

        Returns:
            What is to be changed in what will be restored, if the policy is `'update'`, or as far
            as it can be if it is `'warn'`.

        Raises:
            SnapshotMismatchError: if anything, and the policy is `'error'`.
        """
        found = [] if config_policy == "ignore" else compare(recorded, expected)
        if found and config_policy == "error":
            listed = "; ".join(map(str, found))
            raise SnapshotMismatchError(
                f"{snapshot} was made with another configuration: {listed}. A restore brings back"
                " what the snapshot was made with: construct the same, or restore without setup, or"
                " pass config_policy='update' to go on with what is set up now, 'warn' to do so as"
                " far as that can be changed, 'ignore' to go on with the snapshot's"
            )
        return found


def parts_of(algo: Any, env: Any, callbacks: Any = None) -> dict[str, Any]:
    """Return what a run is made of, by the names that its configuration has for it."""
    attributes = dict(getattr(algo, "__dict__", {}))
    attributes.update(attributes.pop("_modules", None) or {})
    parts = {"algo": algo, "env": env}
    parts.update({name.lstrip("_"): part for name, part in attributes.items()})
    for name, one in getattr(callbacks, "__dict__", {}).items():
        parts.setdefault(name, one)  # a function may be called `policy`, and is none
    return parts


def _texts(parts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield name and configuration of each part, as lines of JSON."""
    for name, part in parts.items():
        text = configuration_text(part)
        if text is not None:
            yield name, text


def _sections(texts: Mapping[str, str]) -> Sections:
    """Say each thing once: where a part is an argument of another, its name is enough."""
    sections: Sections = {name: json.loads(text) for name, text in texts.items()}
    spec = sections.get("algo", {}).get(ENV_SPEC)
    if isinstance(spec, dict):
        sections.setdefault(ENV_SPEC, spec)
    named = {json.dumps(section): name for name, section in reversed(sections.items())}
    for name, section in sections.items():
        for key, value in section.items():
            if name == "algo" and key in sections and isinstance(value, dict):
                section[key] = key  # its own, or the one that its constructor made
            else:
                section[key] = _by_name(value, named)
    return sections


def _by_name(value: Any, named: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_by_name(item, named) for item in value]
    if isinstance(value, dict):
        name = named.get(json.dumps(value)) if CLASS in value else None
        return name or {key: _by_name(item, named) for key, item in value.items()}
    return value
