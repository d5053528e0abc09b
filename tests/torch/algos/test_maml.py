from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from garage_like.envs import PointEnv
from garage_like.experiment import SetTaskSampler
from garage_like.np.baselines import LinearFeatureBaseline
from garage_like.sampler import LocalSampler
from garage_like.torch.algos import MAMLPPO, MAMLTRPO, MAMLVPG
from garage_like.torch.policies import GaussianMLPPolicy

INNER_LR = 0.05


class Trainer:
    """What an algorithm asks a trainer for."""

    def __init__(self, algo, sampler):
        self.algo, self.sampler = algo, sampler
        self.step_itr, self.played = 0, []

    def obtain_episodes(self, itr, env_update=None):
        self.played.append(self.algo.policy.get_param_values().copy())
        return self.sampler.obtain_samples(itr, 60, self.algo.policy, env_update)


def make(cls, **options):
    env = PointEnv(max_episode_length=20)
    policy = GaussianMLPPolicy(env.spec, hidden_sizes=(4,))
    sampler = LocalSampler(policy, env)
    tasks = SetTaskSampler(PointEnv)
    parts = (env, policy, LinearFeatureBaseline(env.spec), sampler, tasks)
    algo = cls(*parts, **{"inner_lr": INNER_LR, "meta_batch_size": 2, **options})
    return algo, Trainer(algo, sampler)


def play(algo, trainer):
    return [algo._play(trainer, update) for update in algo._task_sampler.sample(2)]


@pytest.mark.parametrize("cls", [MAMLVPG, MAMLPPO, MAMLTRPO])
@pytest.mark.parametrize("steps", [1, 2])
def test_gradient_goes_through_the_inner_steps(cls, steps):
    algo, trainer = make(cls, num_grad_updates=steps)
    tasks = play(algo, trainer)
    algo.policy.double()
    tasks = [[double(rollout) for rollout in rollouts] for rollouts in tasks]
    parameters = list(algo.policy.parameters())
    gradient = torch.autograd.grad(algo._meta_loss(tasks), parameters)
    directions = [torch.randn_like(p) for p in parameters]
    slope = sum((g * d).sum() for g, d in zip(gradient, directions, strict=True)).item()
    losses = []
    for length in (1e-5, -2e-5):
        with torch.no_grad():
            for parameter, direction in zip(parameters, directions, strict=True):
                parameter += length * direction
            losses.append(algo._meta_loss(tasks).item())
    assert_allclose((losses[0] - losses[1]) / 2e-5, slope, rtol=1e-4)
    # A first-order gradient takes inner gradients for constants: another one.
    weights = [
        {k: w.detach().requires_grad_() for k, w in algo._adapted_weights(rollouts).items()}
        for rollouts in tasks
    ]
    first_order = []
    for own, rollouts in zip(weights, tasks, strict=True):
        loss = algo._loss_of(algo._acting(own, rollouts[-1]), *rollouts[-1].data)
        first_order.append(torch.autograd.grad(loss, list(own.values())))
    means = [torch.stack(parts).mean(0) for parts in zip(*first_order, strict=True)]
    assert max((a - b).abs().max() for a, b in zip(means, gradient, strict=True)) > 1e-4


def double(rollout):
    return replace(
        rollout,
        observations=rollout.observations.double(),
        data=tuple(part.double() for part in rollout.data),
    )


def test_each_task_is_played_by_theta_and_by_what_it_becomes():
    algo, trainer = make(MAMLVPG, num_grad_updates=2)
    theta = algo.policy.get_param_values()
    tasks = play(algo, trainer)
    assert_allclose(algo.policy.get_param_values(), theta)
    played = np.array(trainer.played)
    assert played.shape[0] == 6
    assert_allclose(played[[0, 3]], [theta, theta])
    assert len({row.tobytes() for row in played}) == 5
    goals = [r.episodes.episode_infos_by_episode["goal"] for rollouts in tasks for r in rollouts]
    assert [len(np.unique(goal, axis=0)) for goal in goals] == [1] * 6
    assert (goals[0][0] == goals[2][0]).all()
    assert (goals[0][0] != goals[3][0]).any()


def test_adapting_takes_one_step_and_leaves_everything_as_it_was():
    algo, trainer = make(MAMLVPG)
    explorer = algo.get_exploration_policy()
    theta = explorer.get_param_values()
    episodes = trainer.sampler.obtain_samples(0, 60, explorer)
    adapted = algo.adapt_policy(explorer, episodes)
    for policy in (explorer, algo.policy):
        assert_allclose(policy.get_param_values(), theta)
    rollout = algo._rollout(episodes)
    loss = algo._loss_of(explorer(rollout.observations)[0], *rollout.data)
    gradients = torch.autograd.grad(loss, list(explorer.parameters()))
    step = np.concatenate([g.reshape(-1).numpy() for g in gradients])
    assert_allclose(adapted.get_param_values(), theta - INNER_LR * step, atol=1e-6)


@pytest.mark.parametrize("cls", [MAMLVPG, MAMLPPO, MAMLTRPO])
def test_an_epoch_moves_theta_and_evaluates_when_it_is_time(cls, row):
    class Evaluator:
        evaluated = 0

        def evaluate(self, algo):
            self.evaluated += 1

    evaluator = Evaluator()
    algo, trainer = make(cls, meta_evaluator=evaluator, evaluate_every_n_epochs=2)
    before = algo.policy.get_param_values()
    for _ in range(3):
        algo.train_epoch(trainer)
    recorded = row()
    assert (algo.policy.get_param_values() != before).any()
    assert trainer.step_itr == 3
    assert evaluator.evaluated == 2
    if cls is MAMLTRPO:
        assert 0 < recorded["policy/KL"] <= 0.0101
        assert recorded["policy/LossAfter"] < recorded["policy/LossBefore"]


def test_an_objective_of_ones_own_is_followed():
    class Own(MAMLVPG):
        def _compute_objective(self, advantages, obs, actions, rewards):
            return 0.0 * super()._compute_objective(advantages, obs, actions, rewards)

    algo, trainer = make(Own)
    theta = algo.policy.get_param_values()
    play(algo, trainer)
    assert_allclose(trainer.played, np.array([theta] * 4))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"inner_lr": 0.0}, "MAMLVPG: inner_lr must be positive, got 0.0"),
        ({"meta_batch_size": 0}, "MAMLVPG: meta_batch_size must be at least 1, got 0"),
        ({"num_grad_updates": 0}, "MAMLVPG: num_grad_updates must be at least 1, got 0"),
        ({"evaluate_every_n_epochs": 0}, "MAMLVPG: epochs between evaluations must be at least 1"),
    ],
)
def test_numbers_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        make(MAMLVPG, **options)


def test_an_evaluator_must_evaluate():
    with pytest.raises(TypeError, match="meta_evaluator must be a MetaEvaluator, got 7"):
        make(MAMLVPG, meta_evaluator=7)
