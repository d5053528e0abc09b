"""SAC, MTSAC and TQC: one gradient step against the equations."""

import math
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from gymnasium import spaces

sys.path.insert(0, str(Path(__file__).parent))
from transitions import (
    BOX,
    CONTINUES,
    DISCRETE,
    SMALL,
    assert_all_close,
    continuous_parts,
    stepped,
    tensors,
    transitions,
    weights_of,
)

from garage_like import seeding
from garage_like.data.env_spec import EnvSpec
from garage_like.experiment.deterministic import set_seed
from garage_like.replay_buffer import PathBuffer
from garage_like.torch.algos import DDPG, DDQN, DQN, MTSAC, SAC, TD3, TQC, DiscreteSAC
from garage_like.torch.policies import CategoricalMLPPolicy, TanhGaussianMLPPolicy
from garage_like.torch.q_functions import (
    ContinuousMLPQFunction,
    DiscreteMLPQFunction,
    QuantileMLPQFunction,
)
from garage_like.torch.quantiles import quantile_huber_loss

OPTIONS = {
    "optimizer": torch.optim.SGD,
    "policy_lr": 0.05,
    "qf_lr": 0.1,
    "target_update_tau": 0.2,
    **SMALL,
}


def sac(**options) -> SAC:
    policy, qfs, buffer = continuous_parts(deterministic=False)
    return SAC(BOX, policy, *qfs, buffer, **{**OPTIONS, **options})


def drawn(algo: SAC, observations: torch.Tensor, rng: np.random.Generator) -> tuple:
    noise = torch.from_numpy(rng.standard_normal((6, 2), np.float32))
    return algo.policy(observations)[0].rsample_with_log_prob(noise)


def copy_weights(module: torch.nn.Module, values: list) -> None:
    with torch.no_grad():
        for parameter, value in zip(module.parameters(), values, strict=True):
            parameter.copy_(value)


@pytest.mark.parametrize("weighted", [True, False])
def test_sac_steps_follow_the_gradients(weighted):
    algo, batch = sac(initial_log_entropy=-1.0), transitions(BOX, weighted)
    copy_weights(algo._target_qf1, [-0.7 * w for w in weights_of(algo._target_qf1)])
    t, alpha, rng = tensors(batch), math.exp(-1.0), seeding.stream("SAC")
    observations, following = t["observation"], t["next_observation"]
    with torch.no_grad():
        actions, log_probs = drawn(algo, following, rng)
        both = [qf(following, actions)[:, 0] for qf in (algo._target_qf1, algo._target_qf2)]
        soft = torch.minimum(*both) - alpha * log_probs
        targets = t["reward"] + 0.99 * CONTINUES * soft
    weights = t.get("weight", torch.ones(6))
    values = [qf(observations, t["action"])[:, 0] for qf in (algo._qf1, algo._qf2)]
    qf_loss = sum(0.5 * (weights * (targets - v) ** 2).mean() for v in values)
    expected_qf1 = stepped(qf_loss, 0.1, algo._qf1)
    expected_qf2 = stepped(qf_loss, 0.1, algo._qf2)

    twin = sac()
    copy_weights(twin._qf1, expected_qf1)
    copy_weights(twin._qf2, expected_qf2)
    actions, log_probs = drawn(twin, observations, rng)
    best = torch.minimum(*(qf(observations, actions)[:, 0] for qf in (twin._qf1, twin._qf2)))
    policy_loss = (alpha * log_probs - best).mean()
    expected_policy = stepped(policy_loss, 0.05, twin.policy)
    # d/d(log alpha) of -log alpha (log pi + target): the target is -2 + log 1 + log 3 nats.
    slope = -(log_probs.mean().item() - 2.0 + math.log(3.0))
    expected_log_alpha = -1.0 - 0.05 * slope

    metrics, errors = algo._update(batch)
    assert_all_close(weights_of(algo._qf1), expected_qf1)
    assert_all_close(weights_of(algo._qf2), expected_qf2)
    assert_all_close(weights_of(algo.policy), expected_policy)
    assert algo._temperature.log_alpha.item() == pytest.approx(expected_log_alpha, rel=1e-5)
    assert metrics["Loss/Critic"] == pytest.approx(qf_loss.item(), rel=1e-5)
    assert metrics["Loss/Policy"] == pytest.approx(policy_loss.item(), rel=1e-4)
    assert metrics["Coefficient/Entropy"] == pytest.approx(alpha, rel=1e-6)
    assert set(metrics) == set(SAC.UPDATE_METRICS)
    assert errors.shape == (6,)


def test_targets_follow_at_every_step():
    algo = sac()
    before = weights_of(algo._target_qf1)
    algo._update(transitions(BOX))
    expected = [b + 0.2 * (w - b) for b, w in zip(before, weights_of(algo._qf1), strict=True)]
    assert_all_close(weights_of(algo._target_qf1), expected)


def test_fixed_temperature_stays():
    algo = sac(fixed_alpha=0.3)
    for _ in range(3):
        metrics, _ = algo._update(transitions(BOX))
    assert metrics["Coefficient/Entropy"] == pytest.approx(0.3)
    assert "Loss/Entropy" not in metrics
    assert list(algo._temperature.parameters()) == []


def test_learned_temperature_rises_while_entropy_is_too_low():
    algo = sac(target_entropy=50.0)
    alphas = [algo._update(transitions(BOX))[0]["Coefficient/Entropy"] for _ in range(4)]
    assert alphas == sorted(alphas)
    assert alphas[0] < alphas[-1]


def test_target_entropy_does_not_depend_on_the_units_of_actions():
    assert sac()._target_entropy == pytest.approx(-2.0 + math.log(3.0))
    assert sac(target_entropy=-7.0)._target_entropy == -7.0


def test_q_functions_get_no_gradient_from_the_policy():
    algo = sac()
    algo._update(transitions(BOX))
    critic_gradients = [p.grad.clone() for p in algo._qf1.parameters()]
    twin = sac()
    batch = twin._minibatch(transitions(BOX))
    twin._update_critics(batch, torch.ones(1))
    assert_all_close(critic_gradients, [p.grad for p in twin._qf1.parameters()])


def test_fixed_temperature_must_be_positive():
    with pytest.raises(ValueError, match="SAC: fixed_alpha must be positive"):
        sac(fixed_alpha=0.0)


@pytest.mark.parametrize("cls", [DQN, DDPG, TD3, SAC, MTSAC, TQC])
def test_every_metric_of_an_update_is_explained(cls):
    assert set(cls.UPDATE_METRICS) <= cls.METRICS.keys()


# ---- MTSAC ----------------------------------------------------------------------------------

TASKS = EnvSpec(spaces.Box(-9, 9, (3,), np.float32), BOX.action_space)


def mtsac(**options) -> MTSAC:
    set_seed(2)
    policy = TanhGaussianMLPPolicy(TASKS, (7,))
    qfs = [ContinuousMLPQFunction(TASKS, (7,)) for _ in range(2)]
    options = {"num_tasks": 2, **OPTIONS, **options}
    return MTSAC(TASKS, policy, *qfs, PathBuffer(50, TASKS), None, **options)


def of_tasks(tasks: list[int]) -> dict[str, np.ndarray]:
    batch = transitions(TASKS)
    for key in ("observation", "next_observation"):
        batch[key][:, 1:] = np.eye(2)[tasks]
    return batch


def test_each_task_has_its_own_temperature():
    algo = mtsac()
    with torch.no_grad():
        algo._temperature.log_alpha.copy_(torch.tensor([0.5, -2.0]))
    batch = of_tasks([0, 1, 1, 0, 1, 0])
    log_alpha = algo._log_alpha(torch.from_numpy(batch["observation"]))
    assert log_alpha.tolist() == [0.5, -2.0, -2.0, 0.5, -2.0, 0.5]


def test_temperature_of_a_task_moves_only_by_its_own_transitions():
    algo = mtsac(target_entropy=50.0)
    algo._update(of_tasks([1] * 6))
    assert algo._temperature.log_alpha[0].item() == 0.0
    assert algo._temperature.log_alpha[1].item() > 0.0


@pytest.mark.parametrize("num_tasks", [0, 3])
def test_observations_must_have_room_for_the_tasks(num_tasks):
    with pytest.raises(ValueError, match="num_tasks must be at least 1"):
        mtsac(num_tasks=num_tasks)


# ---- TQC ------------------------------------------------------------------------------------


def tqc(n_quantiles: int = 4, drop: int = 1, **options) -> TQC:
    set_seed(2)
    policy = TanhGaussianMLPPolicy(BOX, (7,))
    qfs = [QuantileMLPQFunction(BOX, n_quantiles, (7,)) for _ in range(3)]
    options = {"top_quantiles_to_drop_per_net": drop, **OPTIONS, **options}
    return TQC(BOX, policy, qfs, PathBuffer(50, BOX), **options)


def test_quantile_loss_is_worked_out_by_hand():
    quantiles = torch.tensor([[[0.0, 2.0]]])  # tau 1/4 and 3/4
    targets = torch.tensor([[0.5, -3.0]])
    # d = 0.5, -3 and -1.5, -5; huber = 1/8, 2.5 and 1, 4.5; |tau - 1{d<0}| = 1/4, 3/4, 1/4, 1/4
    expected = (0.25 * 0.125 + 0.75 * 2.5 + 0.25 * 1.0 + 0.25 * 4.5) / 4
    assert quantile_huber_loss(quantiles, targets).tolist() == pytest.approx([expected])


def test_gradient_of_the_quantile_loss_is_that_of_its_values():
    generator = torch.Generator().manual_seed(3)
    quantiles = 2.0 * torch.randn(5, 2, 4, dtype=torch.float64, generator=generator)
    targets = 2.0 * torch.randn(5, 6, dtype=torch.float64, generator=generator)
    assert torch.autograd.gradcheck(quantile_huber_loss, (quantiles.requires_grad_(), targets))


def test_tqc_leaves_the_largest_quantiles_out_of_targets():
    algo, batch, rng = tqc(), transitions(BOX), seeding.stream("TQC")
    t = tensors(batch)
    with torch.no_grad():
        actions, log_probs = drawn(algo, t["next_observation"], rng)
        atoms = torch.cat([qf(t["next_observation"], actions) for qf in algo._target_qfs], 1)
        kept = atoms.sort(1).values[:, :9]
        goals = t["reward"][:, None] + 0.99 * CONTINUES[:, None] * (kept - log_probs[:, None])
    quantiles = torch.stack([qf(t["observation"], t["action"]) for qf in algo._qfs], 1)
    expected = stepped(quantile_huber_loss(quantiles, goals).mean(), 0.1, algo._qfs)
    metrics, errors = algo._update(batch)
    assert_all_close(weights_of(algo._qfs), expected)
    assert metrics["Target/Mean"] == pytest.approx(goals.mean().item(), rel=1e-5)
    assert set(metrics) == set(TQC.UPDATE_METRICS)
    assert np.allclose(errors, (goals.mean(1) - quantiles.mean((1, 2))).detach(), atol=1e-5)


def test_tqc_policy_goes_by_the_mean_of_all_quantiles():
    algo, t = tqc(), tensors(transitions(BOX))
    values = algo._values(t["observation"], t["action"])
    each = [qf(t["observation"], t["action"]).mean(1) for qf in algo._qfs]
    assert torch.allclose(values, sum(each) / 3, atol=1e-6)


@pytest.mark.parametrize("drop", [-1, 4])
def test_some_quantile_must_be_left(drop):
    with pytest.raises(ValueError, match="less than the 4 quantiles"):
        tqc(drop=drop)


def test_q_functions_must_have_one_number_of_quantiles():
    qfs = [QuantileMLPQFunction(BOX, n, (7,)) for n in (4, 5)]
    for wrong in (qfs, []):
        with pytest.raises(ValueError, match="one number of quantiles each"):
            TQC(BOX, TanhGaussianMLPPolicy(BOX, (7,)), wrong, PathBuffer(50_000, BOX))


def test_there_must_be_a_quantile():
    with pytest.raises(ValueError, match="n_quantiles must be at least 1, got 0"):
        QuantileMLPQFunction(BOX, 0)


def discrete_sac(**options) -> DiscreteSAC:
    set_seed(2)
    policy = CategoricalMLPPolicy(DISCRETE, hidden_sizes=(7,))
    qfs = [DiscreteMLPQFunction(DISCRETE, (7,)) for _ in range(2)]
    return DiscreteSAC(DISCRETE, policy, *qfs, PathBuffer(50, DISCRETE), **{**OPTIONS, **options})


@pytest.mark.parametrize("weighted", [True, False])
def test_discrete_sac_weighs_all_actions(weighted):
    algo, batch = discrete_sac(initial_log_entropy=-1.0), transitions(DISCRETE, weighted)
    copy_weights(algo._target_qf1, [-0.7 * w for w in weights_of(algo._target_qf1)])
    t, alpha = tensors(batch), math.exp(-1.0)
    observations, following = t["observation"], t["next_observation"]
    with torch.no_grad():
        probs = algo.policy(following)[0].logits.softmax(1)
        both = [qf(following) for qf in (algo._target_qf1, algo._target_qf2)]
        soft = (probs * (torch.minimum(*both) - alpha * probs.log())).sum(1)
        targets = t["reward"] + 0.99 * CONTINUES * soft
    weights, rows = t.get("weight", torch.ones(6)), torch.arange(6)
    values = [qf(observations)[rows, t["action"]] for qf in (algo._qf1, algo._qf2)]
    qf_loss = sum(0.5 * (weights * (targets - v) ** 2).mean() for v in values)
    expected_qfs = stepped(qf_loss, 0.1, algo._qf1, algo._qf2)

    twin = discrete_sac()
    half = len(weights_of(twin._qf1))
    copy_weights(twin._qf1, expected_qfs[:half])
    copy_weights(twin._qf2, expected_qfs[half:])
    probs = twin.policy(observations)[0].logits.softmax(1)
    best = torch.minimum(twin._qf1(observations), twin._qf2(observations)).detach()
    policy_loss = (probs * (alpha * probs.log() - best)).sum(1).mean()
    expected_policy = stepped(policy_loss, 0.05, twin.policy)
    entropy = -(probs * probs.log()).sum(1).mean().item()
    expected_log_alpha = -1.0 - 0.05 * (entropy - 0.3 * math.log(4))

    metrics, errors = algo._update(batch)
    assert_all_close(weights_of(algo._qf1, algo._qf2), expected_qfs)
    assert_all_close(weights_of(algo.policy), expected_policy)
    assert algo._temperature.log_alpha.item() == pytest.approx(expected_log_alpha, abs=1e-6)
    assert metrics["policy/Entropy"] == pytest.approx(entropy, rel=1e-4)
    assert errors.shape == (6,)


def test_discrete_sac_is_for_finitely_many_actions():
    policy, qfs, buffer = continuous_parts(deterministic=False)
    with pytest.raises(ValueError, match="DiscreteSAC needs a Discrete action space"):
        DiscreteSAC(BOX, policy, *qfs, buffer)


def test_ddqn_is_dqn_with_two_networks_in_its_targets():
    with pytest.raises(ValueError, match="double_q=False is DQN"):
        DDQN(DISCRETE, None, None, None, double_q=False)
