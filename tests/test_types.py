"""Type checkers accept what users write, and see what a decorated experiment takes."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mypy")

ROOT = Path(__file__).parents[1]

CALLS = """
from typing import Any

from garage_like import wrap_experiment
from garage_like.experiment import SnapshotConfig


@wrap_experiment
def plain(ctxt: Any = None, *, seed: int = 1) -> float:
    return 1.0


@wrap_experiment(auto_resume=True, snapshot_mode="gap", snapshot_gap="auto", keep_best=2)
def with_options(ctxt: Any, *, seed: int) -> float:
    return 1.0


returned: float = plain(seed=3)
returned = plain({"name": "other"}, seed=3)
returned = plain(ctxt={"name": "other"}, seed=3)
returned = with_options(seed=3)
name: str = plain.__name__
plain(sed=3)  # wrong
plain(seed="three")  # wrong
plain(3)  # wrong
with_options()  # wrong
not_a_number: str = plain()  # wrong

wrap_experiment(snapshot_mode="lst")  # wrong
wrap_experiment(snapshot_mod="last")  # wrong
wrap_experiment(snapshot_gap="now and then")  # wrong
wrap_experiment(keep_best="all")  # wrong
wrap_experiment(trackers=3)  # wrong
SnapshotConfig(snapshot_dir="here", best_mode="least")  # wrong
wrap_experiment(prefix="mine", trackers=["wandb"], mirror=None)
"""

ARGUMENTS = """
from typing import Any

from garage_like.np.baselines import LinearFeatureBaseline
from garage_like.sampler import DefaultWorker, FragmentWorker
from garage_like.tf import algos as tf
from garage_like.torch import algos as torch
from garage_like.torch.policies import CategoricalMLPPolicy


def calls(spec: Any, policy: Any, vf: Any, qf: Any, buffer: Any) -> None:
    torch.PPO(spec, policy, vf, gae_lambda=0.9, discount=0.9, name="mine")
    torch.PPO(spec, policy, vf, discont=0.9)  # wrong
    torch.TRPO(spec, policy, vf, entropy_method="most")  # wrong
    tf.VPG(spec, policy, vf, optimizer_args={"learning_rate": 0.1}, center_adv=False)
    tf.RL2PPO(spec, policy, vf, task_sampler=Any, lr_clip_range="wide")  # wrong
    torch.DQN(spec, policy, qf, buffer, n_train_steps=5, num_eval_episodes=3, name="mine")
    torch.DQN(spec, policy, qf, buffer, n_train_step=5)  # wrong
    tf.DQN(spec, policy, qf, buffer, grad_norm_clipping=10.0, deterministic_eval=True)
    tf.DQN(spec, policy, qf, buffer, double_q="yes")  # wrong
    torch.SAC(spec, policy, qf, qf, buffer, reward_scaling=2.0, exploration_policy=None)
    torch.SAC(spec, policy, qf, qf, buffer, reward_scaling="2")  # wrong
    tf.TD3(spec, policy, qf, qf, buffer, grad_steps_per_env_step=0.5, actor_update_period=2)
    torch.DDPG(spec, 3, qf, buffer)  # wrong
    CategoricalMLPPolicy(spec, name="mine")
    CategoricalMLPPolicy(spec, nam="mine")  # wrong
    LinearFeatureBaseline(spec, name="mine")
    FragmentWorker(n_envs=4, max_episode_length=100)
    DefaultWorker(n_envs=4)  # wrong
"""


def write_what_users_write(directory: Path) -> list[str]:
    """Put the README's experiment and calls into a directory; return the files' names."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    experiment = re.findall(r"^```python\n(.*?)^```", readme, re.DOTALL | re.MULTILINE)[0]
    files = {"readme.py": experiment, "calls.py": CALLS, "arguments.py": ARGUMENTS}
    for name, text in files.items():
        (directory / name).write_text(text, encoding="utf-8")
    return [*files]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return the errors of one run over all: each would read the libraries again."""
    pytest.importorskip("torch")
    directory = tmp_path_factory.mktemp("user")
    files = write_what_users_write(directory)
    examples = sorted(str(path) for path in (ROOT / "examples").rglob("*.py"))
    # As an editable install has it: the sources stand on a plain path.
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--follow-imports=silent",
            "--explicit-package-bases",
            *files,
            *examples,
        ],
        cwd=directory,
        env={**os.environ, "MYPYPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    last = (done.stdout.splitlines() or [""])[-1]
    assert f"checked {len(files) + len(examples)} source files" in last, done.stdout + done.stderr
    errors = [line for line in done.stdout.splitlines() if ": error:" in line]
    # That another library has no types, or is not installed, is not for an example to mend.
    others = ("[import-untyped]", "[import-not-found]")
    return [e for e in errors if not e.endswith(others) or '"garage_like' in e]


def test_the_readme_and_the_examples_pass(told: list[str]) -> None:
    assert not [line for line in told if not line.startswith(("calls.py:", "arguments.py:"))]


@pytest.mark.parametrize(("name", "text"), [("calls.py", CALLS), ("arguments.py", ARGUMENTS)])
def test_what_is_wrong_is_refused_and_nothing_else(told: list[str], name: str, text: str) -> None:
    wrong = {i for i, line in enumerate(text.splitlines(), 1) if line.endswith("# wrong")}
    found = [line for line in told if line.startswith(f"{name}:")]
    assert {int(line.split(":")[1]) for line in found} == wrong, found


@pytest.mark.slow
def test_pyright_accepts_and_refuses_the_same(tmp_path: Path) -> None:
    pytest.importorskip("pyright")
    pytest.importorskip("torch")
    write_what_users_write(tmp_path)
    settings = {"include": [".", str(ROOT / "examples")], "extraPaths": [str(ROOT)]}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    command = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, "--outputjson"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    found = json.loads(done.stdout)["generalDiagnostics"]
    told = {
        (Path(one["file"]).name, one["range"]["start"]["line"] + 1): one["message"]
        for one in found
        if one["severity"] == "error" and one.get("rule") != "reportMissingImports"
    }
    wrong = {
        (name, i)
        for name, text in (("calls.py", CALLS), ("arguments.py", ARGUMENTS))
        for i, line in enumerate(text.splitlines(), 1)
        if line.endswith("# wrong")
    }
    assert told.keys() == wrong, told
