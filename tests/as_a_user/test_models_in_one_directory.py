"""sb3.learn in a directory that holds a run already: whose it is, and what goes on."""

import pytest

from garage_like.errors import SnapshotMismatchError
from garage_like.snapshot.graph.pickling import copy_exactly

stable_baselines3 = pytest.importorskip("stable_baselines3")

import torch  # noqa: E402
from stable_baselines3.common.callbacks import BaseCallback  # noqa: E402

from garage_like.adapters import sb3  # noqa: E402

SMALL = {"n_steps": 8, "device": "cpu", "policy_kwargs": {"net_arch": [4]}}


def model(name="A2C", **options):
    return getattr(stable_baselines3, name)("MlpPolicy", "CartPole-v1", **SMALL, **options)


@pytest.mark.filterwarnings("ignore:You are trying to run:UserWarning")
def test_model_of_another_class_does_not_become_the_one_that_was_saved(tmp_path):
    sb3.learn(model(seed=1), 16, tmp_path)
    with pytest.raises(SnapshotMismatchError, match=r"run of A2C.*is one of PPO.*of its own"):
        sb3.learn(model("PPO", seed=1, batch_size=8), 16, tmp_path)


def test_what_the_script_says_otherwise_than_the_model_that_goes_on_is_told(tmp_path, capsys):
    sb3.learn(model(seed=1), 16, tmp_path)
    assert "as it was saved" not in capsys.readouterr().out
    sb3.learn(model(seed=2, gamma=0.5), 16, tmp_path)
    told = capsys.readouterr().out
    assert "The model goes on as it was saved: " in told
    assert "seed is 1, and 2 in the script" in told
    assert "gamma is 0.99, and 0.5 in the script" in told


class Watching(BaseCallback):
    def __init__(self):
        super().__init__()
        self.net = torch.nn.Linear(1, 1)

    def _on_step(self):
        with torch.no_grad():
            self.net.bias += 1
        return True


def test_network_of_a_callback_goes_on(tmp_path):
    callback = Watching()
    sb3.learn(model(seed=1), 16, tmp_path, callback=callback)
    again = Watching()
    sb3.learn(model(seed=1), 16, tmp_path, callback=again)
    assert torch.equal(again.net.bias, callback.net.bias)


def model_with_goals():
    from stable_baselines3.common.envs import BitFlippingEnv

    return stable_baselines3.DQN(
        "MultiInputPolicy",
        BitFlippingEnv(n_bits=2, continuous=False, max_steps=3),
        replay_buffer_class=stable_baselines3.HerReplayBuffer,
        replay_buffer_kwargs={"goal_selection_strategy": "future", "n_sampled_goal": 2},
        buffer_size=50,
        learning_starts=8,
        batch_size=4,
        exploration_initial_eps=0.3,
        exploration_final_eps=0.3,
        policy_kwargs={"net_arch": [4]},
        device="cpu",
        seed=1,
    )


def test_memory_with_goals_in_hindsight_goes_on_asking_its_environment():
    dqn = model_with_goals()
    dqn.learn(20)
    env, memory = copy_exactly([dqn.env, dqn.replay_buffer])
    assert memory.env is env
    assert len(memory.sample(8).rewards) == 8


def test_model_with_goals_in_hindsight_goes_on_as_if_it_had_not_ended(tmp_path):
    straight, going_on = model_with_goals(), model_with_goals()
    sb3.learn(straight, 40, tmp_path / "straight", every=1)
    sb3.learn(model_with_goals(), 20, tmp_path / "ended", every=1)
    sb3.learn(going_on, 40, tmp_path / "ended", every=1)
    assert going_on._n_updates == straight._n_updates > 0
    ours, theirs = (list(m.policy.parameters()) for m in (going_on, straight))
    assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))
