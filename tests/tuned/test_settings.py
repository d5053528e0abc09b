"""Each file of settings makes its algorithm, and what is wrong is said in a line."""

import json

import pytest
from click.testing import CliRunner

from garage_like.cli.command_line import main
from garage_like.tuned import Settings, available
from garage_like.tuned.building import build

ANY = {"DQN": "MountainCar-v0", "DiscreteSAC": "MountainCar-v0", "PPO": "MountainCar-v0"}
IN_JAX = {"SAC": "Pendulum-v1"}


def pairs(backend: str) -> list[tuple[str, str]]:
    """Name all files of a backend, and for each algorithm an environment that has none."""
    other = IN_JAX if backend == "jax" else ANY
    usual = "CartPole-v1" if backend == "jax" else "MountainCarContinuous-v0"
    return [
        (algorithm, environment)
        for algorithm, known in available(backend).items()
        for environment in {*known, other.get(algorithm, usual)}
    ]


def check(backend: str, algorithm: str, environment: str) -> None:
    settings = Settings.find(algorithm, environment, backend)
    if environment.endswith("-v5"):
        pytest.importorskip("mujoco")
    made, env = build(settings)
    assert type(made).__name__ == algorithm
    assert type(made).__module__.startswith(f"garage_like.{backend}.")
    assert settings.are_defaults == (environment not in available(backend)[algorithm])
    assert sorted(settings.section("train")) == ["batch_size", "n_epochs"]
    assert env.spec is not None


@pytest.mark.parametrize(("algorithm", "environment"), sorted(pairs("torch")))
def test_each_file_makes_its_algorithm(algorithm, environment):
    pytest.importorskip("torch")
    check("torch", algorithm, environment)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tf", "jax"])
def test_in_other_frameworks_too(backend):
    pytest.importorskip({"tf": "tensorflow", "jax": "jax"}[backend])
    for algorithm, environment in sorted(pairs(backend)):
        check(backend, algorithm, environment)


def test_settings_reach_their_objects():
    pytest.importorskip("torch")
    usual = Settings.find("ppo", "CartPole-v1")
    changed = usual.but({"algo.discount": 0.5, "policy.hidden_sizes": [3], "optimizer.lr": 0.1})
    algo, _ = build(changed)
    assert algo.discount == 0.5
    assert [p.shape[0] for p in algo.policy.parameters()][:2] == [3, 3]
    assert usual.values != changed.values


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("FOO CartPole-v1", "there are A2C, DDPG"),
        ("PPO CartPol-v1", "did you mean CartPole-v1"),
        ("SAC CartPole-v1", "SAC needs actions in a Box"),
        ("PPO CartPole-v1 --set discount=1", "such as algo.discount"),
        ("PPO CartPole-v1 --set algo.dicount=1", "did you mean 'discount'"),
        ("PPO CartPole-v1 --set qf.hidden_sizes=[4]", "PPO has no use for qf.*"),
        ("PPO CartPole-v1 --set sampler.n_env=4", "n_env"),
        ("TRPO CartPole-v1 --set optimizer.minibatch_size=4", "optimizer"),
        ("PPO CartPole-v1 --set train.batch=4", "there is no train.batch; there are n_epochs"),
        ("PPO CartPole-v1 --set train.n_epochs=few", "train.n_epochs must be an integer"),
        ("PPO CartPole-v1 --seed -1", "-1 is not in the range"),
        ("PPO", "expected ALGO and ENV"),
        ("PPO Acrobot-v1 --backend jax", "must be one of CartPole-v1, Pendulum-v1"),
    ],
)
def test_what_is_wrong_is_said_before_there_is_a_run(words, said, tmp_path, monkeypatch):
    pytest.importorskip("jax" if "jax" in words else "torch")
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["train", *words.split()])
    assert done.exit_code in (1, 2)
    assert said in done.output
    assert "Traceback" not in done.output
    assert list(tmp_path.iterdir()) == []


def test_the_list_names_each_file():
    done = CliRunner().invoke(main, ["train", "--list", "--json"])
    assert json.loads(done.stdout) == available()
    assert "HalfCheetah-v5" in available()["SAC"]


def test_an_environment_without_settings_gets_the_defaults_and_hears_of_it(tmp_path):
    pytest.importorskip("torch")
    options = ["--n-epochs", "1", "--set", "train.batch_size=32", "--log-dir", str(tmp_path / "a")]
    done = CliRunner().invoke(main, ["train", "dqn", "MountainCar-v0", *options, "--json"])
    assert "the algorithm's defaults serve" in done.stderr
    assert json.loads(done.stdout) == {"run": str(tmp_path / "a")}
    variant = json.loads((tmp_path / "a" / "variant.json").read_text())
    assert variant["train.batch_size"] == 32
    assert variant["algorithm"] == "DQN"
    changed = CliRunner().invoke(
        main, ["train", "DQN", "Acrobot-v1", "--log-dir", str(tmp_path / "a")]
    )
    assert changed.exit_code == 1
    assert "with other parameters: environment was" in changed.stderr
