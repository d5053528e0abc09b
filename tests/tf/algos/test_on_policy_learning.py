"""On-policy algorithms learn CartPole, capped at 200 env steps, as torch's do."""

import pytest

from garage_like.envs import GymEnv
from garage_like.np.baselines import LinearFeatureBaseline
from garage_like.sampler import LocalSampler
from garage_like.seeding import set_seed
from garage_like.tf.algos import NPO, PPO, TNPG, TRPO, VPG
from garage_like.tf.baselines import GaussianMLPBaseline
from garage_like.tf.optimizers import Adam, OptimizerWrapper
from garage_like.tf.policies import CategoricalMLPPolicy

pytestmark = pytest.mark.slow


def adam(module, passes):
    return OptimizerWrapper((Adam, {"lr": 1e-3}), module, passes, 128)


def make(name, env):
    policy = CategoricalMLPPolicy(env.spec, hidden_sizes=(32, 32))
    sampler = LocalSampler(policy, env)
    if name == "PPO":
        baseline = GaussianMLPBaseline(env.spec)
        options = {"policy_optimizer": adam(policy, 10), "vf_optimizer": adam(baseline, 10)}
        return PPO(env.spec, policy, baseline, sampler, **options)
    if name == "NPO":
        baseline = GaussianMLPBaseline(env.spec, use_trust_region=True, normalize_outputs=True)
        optimizer = OptimizerWrapper((Adam, {"lr": 1e-2}), policy)
        return NPO(env.spec, policy, baseline, sampler, policy_optimizer=optimizer)
    linear = LinearFeatureBaseline(env.spec)
    if name == "VPG":
        optimizer = OptimizerWrapper((Adam, {"lr": 1e-2}), policy)
        return VPG(env.spec, policy, linear, sampler, policy_optimizer=optimizer)
    return {"TRPO": TRPO, "TNPG": TNPG}[name](env.spec, policy, linear, sampler)


@pytest.mark.parametrize(
    ("name", "seed", "n_epochs"),
    [
        *[("TRPO", seed, 15) for seed in (1, 2, 3)],
        ("TNPG", 1, 15),
        ("PPO", 1, 20),
        ("NPO", 1, 60),
        ("VPG", 1, 60),
    ],
)
def test_cartpole_is_learned(name, seed, n_epochs, learn):
    set_seed(seed)
    env = GymEnv("CartPole-v1", max_episode_length=200)
    assert learn(make(name, env), env, 190.0, n_epochs, 4000)[-1] >= 190.0
