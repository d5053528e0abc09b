"""The model card of a run on the Hugging Face Hub: `README.md`, read off the manifest as data."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from garage_like.logging.notices import printable
from garage_like.runs.overview import RETURN, class_name, environment_name
from garage_like.snapshot.disk.manifest import Manifest

SPREAD = "Evaluation/StdReturn"
EPISODES = "Evaluation/NumEpisodes"


def model_card(
    manifest: Manifest,
    variant: Mapping[str, Any],
    repo: str,
    others: Mapping[str, Any] | None = None,
) -> str:
    """Write the card of one snapshot.

    Args:
        manifest: of the snapshot.
        variant: parameters of the run.
        repo: ORG/NAME.
        others: more lines of the table of facts.
    """
    task = environment_name(manifest) or "an environment of its own"
    algorithm = class_name(manifest, "algo") or "an algorithm"
    header = {
        "library_name": "garage-like",
        "pipeline_tag": "reinforcement-learning",
        "tags": ["reinforcement-learning", "garage-like", algorithm, task],
        "model-index": [_results(manifest, algorithm, task)],
    }
    facts = {
        "task": task,
        "algorithm": algorithm,
        "return": return_with_spread(manifest) or "not evaluated",
        "epoch": manifest.epoch,
        "env steps": f"{manifest.total_env_steps:,}",
        "seed": manifest.seed,
        "trained until": _date(manifest.created),
        **(others or {}),
    }
    rows = [f"| {name} | {_cell(value)} |" for name, value in facts.items()]
    versions = manifest.fingerprint.get("versions", {})
    made_with = ", ".join(f"{name} {version}" for name, version in versions.items())
    parts = [
        "---\n" + "".join(f"{k}: {json.dumps(v)}\n" for k, v in header.items()) + "---\n",
        f"# {repo}\n\n{_plain(algorithm)} on {_plain(task)}, trained with garage_like.\n",
        "\n".join(["| | |", "|---|---|", *rows]) + "\n",
        _how_to_load(repo, _framework(manifest)),
        _exactness(manifest, made_with),
    ]
    if variant:
        shown = json.dumps(variant, indent=2, default=str)
        parts.append(f"## Parameters\n\n```json\n{shown}\n```\n")
    return "\n".join(parts)


def return_with_spread(manifest: Manifest) -> str | None:
    """Return the average return of the evaluation, with its standard deviation, if known."""
    mean, spread = manifest.metric(RETURN), manifest.metric(SPREAD)
    if mean is None:
        return None
    episodes = manifest.metric(EPISODES)
    text = f"{mean:.2f}" if spread is None else f"{mean:.2f} +/- {spread:.2f}"
    return text if episodes is None else f"{text} over {episodes:.0f} episodes"


def _results(manifest: Manifest, algorithm: str, task: str) -> dict[str, Any]:
    mean, spread = manifest.metric(RETURN), manifest.metric(SPREAD)
    if mean is None:
        return {"name": algorithm, "results": []}
    value = f"{mean:.2f}" if spread is None else f"{mean:.2f} +/- {spread:.2f}"
    result = {
        "task": {"type": "reinforcement-learning", "name": "reinforcement-learning"},
        "dataset": {"name": task, "type": task},
        "metrics": [{"type": "mean_reward", "value": value, "verified": False}],
    }
    return {"name": algorithm, "results": [result]}


def _framework(manifest: Manifest) -> str:
    """Return the extra, with its comma, that brings what the run's objects are made with."""
    rooms = {name.split(".")[1] for name in manifest.classes.values() if name.count(".") > 1}
    extras = {"torch": ",torch", "tf": ",tensorflow"}
    return "".join(extra for room, extra in extras.items() if room in rooms)


def _how_to_load(repo: str, torch_or_tensorflow: str) -> str:
    folder = f"data/local/hub/{repo}"
    return f"""## How to load

```console
$ pip install 'garage-like[hub{torch_or_tensorflow}]'
$ garage-like hub pull {repo}
$ garage-like show {folder}            # runs no code of it
$ garage-like resume {folder} --trust  # go on training
```

```python
from garage_like import load_policy

policy = load_policy("{folder}", trust=True)
action, info = policy.get_action(observation)
```

What was pulled is data until you say `trust`: building the objects runs code that the snapshot
brings along. The weights alone are in `snapshots/*/tensors/*.safetensors`, and need no trust.
"""


def _exactness(manifest: Manifest, made_with: str) -> str:
    if manifest.exact:
        first = (
            "The run resumes bit for bit with the same versions on the same kind of processor:"
            " `garage-like resume --require-exact` refuses if they differ."
        )
    else:
        first = "The run resumes, but not bit for bit: " + _plain("; ".join(manifest.reasons)) + "."
    return f"## Exactness\n\n{first}\n\nMade with {_plain(made_with) or 'unknown versions'}.\n"


def _date(unix_time: float) -> str:
    return datetime.fromtimestamp(unix_time, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _cell(value: Any) -> str:
    return _plain(str(value))


def _plain(text: str) -> str:
    """Return a text of any origin as Markdown that shows it, and obeys nothing in it."""
    return re.sub(r"([\\`*\[\]<>|&#])", r"\\\1", printable(" ".join(text.split())))
