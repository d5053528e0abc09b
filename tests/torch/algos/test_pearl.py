import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from garage_like import TimeStep
from garage_like.envs import PointEnv
from garage_like.experiment import SetTaskSampler
from garage_like.sampler import LocalSampler, VecWorker
from garage_like.torch import product_of_gaussians
from garage_like.torch.algos import PEARL
from garage_like.torch.algos.pearl import PEARLWorker
from garage_like.torch.embeddings import MLPEncoder
from garage_like.torch.policies import ContextConditionedPolicy, TanhGaussianMLPPolicy
from garage_like.torch.q_functions import ContinuousMLPQFunction

LATENT = 2
SMALL = {
    "num_train_tasks": 3,
    "num_test_tasks": 1,
    "latent_dim": LATENT,
    "encoder_hidden_sizes": (4,),
    "test_env_sampler": None,
    "meta_batch_size": 2,
    "num_steps_per_epoch": 2,
    "num_initial_steps": 6,
    "num_tasks_sample": 2,
    "num_steps_prior": 10,
    "num_steps_posterior": 5,
    "num_extra_rl_steps_posterior": 10,
    "batch_size": 6,
    "embedding_batch_size": 7,
    "embedding_mini_batch_size": 8,
    "replay_buffer_size": 200,
}


class Trainer:
    """What an algorithm asks a trainer for."""

    def __init__(self, algo):
        self.algo, self.step_itr, self.played = algo, 0, []

    def obtain_episodes(self, itr, batch_size, env_update=None):
        self.played.append((batch_size, self.algo.policy.z_means[0].tolist()))
        sampler = self.algo.sampler
        return sampler.obtain_samples(itr, batch_size, self.algo.policy, env_update)


def make(**options):
    updates = SetTaskSampler(lambda: PointEnv(max_episode_length=5, never_done=True)).sample(3)
    env = updates[0]()
    spec = PEARL.augment_env_spec(env, LATENT)
    return PEARL(
        updates,
        TanhGaussianMLPPolicy(spec, (4,)),
        ContinuousMLPQFunction(spec, (4,)),
        ContinuousMLPQFunction(PEARL.get_env_spec(env, LATENT, "vf"), (4,)),
        LocalSampler(None, env, worker_class=PEARLWorker),
        **{**SMALL, **options},
    )


def policy_of(use_information_bottleneck=True):
    spec = PEARL.augment_env_spec(PointEnv(), LATENT)
    width = 2 * LATENT if use_information_bottleneck else LATENT
    encoder = MLPEncoder(3 + 2 + 1, width, (4,))
    return ContextConditionedPolicy(
        LATENT, encoder, TanhGaussianMLPPolicy(spec, (4,)), use_information_bottleneck
    )


def test_belief_is_the_product_of_what_transitions_say():
    policy, context = policy_of(), torch.randn(3, 5, 6)
    means, variances = policy.posterior(context)
    for task in range(3):
        said, raw = policy.context_encoder(context[task]).chunk(2, dim=-1)
        expected = product_of_gaussians(said, torch.nn.functional.softplus(raw))
        assert_allclose(means[task].detach(), expected[0].detach(), rtol=1e-5)
        assert_allclose(variances[task].detach(), expected[1].detach(), rtol=1e-5)
    normal = torch.distributions.Normal(means, variances.sqrt())
    prior = torch.distributions.Normal(torch.zeros(2), torch.ones(2))
    expected = torch.distributions.kl_divergence(normal, prior).sum(-1)
    divergence = policy.compute_kl_div(means, variances)
    assert_allclose(divergence.detach(), expected.detach(), rtol=1e-5)


def test_without_a_bottleneck_a_latent_is_believed_and_nothing_is_drawn():
    policy = policy_of(use_information_bottleneck=False)
    policy.infer_posterior(torch.randn(5, 6))
    assert policy.z_vars.tolist() == [[0, 0]]
    batch = LocalSampler(policy, PointEnv(max_episode_length=3)).obtain_exact_episodes(2)
    assert batch.num_steps == 6


def test_each_episode_acts_on_a_latent_of_its_own():
    policy = policy_of()
    seen = []

    class Spy:
        def act(self, observations, rng):
            seen.append(observations[:, 3:].copy())
            return np.zeros((len(observations), 2), np.float32), {}

    policy.policy.actor = Spy
    env = PointEnv(max_episode_length=4)
    sampler = LocalSampler(policy, env, worker_class=VecWorker, worker_args={"n_envs": 2})
    sampler.obtain_exact_episodes(4)
    latents = np.concatenate(seen)
    assert latents.shape == (16, LATENT)
    assert len(np.unique(latents, axis=0)) == 4
    with torch.no_grad():
        policy.z_means.fill_(5.0)
        policy.z_vars.fill_(1e-8)
    seen.clear()
    sampler.obtain_exact_episodes(2)
    assert_allclose(np.concatenate(seen), 5.0, atol=1e-2)
    for _ in range(2):
        policy.get_actions(np.zeros((3, 3), np.float32))
    assert_allclose(seen[-1], seen[-2])


def test_steps_are_gathered_and_believed_one_by_one():
    policy, sampler = policy_of(), LocalSampler(policy_of(), PointEnv(max_episode_length=3))
    for step in sampler.obtain_exact_episodes(1).to_time_step_list():
        policy.update_context(TimeStep(**step) if isinstance(step, dict) else step)
    assert policy.context.shape == (3, 6)
    policy.infer_posterior(policy.context[None])
    assert_allclose(
        policy.compute_kl_div()[0], policy.compute_kl_div(policy.z_means, policy.z_vars)[0]
    )
    (distribution, _), latents = policy(torch.zeros(2, 4, 3), torch.randn(2, 5, 6))
    assert latents.shape == (8, LATENT)
    assert distribution.mean_of_u.shape == (8, 2)
    assert policy(torch.zeros(4, 3))[0].mean_of_u.shape == (4, 2)
    policy.reset_belief()
    assert policy.context is None
    assert [type(network) for network in policy.networks] == [MLPEncoder, TanhGaussianMLPPolicy]


def test_adapting_changes_a_copy():
    algo = make()
    explorer = algo.get_exploration_policy()
    episodes = algo.sampler.obtain_exact_episodes(2, explorer)
    adapted = algo.adapt_policy(explorer, episodes)
    assert explorer.z_means.tolist() == algo.policy.z_means.tolist() == [[0, 0]]
    rows = {
        "observation": episodes.observations,
        "action": episodes.actions,
        "reward": episodes.rewards,
    }
    mean, variance = adapted.posterior(adapted.context_of(rows)[None])
    assert_allclose(adapted.z_means[0], mean[0].detach(), rtol=1e-5)
    assert_allclose(adapted.z_vars[0], variance[0].detach(), rtol=1e-5)


def test_tasks_are_played_on_the_prior_first_and_then_on_what_it_told(row):
    algo = make()
    trainer = Trainer(algo)
    algo.train_epoch(trainer)
    row()
    begun, of_tasks = trainer.played[:3], trainer.played[3:]
    assert begun == [(6, [0, 0])] * 3
    assert of_tasks[0] == (10, [0, 0])
    believed = [z for _, z in of_tasks[1:4]]
    assert [wanted for wanted, _ in of_tasks[1:4]] == [1, 1, 1]
    assert len({tuple(z) for z in believed}) == 3
    # Of tasks that were played again, 10 + 5 steps; what is for the critics alone does not join.
    told = {context.n_transitions_stored for context in algo._contexts}
    assert 15 in told
    assert told <= {10, 15}
    algo.train_epoch(trainer)
    assert trainer.step_itr == 2
    row()


def test_gradient_steps_move_every_network_and_the_target_slowly(row):
    algo = make(num_steps_per_epoch=1, soft_target_tau=0.25)
    parts = {
        "encoder": algo.policy.context_encoder,
        "policy": algo.policy.policy,
        "qf1": algo._qf1,
        "qf2": algo._qf2,
        "vf": algo._vf,
        "target": algo._target_vf,
    }
    before = {
        name: torch.nn.utils.parameters_to_vector(part.parameters()).detach().clone()
        for name, part in parts.items()
    }
    assert not torch.equal(before["qf1"], before["qf2"])
    assert torch.equal(before["vf"], before["target"])
    algo.train_epoch(Trainer(algo))
    row()
    after = {
        name: torch.nn.utils.parameters_to_vector(part.parameters()).detach()
        for name, part in parts.items()
    }
    assert [name for name in parts if torch.equal(before[name], after[name])] == []
    assert_allclose(after["target"], before["vf"].lerp(after["vf"], 0.25), atol=1e-6)


def test_evaluation_is_that_of_test_tasks(row):
    def make_point():
        return PointEnv(max_episode_length=3)

    algo = make(test_env_sampler=SetTaskSampler(make_point), num_test_tasks=2)
    algo.train_epoch(Trainer(algo))
    assert row()["MetaTest/Average/NumEpisodes"] == 2


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"meta_batch_size": 0}, ValueError, "PEARL: meta_batch_size must be at least 1, got 0"),
        ({"discount": 2.0}, ValueError, r"PEARL: discount must be in \[0, 1\], got 2.0"),
        ({"num_train_tasks": 9}, ValueError, "expected num_train_tasks=9 tasks in env, got 3"),
        ({"soft_target_tau": 0.0}, ValueError, r"target_update_tau must be in \(0, 1\]"),
        ({"latent_dim": 5}, ValueError, "expected latent_dim of at least 1"),
    ],
)
def test_numbers_out_of_range_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        make(**options)


def test_env_must_be_updates():
    env = PointEnv()
    with pytest.raises(TypeError, match="env must be a list of what turns an environment"):
        PEARL(env, None, None, None, None, **SMALL)
    with pytest.raises(ValueError, match="module must be 'encoder' or 'vf', got 'qf'"):
        PEARL.get_env_spec(env, 2, "qf")
