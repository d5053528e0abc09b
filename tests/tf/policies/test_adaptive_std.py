"""GaussianMLPPolicy with deviations for each observation: it acts on what it learns."""

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from garage_like.envs import PointEnv
from garage_like.np.baselines import LinearFeatureBaseline
from garage_like.sampler import LocalSampler
from garage_like.seeding import set_seed
from garage_like.tf.algos import PPO
from garage_like.tf.policies import GaussianMLPPolicy
from garage_like.trainer import TFTrainer


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("parameterization", ["exp", "softplus"])
def test_deviations_are_acted_on_as_they_are_learned(shared, parameterization):
    set_seed(1)
    env = PointEnv(max_episode_length=10)
    policy = GaussianMLPPolicy(
        env.spec,
        hidden_sizes=(8,),
        adaptive_std=True,
        std_share_network=shared,
        std_hidden_sizes=(6,),
        std_parameterization=parameterization,
        init_std=0.5,
        max_std=2.0,
    )
    sampler = LocalSampler(policy, env)
    batch = sampler.obtain_samples(0, 30)
    distribution = policy(policy.inputs(batch))[0]
    for name in ("mean", "log_std"):
        told = batch.agent_infos[name]
        np.testing.assert_allclose(getattr(distribution, name), told, rtol=1e-4, atol=1e-5)
    stds = np.exp(batch.agent_infos["log_std"])
    assert stds.std(axis=0).min() > 1e-4
    assert 0.1 < stds.mean() < 2.0
    before = policy.get_param_values()
    algo = PPO(env.spec, policy, LinearFeatureBaseline(env.spec), sampler)
    with TFTrainer() as trainer:
        trainer.setup(algo, env)
        trainer.train(1, 30)
    moved = before != policy.get_param_values()
    assert moved.mean() > 0.9
