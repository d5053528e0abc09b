"""Running statistics of several environments are pooled, and stand still where one evaluates."""

import gymnasium
import numpy as np
import pytest

from garage_like.data.normalizers import pooled_normalizers, use_normalizers
from garage_like.envs import GymEnv, normalize
from garage_like.evaluation import obtain_evaluation_episodes
from garage_like.np.algos import CEM
from garage_like.np.policies import CategoricalMLPPolicy
from garage_like.sampler import LocalSampler, VecWorker
from garage_like.snapshot import SnapshotConfig, Snapshotter, read_snapshot
from garage_like.trainer import Trainer


class Noted(gymnasium.ObservationWrapper):
    """Keep all observations that it handed out."""

    def __init__(self, env):
        super().__init__(env)
        self.seen = []

    def observation(self, observation):
        self.seen.append(np.asarray(observation, np.float64))
        return observation


def of_gymnasium():
    inner = Noted(gymnasium.make("CartPole-v1", max_episode_steps=20))
    return GymEnv(gymnasium.wrappers.NormalizeObservation(inner))


def seen_by(envs):
    return np.array([one for env in envs for one in env.gym_env.env.seen])


def of_ours():
    inner = GymEnv("CartPole-v1", max_episode_length=20)
    return normalize(inner, normalize_obs=True, normalize_reward=True, obs_alpha=0.1)


def stepped(env, steps, seed):
    env.reset(seed=seed)
    for _ in range(steps):
        if env.step(env.action_space.sample()).last:
            env.reset()
    return env


def test_pooled_statistics_are_those_of_all_values():
    envs = [stepped(of_gymnasium(), steps, steps) for steps in (10, 200, 75)]
    found = pooled_normalizers(envs)["observation"]
    seen = seen_by(envs)
    assert found["count"] == pytest.approx(len(seen), abs=1e-3)
    np.testing.assert_allclose(found["mean"], seen.mean(0), atol=1e-4)
    np.testing.assert_allclose(found["var"], seen.var(0), rtol=1e-3, atol=1e-4)


def test_statistics_of_one_environment_are_its_own_bit_for_bit():
    env = stepped(of_ours(), 30, 1)
    found = pooled_normalizers([env])["observation"]
    assert found["mean"].tobytes() == env.observation_statistics[0].tobytes()


def test_newest_first_means_are_weighed_by_the_number_of_values():
    envs = [stepped(of_ours(), steps, steps) for steps in (20, 60)]
    single = [pooled_normalizers([env])["reward"] for env in envs]
    pooled = pooled_normalizers(envs)["reward"]
    assert pooled["count"] == 80
    assert pooled["mean"] == pytest.approx((single[0]["mean"] + 3 * single[1]["mean"]) / 4)


@pytest.mark.parametrize("make", [of_gymnasium, of_ours])
def test_statistics_are_taken_over_and_stand_still(make):
    trained, fresh = stepped(make(), 40, 1), make()
    known = pooled_normalizers([trained])
    use_normalizers(fresh, known)
    stepped(fresh, 15, 2)
    found = pooled_normalizers([fresh])
    for name, values in known.items():
        assert np.array_equal(found[name]["mean"], values["mean"])
        assert np.array_equal(found[name]["var"], values["var"])
        assert found[name]["count"] == values["count"]


def test_environment_that_has_seen_nothing_goes_on_learning():
    fresh = of_ours()
    use_normalizers(fresh, {})
    stepped(fresh, 5, 1)
    assert pooled_normalizers([fresh])["observation"]["count"] == 6


def test_evaluation_moves_no_statistics_and_uses_those_that_are_given():
    env = stepped(of_gymnasium(), 40, 1)
    policy = CategoricalMLPPolicy(env.spec, hidden_sizes=(4,))
    before = pooled_normalizers([env])["observation"]["mean"].copy()
    far = {"observation": {"mean": before + 1e3, "var": np.ones(4), "count": 9}}
    batch = obtain_evaluation_episodes(policy, env, num_eps=2, normalizers=far)
    assert (batch.observations < -900).all()
    batch = obtain_evaluation_episodes(policy, env, num_eps=2)
    assert np.abs(batch.observations).max() < 100
    assert np.array_equal(pooled_normalizers([env])["observation"]["mean"], before)


def test_snapshot_of_several_environments_tells_the_statistics_of_all(tmp_path):
    env = of_gymnasium()
    policy = CategoricalMLPPolicy(env.spec, hidden_sizes=(4,))
    sampler = LocalSampler(policy, env, worker_class=VecWorker, worker_args={"n_envs": 3})
    trainer = Trainer(SnapshotConfig(snapshot_dir=tmp_path))
    trainer.setup(CEM(env.spec, policy, sampler, n_samples=3, best_frac=0.5), env)
    trainer.train(2, 60)
    seen = seen_by(trainer.algo.sampler.envs)
    told = read_snapshot(tmp_path).normalizers["observation"]
    assert told["count"] == pytest.approx(len(seen), abs=1e-3)
    np.testing.assert_allclose(told["mean"], seen.mean(0), atol=1e-4)
    own = [one.gym_env.obs_rms.count for one in trainer.algo.sampler.envs]
    assert len(own) == 3
    assert max(own) < told["count"]
    loaded = Snapshotter().load(tmp_path)
    assert loaded["env"].gym_env.obs_rms.count == pytest.approx(told["count"])
    again = Trainer(SnapshotConfig(snapshot_dir=tmp_path / "next"))
    again.restore(tmp_path)
    kept = [one.gym_env.obs_rms.count for one in again.algo.sampler.envs]
    assert kept == own, "each environment goes on with its own"


def test_statistics_of_a_vector_environment_are_told_and_used_to_evaluate(tmp_path):
    many = gymnasium.make_vec("CartPole-v1", 4, vectorization_mode="sync")
    many = gymnasium.wrappers.vector.NormalizeObservation(many)
    env = GymEnv(many)
    policy = CategoricalMLPPolicy(env.spec, hidden_sizes=(4,))
    trainer = Trainer(SnapshotConfig(snapshot_dir=tmp_path))
    sampler = LocalSampler(policy, env)
    trainer.setup(CEM(env.spec, policy, sampler, n_samples=2, best_frac=0.5), env)
    trainer.train(2, 100)
    told = read_snapshot(tmp_path).normalizers["observation"]
    assert told["count"] == many.obs_rms.count > 100
    played = trainer.get_evaluation_env()
    assert np.array_equal(played.gym_env.obs_rms.mean, many.obs_rms.mean)
    assert not played.gym_env.update_running_mean
