"""Kill a training run, resume it, and compare it bit for bit with one that was never killed.

    python examples/kill_and_resume.py

Two processes train PPO on CartPole-v1 with the same seed. One is killed half-way (SIGKILL: it
cannot prepare for it) and resumed by `garage-like resume RUN`, which knows nothing but the run
directory. Exits with 1 if the two runs differ in any bit of their state or of their log.
"""

import csv
import hashlib
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from garage_like import Trainer, wrap_experiment
from garage_like.envs import GymEnv
from garage_like.errors import SnapshotError
from garage_like.experiment.deterministic import set_seed
from garage_like.sampler import LocalSampler, VecWorker
from garage_like.snapshot import read_snapshot
from garage_like.torch.algos import PPO
from garage_like.torch.policies import CategoricalMLPPolicy
from garage_like.torch.value_functions import GaussianMLPValueFunction

POLL_SECONDS = 0.05


@wrap_experiment(archive_launch_repo=False, console=False)
def ppo_cartpole(ctxt=None, *, seed, n_epochs, batch_size):
    """Train PPO on CartPole-v1: an experiment like any other."""
    set_seed(seed)
    env = GymEnv("CartPole-v1")
    policy = CategoricalMLPPolicy(env.spec, hidden_sizes=(64, 64))
    value_function = GaussianMLPValueFunction(env.spec, hidden_sizes=(64, 64))
    sampler = LocalSampler(agents=policy, envs=env, worker_class=VecWorker)
    algo = PPO(env.spec, policy, value_function, sampler)

    trainer = Trainer(ctxt)
    trainer.setup(algo, env)
    trainer.train(n_epochs, batch_size)


def start(run_dir, **parameters):
    """Start the experiment in a process of its own."""
    process = multiprocessing.get_context("spawn").Process(
        target=ppo_cartpole, args=({"log_dir": str(run_dir)},), kwargs=parameters, daemon=True
    )
    process.start()
    return process


def resume(run_dir):
    """Resume a run in a process that knows nothing but its directory."""
    return subprocess.Popen(
        [sys.executable, "-m", "garage_like", "resume", str(run_dir), "--json"],
        stdout=subprocess.DEVNULL,
    )


def rows(run_dir):
    """Return the rows of a run's log, columns of times left out."""
    try:
        with open(run_dir / "progress.csv", newline="") as file:
            return [
                {key: value for key, value in row.items() if not key.endswith("Time")}
                for row in csv.DictReader(file)
            ]
    except FileNotFoundError:
        return []


def newest_epoch(run_dir):
    """Return the epoch of a run's newest snapshot; -1 if there is none yet."""
    try:
        return read_snapshot(run_dir).epoch
    except SnapshotError:
        return -1


class Screen:
    """Show how far the runs are: bars in a terminal, plain lines elsewhere."""

    def __init__(self, runs, n_epochs):
        self.console = Console(highlight=False, soft_wrap=True)
        self._runs = runs
        self._n_epochs = n_epochs
        self._epochs = dict.fromkeys(runs, 0)
        self._progress = Progress(
            TextColumn("{task.description:<18}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("epochs"),
            TimeElapsedColumn(),
            console=self.console,
            disable=not self.console.is_terminal,
        )
        self._tasks = {name: self._progress.add_task(name, total=n_epochs) for name in runs}

    def __enter__(self):
        self._progress.start()
        return self

    def __exit__(self, *error):
        self._progress.stop()

    def say(self, text):
        """Print a line above the bars."""
        self.console.print(text)

    def wait_until(self, condition):
        """Poll the run directories until a condition holds."""
        while not condition():
            self._refresh()
            time.sleep(POLL_SECONDS)
        self._refresh()

    def _refresh(self):
        for name, run_dir in self._runs.items():
            epochs, before = len(rows(run_dir)), self._epochs[name]
            self._progress.update(self._tasks[name], completed=epochs)
            if not self.console.is_terminal and epochs * 4 // self._n_epochs > (
                before * 4 // self._n_epochs
            ):
                self.say(f"  {name}: {epochs} of {self._n_epochs} epochs")
            self._epochs[name] = max(epochs, before)


def train_both(screen, straight_dir, killed_dir, parameters):
    """Train two runs side by side, one of them in two lives."""
    straight, victim = start(straight_dir, **parameters), start(killed_dir, **parameters)
    n_epochs = parameters["n_epochs"]

    def is_half_way():
        return len(rows(killed_dir)) >= n_epochs // 2 and newest_epoch(killed_dir) >= 0

    screen.wait_until(lambda: is_half_way() or not victim.is_alive())
    time.sleep(random.uniform(0.0, POLL_SECONDS))  # to some moment within an epoch
    victim.kill()
    victim.join()
    if victim.exitcode != -signal.SIGKILL or newest_epoch(killed_dir) >= n_epochs - 1:
        raise click.ClickException("the run ended before it was killed; give it more --n-epochs")
    screen.say(f"killed process {victim.pid} with SIGKILL in epoch #{len(rows(killed_dir))}")
    screen.say(f"its newest snapshot is of epoch #{newest_epoch(killed_dir)}")

    screen.say(f"garage-like resume {killed_dir}")
    resumed = resume(killed_dir)
    screen.wait_until(lambda: resumed.poll() is not None and not straight.is_alive())
    if resumed.returncode or straight.exitcode:
        raise click.ClickException("a run failed; see above")


def digests(run_dir):
    """Return a digest of each file of arrays in a run's last snapshot."""
    snapshot = read_snapshot(run_dir)
    files = {
        name: snapshot.path / "tensors" / f"{name}.safetensors" for name in snapshot.components
    }
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}


def facts(run_dir):
    """Return all that two runs must agree on, and how to show it."""
    log = rows(run_dir)
    found: dict[str, tuple[object, str]] = {
        name.replace("_", " "): (digest, digest[:12]) for name, digest in digests(run_dir).items()
    }
    found["rows of progress.csv"] = (log, str(len(log)))
    found["its last row"] = (log[-1], f"{len(log[-1])} columns")
    average = log[-1]["Evaluation/AverageReturn"]
    found["average return"] = (average, average[:12])
    return found


def compare(console, straight_dir, killed_dir):
    """Print a table of what the runs agree on; return whether that is everything."""
    straight, killed = facts(straight_dir), facts(killed_dir)
    table = Table("", "never killed", "killed and resumed", "", title_justify="left")
    all_same = straight.keys() == killed.keys()
    for name in straight:
        same = name in killed and straight[name][0] == killed[name][0]
        all_same = all_same and same
        shown = killed[name][1] if name in killed else "missing"
        verdict = "[green]same[/]" if same else "[bold red]DIFFERENT[/]"
        table.add_row(name, straight[name][1], shown, verdict)
    console.print(table)
    return all_same


def command():
    """Return what to type for the `garage-like` that belongs to this Python."""
    beside = Path(sys.executable).with_name("garage-like")
    return "garage-like" if shutil.which("garage-like") else os.path.relpath(beside)


@click.command()
@click.option("--seed", default=1, show_default=True, help="What all randomness derives from.")
@click.option("--n-epochs", default=24, show_default=True, help="Epochs of each run.")
@click.option("--batch-size", default=2048, show_default=True, help="Env steps per epoch.")
@click.option("--log-dir", type=click.Path(path_type=Path), help="A new directory for both runs.")
def main(seed, n_epochs, batch_size, log_dir):
    """Kill a training run, resume it, and compare it with one that was never killed."""
    if n_epochs < 2:
        raise click.BadParameter("a run of less than 2 epochs cannot be killed half-way")
    folder = log_dir or Path("data/local/kill_and_resume", time.strftime("%Y-%m-%d_%H-%M-%S"))
    if folder.exists():
        raise click.ClickException(f"{folder}: expected a new directory")
    straight_dir, killed_dir = folder / "never_killed", folder / "killed_and_resumed"
    runs = {"never killed": straight_dir, "killed and resumed": killed_dir}
    with Screen(runs, n_epochs) as screen:
        screen.say(f"PPO on CartPole-v1, twice: {n_epochs} epochs of {batch_size} env steps")
        parameters = {"seed": seed, "n_epochs": n_epochs, "batch_size": batch_size}
        train_both(screen, straight_dir, killed_dir, parameters)
    same = compare(screen.console, straight_dir, killed_dir)
    verdict = "Identical, bit for bit." if same else "The runs differ."
    print(f"{verdict} Both are in {folder}. To see more:\n")
    print(f"  {command()} show {killed_dir}")
    print(f"  {command()} ls {folder}")
    sys.exit(0 if same else 1)


if __name__ == "__main__":
    main()
