"""What the names in a checkpoint tell: actor or critic, which critic, target network, deviation."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

_CRITIC = re.compile(
    r"^(target_)?(critic|qf|q_?net(work)?|q|vf|value|v_?net|baseline)(?=\d|_|$)(?!.*policy)"
)
_ACTOR = re.compile(
    r"^(target_)?(fc_)?(actor|policy|pi|mu|mean|action|logits|sigma|log_?std|std)(?=\d|_|$)"
)
_DEVIATION = re.compile(r"(^|_)(log_?std|sigma|std)(_|$)")
_LOG_ALPHA = re.compile(r"^log_?(ent_coef|alpha|entropy(_coefficient)?)$")
_ALPHA = re.compile(r"^(ent_coef(_tensor)?|alpha|entropy_coefficient)$")


class Tag(NamedTuple):
    """What a name tells.

    Attributes:
        role: `actor`, `critic`, or empty if the name does not tell: a trunk that both share.
        group: what the names of one critic begin with, to tell several apart.
        is_target: whether it is of a target network.
    """

    role: str
    group: str
    is_target: bool


def tag_of(name: str) -> Tag:
    """Read a name from its end: in `policy.value_layer.weight` the value's layer decides."""
    parts = name.lower().split(".")[:-1] or name.lower().split(".")
    parts = [*parts, *([name.lower().split(".")[-1]] if _DEVIATION.search(name.lower()) else [])]
    role = ""
    for part in reversed(parts):
        role = "critic" if _CRITIC.match(part) else "actor" if _ACTOR.match(part) else ""
        if role:
            break
    return Tag(role, _group(name, parts), any("target" in part for part in parts))


def _group(name: str, parts: list[str]) -> str:
    critics = [place for place, part in enumerate(parts) if _CRITIC.match(part)]
    numbered = [place for place in critics if re.search(r"\d", parts[place])]
    if not critics:
        return ""
    end = numbered[-1] if numbered else critics[0]
    return ".".join(name.split(".")[: end + 1])


def is_deviation(name: str) -> bool:
    """Tell whether a name is that of a standard deviation, or of a layer that gives one."""
    return any(_DEVIATION.search(part) for part in name.lower().split(".")[-2:])


def is_plain_deviation(name: str) -> bool:
    """Tell whether a deviation is what its name says, and not the logarithm of it.

    The `sigma` of rl_games is a logarithm.
    """
    leaf = name.lower().rpartition(".")[2]
    return is_deviation(leaf) and "log" not in leaf and "sigma" not in leaf


def temperature_kind(name: str) -> str:
    """Return `log` or `plain` for a name of SAC's temperature, and nothing for any other."""
    leaf = name.lower().rpartition(".")[2]
    return "log" if _LOG_ALPHA.match(leaf) else "plain" if _ALPHA.match(leaf) else ""


def natural(name: str) -> list[tuple[int, str]]:
    """Return what names are sorted by so that 10 comes after 9."""
    return [(int(p), "") if p.isdigit() else (-1, p) for p in re.split(r"(\d+)", name) if p]


def are_numbered(names: Iterable[str]) -> bool:
    """Tell whether names differ in their numbers alone, which then give their order."""
    return len({without_numbers(name) for name in names}) <= 1


def without_numbers(name: str) -> str:
    """Return what names of layers of one network have in common."""
    return re.sub(r"\d+", "#", name)
