"""Every script in benchmarks/ still runs, at its smallest, and prints the rows that it is for."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from garage_like import Trainer, wrap_experiment
from garage_like.envs import GymEnv
from garage_like.np.algos import CEM
from garage_like.np.policies import CategoricalMLPPolicy
from garage_like.sampler import LocalSampler
from garage_like.seeding import set_seed

ROOT = Path(__file__).parent.parent
BENCHMARKS = ROOT / "benchmarks"
RUNS = [
    ("compare.py --works rollout8 --libraries garage_like --share 0.02 --repetitions 1"
     " --only-ratios", "`rollout8`"),
    ("elsewhere.py waits --envs 2 --by threads --rounds 1", "waits    2 threads"),
    ("elsewhere.py asks --by processes --rounds 1", "timesteps_per_call=25"),
    ("epochs_cost.py 20 --rounds 1", "median "),
    ("first_epoch.py 1 --algorithms PPO", "PPO  and the restore tried"),
    ("floor.py --rounds 1 --alone", "products in a row"),
    ("jax_epochs.py 2 --rounds 1 --epochs 5", "2 environments:"),
    ("jax_resume.py ppo --rounds 1 --ways 1", "ppo, the program beside the run:"),
    ("jax_updates.py --rounds 1 --algorithms DQN", "DQN: gradient steps"),
    ("replay_snapshot.py --rows 20000 --rounds 2 --peer-rounds 1", "garage_like"),
    ("rollout_floor.py --rounds 1", "acting and stepping"),
    ("sampling.py --steps 200 --rounds 1", "FragmentWorker(8)"),
    ("sampling.py --steps 200 --rounds 1 --envs 8 --alone", "at once     sampler"),
    ("save_cost.py ppo --saves 2", "ppo "),
    ("saves.py small --rounds 1", "2,000 parameters"),
    ("saving_overhead.py tiny --pairs 2 --epochs 2", "per_cpu_second"),
    ("snapshot.py --rounds 1", "two networks of 3 x 1024"),
    ("tf_trpo.py --epochs 1 --batch-size 200", "ratio: "),
    ("trained_agents.py --without-training --page {folder}/page.md", "| CartPole-v1 | not run |"),
    ("with_jax.py ppo8 --steps 2048", '"steps_per_cpu_second"'),
    ("with_sb3.py rollout8 --steps 64", '"steps_per_cpu_second"'),
    ("with_skrl.py ppo --steps 64", '"steps_per_cpu_second"'),
    ("with_tianshou.py ppo --steps 64", '"steps_per_cpu_second"'),
]  # fmt: skip
"""What is run, and what must be in what it prints."""

NEEDS = {
    "jax": ("jax_epochs", "jax_resume", "jax_updates", "with_jax"),
    "tensorflow": ("tf_trpo",),
    "stable_baselines3": ("with_sb3",),
    "skrl": ("with_skrl",),
    "tianshou": ("with_tianshou",),
}
ELSEWHERE = {
    "mirrors.py": "needs rclone's server",
    "puts.py": "needs a server of S3, and an environment of its own with s3fs",
    "with_orbax.py": "is started by replay_snapshot.py, by an interpreter that BENCH_ORBAX names",
    "with_rllib.py": "needs an environment of its own with RLlib",
    "page.py": "is imported, see test_benchmarks.py",
    "reading_commands.py": "has a test of its own below",
    "with_garage_like.py": "is run by compare.py",
    "works.py": "is imported by with_*.py",
}
"""Scripts that are not run here, and why."""


MARKS = "<!-- table: benchmarks/trained_agents.py -->\n<!-- end of the table -->\n"


def test_every_script_is_run_or_says_why_not():
    run = {command.partition(" ")[0] for command, _ in RUNS}
    assert {path.name for path in BENCHMARKS.glob("*.py")} == run | set(ELSEWHERE)
    assert {f"{name}.py" for names in NEEDS.values() for name in names} <= run


@pytest.mark.slow
@pytest.mark.parametrize(("command", "row"), RUNS, ids=[command for command, _ in RUNS])
def test_script_runs_and_prints_its_rows(command, row, tmp_path):
    name, *words = command.format(folder=tmp_path).split()
    for library, scripts in NEEDS.items():
        if name.removesuffix(".py") in scripts and importlib.util.find_spec(library) is None:
            pytest.skip(f"{name} needs {library}, which is not installed")
    page = tmp_path / "page.md"  # of trained_agents.py, which prints nothing
    page.write_text(MARKS)
    assert row in said(name, *words, folder=tmp_path) + page.read_text()


def said(name, *words, folder):
    """Run a script in a process of its own; return what it prints."""
    paths = [str(ROOT)]
    if name != "tf_trpo.py":  # TensorBoard imports it for those who want none: five seconds each
        (folder / "without").mkdir(exist_ok=True)
        (folder / "without" / "tensorflow.py").write_text("raise ImportError('left out')")
        paths.append(str(folder / "without"))
    told = subprocess.run(
        [sys.executable, "-W", "ignore", BENCHMARKS / name, *words],
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(paths)},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert told.returncode == 0, told.stderr[-3000:]
    return told.stdout


@pytest.mark.slow
def test_commands_that_read_are_measured_on_runs_that_were_made(tmp_path):
    @wrap_experiment(snapshot_mode="all", log_dir=tmp_path / "run")
    def cem(ctxt=None):
        set_seed(1)
        trainer = Trainer(ctxt)
        env = GymEnv("CartPole-v1", max_episode_length=20)
        policy = CategoricalMLPPolicy(env.spec, hidden_sizes=(4,))
        trainer.setup(
            CEM(env.spec, policy, LocalSampler(policy, env), n_samples=2, best_frac=0.5), env
        )
        trainer.train(2, 40)

    cem()
    said(
        *("reading_commands.py", "make", tmp_path / "made", tmp_path / "run"),
        *("--sizes", "3", "2", "5", "6"),
        folder=tmp_path,
    )
    rows = said("reading_commands.py", "measure", tmp_path / "made", "ls {", folder=tmp_path)
    kinds = [line.split()[0] for line in rows.splitlines()]
    assert set(kinds) == {"snapshots", "runs", "rows", "columns"}
    assert rows.count("status 0") == len(kinds)
