"""TFTrainer: a default session beside eager execution, and graph-mode variables in snapshots."""

import json
import threading

import numpy as np
import pytest
from safetensors.numpy import load_file

from garage_like.envs import GymEnv
from garage_like.errors import SnapshotMismatchError
from garage_like.interfaces import RLAlgorithm
from garage_like.snapshot import SnapshotConfig
from garage_like.tf.quiet_import import tf
from garage_like.trainer import TFTrainer, Trainer

v1 = tf.compat.v1


def default():
    return v1.get_default_session()


def config(path, **options):
    return SnapshotConfig(snapshot_dir=path, snapshot_mode="all", **options)


class AddOne(RLAlgorithm):
    """Add one to a variable of the session and to an eager one, epoch by epoch."""

    def __init__(self, trainer, start=5.0):
        self.eager = tf.Variable(0.0)
        with trainer.graph_mode():
            self.amount = v1.placeholder(tf.float32, ())
            self.total = v1.get_variable("total", initializer=np.float32(start))
            self.add = v1.assign_add(self.total, self.amount)

    def train_epoch(self, trainer):
        self.eager.assign_add(1.0)
        return default().run(self.add, {self.amount: 1.0})

    def totals(self):
        return float(default().run(self.total)), float(self.eager)


def test_inside_the_block_the_session_is_the_default_one_and_eager_mode_stays_on():
    with TFTrainer() as trainer:
        assert default() is trainer.sess
        assert tf.executing_eagerly()
        assert (tf.constant(1.0) + 1.0).numpy() == 2.0
        assert tf.function(lambda x: 2.0 * x)(1.0).numpy() == 2.0
        assert tf.keras.layers.Dense(2)(tf.ones((1, 3))).shape == (1, 2)
        with tf.GradientTape() as tape:
            variable = tf.Variable(3.0)
            square = variable * variable
        assert tape.gradient(square, variable).numpy() == 6.0
    assert default() is None


def test_blocks_may_lie_inside_one_another():
    first, second = TFTrainer(), TFTrainer()
    with first:
        with second, first:
            assert default() is first.sess
        with first.graph_mode():
            assert default() is first.sess
        assert default() is first.sess
    with pytest.raises(KeyError, match="left"), first:
        raise KeyError("left")
    assert default() is None


def test_the_default_session_is_that_of_one_thread():
    seen = []
    with TFTrainer():
        other = threading.Thread(target=lambda: seen.append(default()))
        other.start()
        other.join()
    assert seen == [None]


def test_a_session_of_the_users_own_is_used():
    with v1.Session(graph=tf.Graph()) as session:
        pass
    session = v1.Session(graph=tf.Graph())
    with TFTrainer(sess=session) as trainer:
        assert default() is trainer.sess is session
        with session.as_default(), trainer:
            assert default() is session


def test_what_is_no_session_is_refused():
    with pytest.raises(TypeError, match=r"sess must be a tf.compat.v1.Session.*got 'sess'"):
        TFTrainer(sess="sess")


def test_inside_a_block_of_a_users_own_session_there_is_a_clear_error():
    trainer = TFTrainer()
    with v1.Session(graph=tf.Graph()):
        with pytest.raises(RuntimeError, match=r"^TFTrainer: TensorFlow's eager execution is off"):
            TFTrainer()
        with pytest.raises(RuntimeError, match=r"^with TFTrainer: .*hand the session over instead"):
            trainer.__enter__()
    with trainer:
        assert default() is trainer.sess


def test_graph_mode_builds_into_the_sessions_graph():
    with TFTrainer() as trainer:
        with trainer.graph_mode() as session:
            doubled = 2.0 * v1.placeholder(tf.float32, (), name="x")
        assert doubled.graph is trainer.sess.graph is session.graph
        assert session.run(doubled, {"x:0": 4.0}) == 8.0


def test_setup_gives_values_to_variables_that_have_none():
    with TFTrainer() as trainer:
        algo = AddOne(trainer)
        with trainer.graph_mode() as session:
            trained = v1.get_variable("trained", initializer=np.float32(0.0))
            session.run(trained.initializer)
            trained.load(7.0, session)
        operations = len(session.graph.get_operations())
        trainer.setup(algo, None)
        assert session.run([algo.total, trained]) == [5.0, 7.0]
        assert len(session.graph.get_operations()) == operations


@pytest.fixture
def run(tmp_path):
    """Return the directory of a run of three epochs."""
    with TFTrainer(config(tmp_path / "run")) as trainer:
        trainer.setup(AddOne(trainer), None)
        assert trainer.train(3) == 8.0
    return tmp_path / "run"


def test_a_restore_builds_the_graph_and_sets_its_variables(run):
    with TFTrainer(config(run)) as trainer:
        trainer.restore(run, from_epoch=1)
        assert trainer._algo.totals() == (7.0, 2.0)
        assert trainer.resume(n_epochs=5) == 10.0
        assert trainer._algo.totals() == (10.0, 5.0)


def test_a_restore_sets_the_variables_of_a_graph_that_is_there(run):
    with TFTrainer(config(run)) as trainer:
        algo = AddOne(trainer, start=100.0)
        trainer.setup(algo, None)
        trainer.restore(run, config_policy="ignore")
        assert algo.totals() == (8.0, 3.0)
        assert trainer.resume(n_epochs=4) == 9.0


def test_another_graph_is_refused_by_name(run):
    with TFTrainer(config(run)) as trainer:
        with trainer.graph_mode():
            v1.get_variable("total", (3,))
        with pytest.raises(SnapshotMismatchError, match=r"another than the one|has shape"):
            trainer.restore(run)


def test_training_needs_no_block(run):
    trainer = TFTrainer(config(run))
    trainer.restore(run)
    assert trainer.resume(n_epochs=4) == 9.0
    assert default() is None


def test_a_plain_trainer_says_what_a_graph_needs(run):
    with pytest.raises(SnapshotMismatchError, match="restore inside `with TFTrainer"):
        Trainer(config(run)).restore(run)


@pytest.mark.parametrize("epoch", [0, 2])
def test_a_manifest_names_the_trainer_and_the_snapshot_has_the_sessions_variables(run, epoch):
    snapshot = run / "snapshots" / f"epoch_{epoch:06}"
    manifest = json.loads((snapshot / "manifest.json").read_text())
    assert manifest["classes"]["trainer"] == "garage_like.tf.tf_trainer.TFTrainer"
    weights = load_file(snapshot / "tensors" / "algo.safetensors")
    assert (weights["total"], weights["eager"]) == (epoch + 6.0, epoch + 1.0)


def test_a_manifest_names_what_can_be_imported_of_a_trainer_of_the_users_own(tmp_path):
    class Mine(TFTrainer):
        pass

    with Mine(config(tmp_path)) as trainer:
        trainer.setup(AddOne(trainer), None)
        trainer.train(1)
    manifest = json.loads((tmp_path / "snapshots" / "epoch_000000" / "manifest.json").read_text())
    assert manifest["classes"]["trainer"] == "garage_like.tf.tf_trainer.TFTrainer"


def test_without_graph_mode_a_snapshot_has_no_session(tmp_path):
    from garage_like.np.baselines import LinearFeatureBaseline
    from garage_like.sampler import LocalSampler
    from garage_like.tf.algos import VPG
    from garage_like.tf.policies import CategoricalMLPPolicy

    env = GymEnv("CartPole-v1", max_episode_length=20)
    policy = CategoricalMLPPolicy(env.spec)
    sampler = LocalSampler(policy, env)
    with TFTrainer(config(tmp_path)) as trainer:
        trainer.setup(VPG(env.spec, policy, LinearFeatureBaseline(env.spec), sampler), env)
        trainer.train(1, 40)
    names = [path.stem for path in (tmp_path / "snapshots/epoch_000000/tensors").iterdir()]
    assert {"policy", "policy_optimizer"} <= set(names)
    assert "tf_session" not in names
