import ast
import json
import re
from pathlib import Path

import pytest

from garage_like.snapshot import list_snapshots

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = sorted(str(path.relative_to(EXAMPLES)) for path in EXAMPLES.rglob("*.py"))

# Example, its algorithm, and what a short run takes: enough for two epochs with an update each.
TRAINING = {
    "np/cem_cartpole.py": ("CEM", 50),
    "np/cma_es_cartpole.py": ("CMAES", 50),
    "np/tutorial_cem.py": ("SimpleCEM", 50),
    "torch/vpg_pendulum.py": ("VPG", 400),
    "torch/ppo_pendulum.py": ("PPO", 400),
    "torch/ppo_cartpole.py": ("PPO", 200),
    "torch/trpo_cartpole.py": ("TRPO", 200),
    "torch/trpo_pendulum.py": ("TRPO", 400),
    "torch/tutorial_vpg.py": ("SimpleVPG", 300),
    "your_own_algorithm.py": ("QLearning", 300),
}
TESTED_BELOW = {
    "kill_and_resume.py",
    "torch/resume_training.py",
    "step_gym_env.py",
    "sim_policy.py",
}


def test_every_example_is_tested() -> None:
    assert set(NAMES) == TRAINING.keys() | TESTED_BELOW


@pytest.mark.parametrize("name", NAMES)
def test_example_says_what_it_shows_and_how_to_run_it(name: str) -> None:
    tree = ast.parse((EXAMPLES / name).read_text())
    text = ast.get_docstring(tree) or ""
    assert f"    python examples/{name}" in text
    last = tree.body[-1]
    assert isinstance(last, ast.If)
    assert ast.unparse(last.test) == "__name__ == '__main__'"


@pytest.mark.parametrize("name", NAMES)
def test_every_option_of_an_example_is_explained(name: str) -> None:
    tree = ast.parse((EXAMPLES / name).read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    options = [call for call in calls if ast.unparse(call.func) == "click.option"]
    assert options
    assert all("help" in {keyword.arg for keyword in option.keywords} for option in options)


@pytest.mark.parametrize("name", TRAINING)
def test_example_trains_saves_and_is_shown(name, run_example, garage_like, rows, tmp_path) -> None:
    algorithm, batch_size = TRAINING[name]
    output = run_example(name, "--n-epochs", 2, "--batch-size", batch_size, "--seed", 3)
    (run_dir,) = (tmp_path / "data/local/experiment").iterdir()
    log = rows(run_dir)
    assert len(log) == 2
    assert float(log[1]["TotalEnvSteps"]) >= 2 * batch_size
    assert f"[{run_dir.name}] Saved epoch #1\n" in output
    assert f"Evaluation/AverageReturn  {float(log[1]['Evaluation/AverageReturn']):.6g}"[:30] in (
        re.sub(r"  +", "  ", output)
    )
    assert list_snapshots(run_dir)[-1].name == "epoch_000001"
    shown = json.loads(garage_like("show", run_dir, "--json"))
    assert shown["classes"]["algo"].rpartition(".")[2] == algorithm
    given = {"seed": 3, "n_epochs": 2, "batch_size": batch_size}
    assert given.items() <= shown["parameters"].items()


def test_steps_tell_termination_from_truncation(run_example) -> None:
    output = run_example("step_gym_env.py", "--env", "CartPole-v1", "--episodes", 2)
    assert re.search(r"episode 1: return (\d+)\.00, terminated after \1 env steps", output)
    output = run_example("step_gym_env.py", "--env", "Pendulum-v1", "--max-episode-length", 7)
    assert output.count("truncated after 7 env steps") == 5


def test_policy_of_a_snapshot_is_played(run_example) -> None:
    run_example("torch/ppo_cartpole.py", "--n-epochs", 2, "--batch-size", 200)
    run_dir = "data/local/experiment/ppo_cartpole"
    last = run_example("sim_policy.py", run_dir, "--episodes", 3)
    returns = re.findall(r"episode \d: return (\d+)\.00 in (\d+) env steps", last)
    assert len(returns) == 3
    assert all(total == length for total, length in returns)
    average = sum(int(total) for total, _ in returns) / 3
    assert f"average return {average:.2f}, standard deviation" in last
    assert run_example("sim_policy.py", run_dir, "--episodes", 3, "--which", 0) != last
