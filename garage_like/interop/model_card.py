"""The model card of a run on the Hugging Face Hub: `README.md`, read off the manifest as data.

Its header is written by huggingface_hub, which knows what the Hub reads there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from garage_like.errors import ON_AN_INDEX, install_command
from garage_like.interop.hub_client import load_library
from garage_like.logging.notices import printable
from garage_like.runs.overview import RETURN, class_name, environment_name
from garage_like.snapshot.disk.manifest import Manifest

SPREAD = "Evaluation/StdReturn"
EPISODES = "Evaluation/NumEpisodes"
REPLAY = "replay.mp4"
_REINFORCEMENT_LEARNING = "reinforcement-learning"
# What an installation needs for what a run uses: libraries whose versions it noted, rooms of ours.
_BY_VERSION = {"mujoco": "mujoco", "ale_py": "atari", "cma": "cma"}
_BY_ROOM = {"torch": "torch", "tf": "tensorflow", "jax": "jax"}


def model_card(
    manifest: Manifest,
    variant: Mapping[str, Any],
    repo: str,
    *,
    has_replay: bool = False,
) -> str:
    """Write the card of one snapshot.

    Args:
        manifest: of the snapshot.
        variant: parameters of the run.
        repo: ORG/NAME.
        has_replay: whether a video of the policy goes along.

    Raises:
        ModuleNotFoundError: if huggingface_hub is not installed.
    """
    library = load_library()
    task = environment_name(manifest) or "an environment of its own"
    algorithm = class_name(manifest, "algo") or "an algorithm"
    header = library.ModelCardData(
        library_name="garage-like",
        pipeline_tag=_REINFORCEMENT_LEARNING,
        tags=[_REINFORCEMENT_LEARNING, "garage-like", algorithm, task],
        model_name=algorithm,
        eval_results=_results(library, manifest, task),
    )
    facts = {
        "task": task,
        "algorithm": algorithm,
        "return": return_with_spread(manifest) or "not evaluated",
        "epoch": manifest.epoch,
        "env steps": f"{manifest.total_env_steps:,}",
        "seed": manifest.seed,
        "trained until": _date(manifest.created),
    }
    rows = [f"| {name} | {_cell(value)} |" for name, value in facts.items()]
    versions = manifest.fingerprint.get("versions", {})
    made_with = ", ".join(f"{name} {version}" for name, version in versions.items())
    parts = [
        f"---\n{header.to_yaml()}\n---\n",
        f"# {repo}\n\n{_plain(algorithm)} on {_plain(task)}, trained with garage_like.\n",
        "\n".join(["| | |", "|---|---|", *rows]) + "\n",
        *(
            [f'<video src="{_address(library, repo)}" controls loop></video>\n']
            if has_replay
            else []
        ),
        _how_to_load(repo, _extras(manifest)),
        _exactness(manifest, made_with),
    ]
    if variant:
        shown = json.dumps(variant, indent=2, default=str)
        parts.append(f"## Parameters\n\n```json\n{shown}\n```\n")
    return str(library.ModelCard("\n".join(parts), ignore_metadata_errors=False))


def return_with_spread(manifest: Manifest) -> str | None:
    """Return the average return of the evaluation, with its standard deviation, if known."""
    mean, spread = manifest.metric(RETURN), manifest.metric(SPREAD)
    if mean is None:
        return None
    episodes = manifest.metric(EPISODES)
    text = f"{mean:.2f}" if spread is None else f"{mean:.2f} +/- {spread:.2f}"
    return text if episodes is None else f"{text} over {episodes:.0f} episodes"


def _results(library: Any, manifest: Manifest, task: str) -> list[Any] | None:
    """Return what the evaluation found; of the value the Hub shows mean and deviation."""
    mean, spread = manifest.metric(RETURN), manifest.metric(SPREAD)
    if mean is None:
        return None
    return [
        library.EvalResult(
            task_type=_REINFORCEMENT_LEARNING,
            task_name=_REINFORCEMENT_LEARNING,
            dataset_type=task,
            dataset_name=task,
            metric_type="mean_reward",
            metric_name="mean_reward",
            metric_value=f"{mean:.2f}" if spread is None else f"{mean:.2f} +/- {spread:.2f}",
            verified=False,
        )
    ]


def _address(library: Any, repo: str) -> str:
    return str(library.hf_hub_url(repo, REPLAY))


def _extras(manifest: Manifest) -> list[str]:
    """Return the extras that bring what the run's objects are made with."""
    rooms = {name.split(".")[1] for name in manifest.classes.values() if name.count(".") > 1}
    versions = manifest.fingerprint.get("versions", {})
    wanted = [extra for room, extra in _BY_ROOM.items() if room in rooms]
    wanted += [extra for library, extra in _BY_VERSION.items() if library in versions]
    return wanted


def _how_to_load(repo: str, extras: Sequence[str]) -> str:
    folder = f"data/local/hub/{repo}"
    return f"""## How to load

{"" if ON_AN_INDEX else "In a clone of garage_like's repository:"}

```console
$ {install_command("hub", *extras)}
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
