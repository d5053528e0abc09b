import ast
import json
import re
from pathlib import Path

import pytest

from garage_like.snapshot import list_snapshots

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = sorted(str(path.relative_to(EXAMPLES)) for path in EXAMPLES.rglob("*.py"))

# Its algorithm, and env steps per epoch for a run of two epochs with an update each.
QUICK = {
    "np/cem_cartpole.py": ("CEM", 50),
    "np/cma_es_cartpole.py": ("CMAES", 50),
    "np/tutorial_cem.py": ("SimpleCEM", 50),
    "np/q_learning_frozen_lake.py": ("QLearning", 10),
    "np/sarsa_cliff_walking.py": ("SARSA", 10),
    "torch/vpg_pendulum.py": ("VPG", 400),
    "torch/ppo_pendulum.py": ("PPO", 400),
    "torch/ppo_cartpole.py": ("PPO", 200),
    "torch/trpo_cartpole.py": ("TRPO", 200),
    "torch/trpo_pendulum.py": ("TRPO", 400),
    "torch/tutorial_vpg.py": ("SimpleVPG", 300),
    "torch/dqn_cartpole.py": ("DQN", 110),
    "torch/sac_pendulum.py": ("SAC", 14),
    "tf/trpo_cartpole.py": ("TRPO", 200),
    "jax/ppo_cartpole.py": ("PPO", 2048),
    "your_own_algorithm.py": ("QLearning", 300),
    "your_own_kind.py": ("CountingExplorer", 300),
}
TESTED_BY_NAME = {
    "adapters/own_loop.py",
    "adapters/sb3_ppo.py",
    "adapters/skrl_pendulum.py",
    "adapters/tianshou_cartpole.py",
    "adapters/rl_games_cartpole.py",
    "adapters/torchrl_cartpole.py",
    "adapters/keras_cartpole.py",
    "kill_and_resume.py",
    "tf/resume_training.py",
    "tf/trpo_gym_tf_cartpole_pretrained.py",
    "torch/resume_training.py",
    "torch/trained_agent.py",
    "step_gym_env.py",
    "sim_policy.py",
}


def test_no_example_is_forgotten() -> None:
    assert set(NAMES) >= QUICK.keys() | TESTED_BY_NAME


@pytest.mark.parametrize("name", NAMES)
def test_example_says_what_it_shows_and_how_to_run_it(name: str) -> None:
    tree = ast.parse((EXAMPLES / name).read_text())
    text = ast.get_docstring(tree) or ""
    assert f"python examples/{name}" in text
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


def check_that_it_trains(run_example, garage_like, rows, folder, name, **options) -> str:
    """Run an example for two epochs; return the name of its algorithm."""
    words = [f"--{key.replace('_', '-')}={value}" for key, value in options.items()]
    output = run_example(name, "--n-epochs=2", "--seed=3", *words)
    (run_dir,) = (folder / "data/local/experiment").iterdir()
    before, last = rows(run_dir)
    assert 0 < float(before["TotalEnvSteps"]) < float(last["TotalEnvSteps"])
    assert re.search(rf"^TotalEnvSteps +{last['TotalEnvSteps']}$", output, re.MULTILINE)
    assert f"[{run_dir.name}] epoch #1 | Saved\n" in output
    assert list_snapshots(run_dir)[-1].name == "epoch_000001"
    shown = json.loads(garage_like("show", run_dir, "--json"))
    assert (shown["epoch"], shown["seed"]) == (1, 3)
    assert {"n_epochs": 2, "seed": 3, **options}.items() <= shown["parameters"].items()
    return shown["classes"]["algo"].rpartition(".")[2]


@pytest.mark.parametrize("name", QUICK)
def test_example_trains_saves_and_is_shown(name, run_example, garage_like, rows, tmp_path) -> None:
    algorithm, batch_size = QUICK[name]
    parts = (run_example, garage_like, rows, tmp_path)
    assert check_that_it_trains(*parts, name, batch_size=batch_size) == algorithm


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(NAMES) - QUICK.keys() - TESTED_BY_NAME))
def test_other_example_trains(name, run_example, garage_like, rows, tmp_path) -> None:
    assert check_that_it_trains(run_example, garage_like, rows, tmp_path, name)


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


def test_other_loops_go_on_where_they_were(run_example, garage_like, rows, tmp_path) -> None:
    for n_epochs in (1, 3):
        run_example("adapters/own_loop.py", f"--n-epochs={n_epochs}", "--log-dir=a")
    run_example("adapters/own_loop.py", "--n-epochs=3", "--log-dir=b")
    ours, theirs = ([row["AverageReturn"] for row in rows(tmp_path / d)] for d in "ab")
    assert len(ours) == 3
    assert ours == theirs
    output = run_example("adapters/sb3_ppo.py", "--timesteps=1024")
    assert "mean return" in output
    assert len(list_snapshots(tmp_path / "runs/sb3_ppo")) == 2
    assert "exact" in garage_like("show", "runs/sb3_ppo")
