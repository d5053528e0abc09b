"""DQN in TensorFlow whose gradient steps the library in C takes, within an epoch."""

import numpy as np
import pytest
from gymnasium import Env, Wrapper, make, spaces

from garage_like import Trainer
from garage_like.data.env_spec import EnvSpec
from garage_like.envs import GymEnv
from garage_like.experiment.deterministic import set_seed
from garage_like.np.compiled import binding
from garage_like.np.exploration_policies import EpsilonGreedyPolicy
from garage_like.replay_buffer import PathBuffer
from garage_like.snapshot import SnapshotConfig
from garage_like.tf.algos import DDQN, DQN
from garage_like.tf.kernels.q_learning import QLearningOptions
from garage_like.tf.modules.flat_variables import FlatVariables
from garage_like.tf.policies import DiscreteQFArgmaxPolicy
from garage_like.tf.q_functions import DiscreteMLPQFunction
from garage_like.tf.quiet_import import tf

pytestmark = pytest.mark.skipif(
    binding.extension() is None, reason="needs the extension in C: a compiler, x86-64"
)
SPEC = EnvSpec(spaces.Box(-9, 9, (3,), np.float32), spaces.Discrete(4))
OPTIONS = {
    "min_buffer_size": 8,
    "num_evaluation_episodes": 0,
    "gradient_steps_per_itr": 2,
    "steps_per_epoch": 9,
    "target_update_freq": 4,
}


def build(spec=SPEC, cls=DQN, qf_options=(), explorer=EpsilonGreedyPolicy, **options):
    set_seed(3)
    qf = DiscreteMLPQFunction(spec, **{"hidden_sizes": (7, 5), **dict(qf_options)})
    policy = DiscreteQFArgmaxPolicy(qf, spec)
    around = explorer(spec, policy, total_timesteps=100)
    memory = PathBuffer(500, spec)
    return cls(spec, policy, qf, memory, exploration_policy=around, **{**OPTIONS, **options})


def train(directory, algo, epochs=3, env=None):
    trainer = Trainer(SnapshotConfig(snapshot_dir=directory, snapshot_mode="last"))
    trainer.setup(algo, GymEnv("CartPole-v1") if env is None else env)
    trainer.train(epochs, 4)
    return algo


def on_pole(**options):
    return build(GymEnv("CartPole-v1").spec, **options)


def variables(algo):
    moments = (algo._qf_optimizer.first_moments, algo._qf_optimizer.second_moments)
    slots = [algo._qf_optimizer.step_count, *moments[0], *moments[1]]
    return [v.numpy() for v in (*algo._qf.variables, *algo._target_qf.variables, *slots)]


def bits(algo):
    return [array.tobytes() for array in variables(algo)]


def minibatch(rng, rows=13):
    return {
        "observation": rng.normal(size=(rows, 3)).astype(np.float32),
        "action": rng.integers(0, 4, rows),
        "reward": 2 * rng.normal(size=rows).astype(np.float32),
        "next_observation": rng.normal(size=(rows, 3)).astype(np.float32),
        "step_type": rng.integers(0, 4, rows).astype(np.uint8),
        "weight": rng.uniform(0.1, 1.0, rows).astype(np.float32),
    }


@pytest.mark.parametrize("alone", [True, False])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"double_q": False, "clip_rewards": 1.0, "clip_gradient": None},
        {"clip_gradient": 0.1, "reward_scale": 3.0, "qf_options": {"hidden_sizes": (33, 20, 4)}},
        {"qf_options": {"hidden_nonlinearity": tf.tanh}, "target_update_tau": 0.3},
    ],
)
def test_steps_are_those_of_tensorflow(options, alone):
    in_tf, in_c = build(**options), build(**options)
    in_c._kernel = in_c._make_kernel(alone=alone)
    for number in range(12):
        batch = minibatch(np.random.default_rng(number))
        expected, expected_errors = in_tf._take_gradient_step(batch)
        found, errors = in_c._take_gradient_step(batch)
        assert found == pytest.approx(expected, rel=1e-4, abs=1e-5)
        np.testing.assert_allclose(errors, expected_errors, rtol=1e-4, atol=1e-4)
        in_tf._finish_itr()
        in_c._finish_itr()
    in_c._release_kernel()
    for ours, theirs in zip(variables(in_c), variables(in_tf), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=2e-5)
    assert bits(in_c) != bits(in_tf)  # they were taken elsewhere


@pytest.mark.parametrize("cls", [DQN, DDQN])
def test_who_else_takes_part_in_an_epoch_changes_no_bit(cls, tmp_path, monkeypatch):
    tau = {"target_update_tau": 0.4} if cls is DDQN else {}
    alone = train(tmp_path / "1", on_pole(cls=cls, **tau))
    monkeypatch.setattr(cls, "_is_alone", lambda self, trainer: False)
    assert bits(train(tmp_path / "2", on_pole(cls=cls, **tau))) == bits(alone)
    monkeypatch.setenv(binding.OFF, "0")
    assert bits(train(tmp_path / "3", on_pole(cls=cls, **tau))) != bits(alone)


def test_a_resumed_run_ends_with_the_bits_of_one_that_was_not_stopped(tmp_path):
    straight = train(tmp_path / "straight", on_pole(), epochs=4)
    stopped = train(tmp_path / "stopped", on_pole(), epochs=2)
    assert not {"_kernel", "_lent"} & {*vars(stopped), *vars(stopped._qf.mlp)}
    trainer = Trainer(SnapshotConfig(snapshot_dir=tmp_path / "stopped", snapshot_mode="last"))
    trainer.restore(tmp_path / "stopped")
    trainer.resume(n_epochs=4)
    assert trainer.algo._is_compiled
    assert bits(trainer.algo) == bits(straight)


def test_runs_from_before_go_on_in_tensorflow(tmp_path, monkeypatch):
    old = on_pole()
    del old._is_compiled
    train(tmp_path / "old", old)
    monkeypatch.setenv(binding.OFF, "0")
    assert bits(train(tmp_path / "off", on_pole())) == bits(old)


class OwnUpdate(DQN):
    def _update(self, transitions):
        metrics, errors = super()._update(transitions)
        return {**metrics, "Loss/Critic": -1.0}, errors


class OwnTargets(DQN):
    def _target_values(self, batch):
        return 0.0 * batch.rewards


@pytest.mark.parametrize(
    "options",
    [
        {"cls": OwnUpdate},
        {"cls": OwnTargets},
        {"qf_options": {"dueling": True}},
        {"qf_options": {"layer_normalization": True}},
        {"qf_options": {"hidden_nonlinearity": tf.nn.elu}},
        {"qf_optimizer": tf.keras.optimizers.Adam},
    ],
)
def test_what_the_library_does_not_know_tensorflow_computes(options):
    assert build(**options)._make_kernel(alone=True) is None


class SeesWeights(DQN):
    def _finish_itr(self):
        super()._finish_itr()
        seen = vars(self).setdefault("seen", [])
        seen.append(self.policy.qf.get_param_values())
        self.policy.qf.set_param_values(0.5 * seen[-1])


def test_a_subclass_sees_and_changes_weights_within_an_epoch(tmp_path):
    algo = train(tmp_path, on_pole(cls=SeesWeights), epochs=1)
    assert len({weights.tobytes() for weights in algo.seen}) == len(algo.seen) > 5
    for before, after in zip(algo.seen, algo.seen[1:], strict=False):
        assert np.abs(0.5 * before - after).max() < 0.01  # two steps of Adam from there
    np.testing.assert_array_equal(algo._qf.get_param_values(), 0.5 * algo.seen[-1])


class Meddling(Wrapper[np.ndarray, int, np.ndarray, int]):
    """An environment that changes what learns from it."""

    def __init__(self, env: Env, weights: list) -> None:
        super().__init__(env)
        self.weights, self.steps = weights, 0

    def step(self, action):
        self.steps += 1
        if self.steps == 30:
            self.weights[0].assign(2.0 * self.weights[0])
        return super().step(action)


def test_weights_that_the_environment_changes_are_missed_aloud(tmp_path):
    algo = on_pole()
    env = GymEnv(Meddling(make("CartPole-v1"), algo._qf.variables))
    with pytest.raises(RuntimeError, match="changed from outside within an epoch"):
        train(tmp_path, algo, env=env)


def test_options_of_the_loss_may_change_within_an_epoch():
    algo, batch = build(), minibatch(np.random.default_rng(0))
    algo._kernel = kernel = algo._make_kernel(alone=True)
    options = QLearningOptions(0.9, True, None, None)
    first = kernel.update(algo._minibatch(batch), options)[0]
    second = kernel.update(algo._minibatch(batch), options._replace(discount=0.0))[0]
    assert second["Target/Mean"] == pytest.approx(batch["reward"].mean(), rel=1e-5)
    assert first["Target/Mean"] != pytest.approx(second["Target/Mean"], rel=1e-2)


def test_variables_share_no_memory_with_what_was_written_to_them():
    for _ in range(40):  # by chance an array is aligned as TensorFlow likes it
        held = [tf.Variable(np.zeros((4, 64), np.float32)), tf.Variable(np.zeros(64, np.float32))]
        flat = FlatVariables(held)
        flat.vector[...] = 1.0
        flat.write()
        flat.vector[...] = 2.0
        assert all((variable.numpy() == 1.0).all() for variable in held)
