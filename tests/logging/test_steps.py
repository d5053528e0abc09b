"""Steps of an epoch are logged as they begin, in garage's order, unless they are not wanted."""

import pytest

from garage_like import Trainer, wrap_experiment
from garage_like.envs import GymEnv
from garage_like.errors import SnapshotNotFoundError
from garage_like.experiment.deterministic import set_seed
from garage_like.logging.steps import log_step
from garage_like.sampler import LocalSampler

ORDER = [
    "Setting seed to 3",
    "Obtaining samples...",
    "Obtaining samples for iteration 0...",
    "Logging diagnostics...",
    "Optimizing policy...",
    "Computing loss before",
    "Computing KL before",
    "Optimizing",
    "Computing KL after",
    "Computing loss after",
    "Fitting baseline...",
]


def train(log_dir, **options):
    from garage_like.torch.algos import VPG
    from garage_like.torch.policies import CategoricalMLPPolicy
    from garage_like.torch.value_functions import GaussianMLPValueFunction

    @wrap_experiment(log_dir=log_dir, archive_launch_repo=False, console=False, **options)
    def run(ctxt):
        set_seed(3)
        env = GymEnv("CartPole-v1", max_episode_length=5)
        policy = CategoricalMLPPolicy(env.spec, hidden_sizes=(4,))
        trainer = Trainer(ctxt)
        sampler = LocalSampler(policy, env)
        trainer.setup(VPG(env.spec, policy, GaussianMLPValueFunction(env.spec), sampler), env)
        trainer.train(1, 10)

    run()
    lines = (log_dir / "debug.log").read_text().splitlines()
    return [line.split(" | ")[-1].rpartition("] ")[2] for line in lines]


def test_steps_are_logged_in_garages_order(tmp_path):
    pytest.importorskip("torch")
    logged = train(tmp_path / "run")
    assert [line for line in logged if line in ORDER] == ORDER
    assert logged.index("Saving snapshot...") > logged.index("Fitting baseline...")


def test_steps_that_are_not_wanted_are_not_logged(tmp_path):
    pytest.importorskip("torch")
    logged = train(tmp_path / "run", log_steps=False)
    assert not {*logged} & {*ORDER}
    assert "Saving snapshot..." in logged


def test_a_step_without_a_run_is_said_to_nobody(capsys):
    log_step("Optimizing policy...")
    set_seed(3)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", ["params.pkl", "itr_9.pkl"])
def test_a_run_of_garages_is_told_apart_from_none(name, tmp_path):
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(SnapshotNotFoundError, match=rf"{name} is garage's, a pickle.*migrate"):
        Trainer().restore(tmp_path)
