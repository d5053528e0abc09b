"""The promise for recurrent policies in torch, whose memory is part of a run.

FragmentWorkers leave episodes unfinished at each snapshot: they go on with the same memory.
"""

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import experiments
from experiments import differences

from garage_like.envs import GymEnv
from garage_like.np.baselines import LinearFeatureBaseline
from garage_like.sampler import LocalSampler
from garage_like.seeding import set_seed
from garage_like.torch import algos, policies

N_EPOCHS = 3
CASES = [
    ("VPG", "CategoricalGRUPolicy", "fragment"),
    pytest.param(("PPO", "GaussianLSTMPolicy", "fragment"), marks=pytest.mark.slow),
    pytest.param(("TRPO", "CategoricalLSTMPolicy", "fragment"), marks=pytest.mark.slow),
    pytest.param(("PPO", "CategoricalCfCPolicy", "fragment"), marks=pytest.mark.slow),
    pytest.param(("PPO", "GaussianGRUPolicy", "vec"), marks=pytest.mark.slow),
    pytest.param(("TRPO", "GaussianGRUPolicy", "default"), marks=pytest.mark.slow),
]


def train(run_dir: Path, case: tuple[str, str, str]) -> dict[str, Any]:
    """Train from nothing, keeping every snapshot; return what the run came to."""
    algorithm, policy_class, worker = case
    set_seed(11)
    name = "CartPole-v1" if policy_class.startswith("Categorical") else "Pendulum-v1"
    env = GymEnv(name, max_episode_length=40)
    policy = getattr(policies, policy_class)(env.spec, hidden_dim=8)
    sampler = LocalSampler(
        policy,
        env,
        worker_class=experiments.WORKERS[worker],
        worker_args={} if worker == "default" else {"n_envs": 3},
        n_workers=2,
    )
    algo = getattr(algos, algorithm)(env.spec, policy, LinearFeatureBaseline(env.spec), sampler)
    with experiments.recorded(run_dir) as trainer:
        trainer.setup(algo, env)
        trainer.train(N_EPOCHS, 130)
        return experiments.outcome(trainer, run_dir)


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(case))
def test_resumed_run_equals_the_run_that_never_stopped(case, tmp_path):
    straight = train(tmp_path / "straight", case)
    assert len(straight["rows"]) == N_EPOCHS
    assert "cell.state_weights" in " ".join(straight["state"])
    if case[2] == "fragment":
        assert "_workers[1]._memory" in " ".join(straight["state"])
    shutil.copytree(tmp_path / "straight", tmp_path / "from_1")
    resumed = experiments.resume(tmp_path / "from_1", 1, N_EPOCHS)
    assert differences(straight, resumed)[:8] == []
