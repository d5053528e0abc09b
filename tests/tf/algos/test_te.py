"""TENPO and TEPPO: latents of tasks are drawn, remembered, inferred and paid for."""

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from garage_like.envs import MultiEnvWrapper, PointEnv
from garage_like.envs.multi_env_wrapper import round_robin_strategy
from garage_like.np.baselines import LinearFeatureBaseline
from garage_like.sampler import FragmentWorker, LocalSampler
from garage_like.seeding import set_seed
from garage_like.tf.algos import TENPO, TEPPO
from garage_like.tf.embeddings import GaussianMLPEncoder
from garage_like.tf.optimizers import Adam, OptimizerWrapper
from garage_like.tf.policies import GaussianMLPPolicy, GaussianMLPTaskEmbeddingPolicy
from garage_like.trainer import TFTrainer

GOALS = ((1.0, 0.0), (-1.0, 0.0), (0.0, 1.0))
LATENT, WINDOW = 2, 4


def make(cls=TEPPO, length=10, learning_rate=1e-3, init_std=0.1, **options):
    set_seed(1)
    envs = [PointEnv(goal, max_episode_length=length, never_done=True) for goal in GOALS]
    env = MultiEnvWrapper(envs, round_robin_strategy)
    spec = cls.get_encoder_spec(env.task_space, LATENT)
    encoder = GaussianMLPEncoder(spec, hidden_sizes=(16,), init_std=0.3, max_std=0.5)
    inferred = cls.get_infer_spec(env.spec, LATENT, WINDOW, num_tasks=len(GOALS))
    inference = GaussianMLPEncoder(inferred, hidden_sizes=(16,), adaptive_std=True)
    hidden = {"hidden_sizes": (16,), "init_std": init_std}
    policy = GaussianMLPTaskEmbeddingPolicy(env.spec, encoder, **hidden)
    worker = {"worker_class": FragmentWorker, "worker_args": {"n_envs": 3}}
    sampler = LocalSampler(policy, env, **worker)
    adam = (Adam, {"lr": learning_rate})
    options.setdefault("policy_optimizer", OptimizerWrapper(adam, policy, 10, 64))
    baseline = LinearFeatureBaseline(env.spec)
    return cls(env.spec, policy, baseline, sampler, inference=inference, **options), env


def test_a_latent_is_drawn_by_the_task_and_lasts_through_the_episode():
    algo, _ = make()
    batches = [algo._sampler.obtain_samples(number, 15) for number in range(6)]
    latents = {}
    for batch in batches:
        for rows in batch.episode_slices():
            seen = batch.agent_infos["latent"][rows]
            assert (seen == seen[0]).all()
            latents.setdefault(int(batch.observations[rows.start, -3:].argmax()), set())
            latents[int(batch.observations[rows.start, -3:].argmax())].add(seen[0].tobytes())
    assert set(latents) == {0, 1, 2}
    assert not set.intersection(*latents.values())
    several = algo._sampler.obtain_samples(6, 90)  # in which each environment changes its task
    assert (several.agent_infos["task"] == several.observations[:, -3:]).all()


def test_the_latent_is_part_of_the_first_action_alone():
    algo, _ = make()
    algo._sampler.obtain_samples(0, 15)  # in the next batch, three episodes go on
    batch = algo._sampler.obtain_samples(1, 60)
    policy = algo.policy
    rows = policy.inputs(batch)
    begins = rows[:, -1]
    assert 0 < begins.sum() < len(batch)
    distribution = policy(rows)[0]
    alone = distribution.actions.log_prob(batch.actions).numpy()
    tasks = np.asarray(batch.observations[:, -3:], np.float32)
    chosen = policy.encode(tasks).log_prob(batch.agent_infos["latent"]).numpy()
    np.testing.assert_allclose(
        distribution.log_prob(batch.actions), alone + begins * chosen, rtol=1e-5
    )


def test_windows_hold_what_was_seen_in_the_episode_and_no_task():
    algo, _ = make()
    batch = algo._sampler.obtain_samples(0, 30)
    windows = algo._windows(batch).reshape(30, WINDOW, -1)
    seen = batch.observations[:, :-3].astype(np.float32)
    for rows in batch.episode_slices():
        for age, row in enumerate(range(rows.start, rows.stop)):
            there = min(age + 1, WINDOW)
            assert np.array_equal(windows[row, WINDOW - there :], seen[row + 1 - there : row + 1])
            assert not windows[row, : WINDOW - there].any()


@pytest.mark.parametrize("cls", [TENPO, TEPPO])
def test_an_update_moves_policy_encoder_and_inference(cls):
    algo, env = make(cls, encoder_ent_coeff=1e-2, inference_ce_coeff=0.1)
    parts = (algo.policy.acting, algo.policy.encoder, algo.inference)
    before = [part.get_param_values() for part in parts]
    with TFTrainer() as trainer:
        trainer.setup(algo, env)
        trainer.train(2, 60)
    for part, values in zip(parts, before, strict=True):
        assert np.isfinite(part.get_param_values()).all()
        assert not np.array_equal(part.get_param_values(), values)
    assert np.isfinite(algo._told["Inference/CrossEntropy"])


def test_a_latent_that_tells_is_worth_what_it_was_said_to_be():
    algo, _ = make(inference_ce_coeff=2.0)
    batch = algo._sampler.obtain_samples(0, 30)
    latents = batch.agent_infos["latent"]
    known = algo._log_likelihood(algo._windows(batch), latents).numpy()
    told = algo._learning_batch(batch, np.zeros(30), np.zeros(len(batch)))
    np.testing.assert_allclose(told.episodes.rewards, batch.rewards + 2.0 * known, rtol=1e-5)


def test_actions_are_had_by_task_and_by_latent():
    policy = make()[0].policy
    observation = np.zeros(policy.env_spec.observation_dim, np.float32)
    latent, infos = policy.get_latent([0, 1, 0])
    assert latent.shape == infos["mean"].shape == (LATENT,)
    action, _ = policy.get_action_given_latent(observation, latent)
    assert action.shape == policy.get_action_given_task(observation, [0, 1, 0])[0].shape == (2,)


def test_what_does_not_go_together_is_refused():
    algo, env = make()
    plain = GaussianMLPPolicy(env.spec)
    with pytest.raises(TypeError, match="must be a GaussianMLPTaskEmbeddingPolicy"):
        TEPPO(env.spec, plain, LinearFeatureBaseline(env.spec), inference=algo.inference)
    wrong = GaussianMLPEncoder(TEPPO.get_infer_spec(env.spec, 3, WINDOW))
    with pytest.raises(ValueError, match=r"make it with TEPPO\.get_infer_spec"):
        TEPPO(env.spec, algo.policy, LinearFeatureBaseline(env.spec), inference=wrong)


@pytest.mark.slow
def test_skills_reach_three_goals(learn):
    algo, env = make(TEPPO, 20, 3e-3, 0.5, inference_ce_coeff=1e-3, discount=0.95)
    seen = learn(algo, env, -9.0, 60, 600)
    assert seen[-1] >= -9.0, seen  # -20 to -25 at first; where it begins, 1 away from each goal
