"""Train from tuned settings, play what was learned, and write the table of docs/trained_agents.md.

    python benchmarks/trained_agents.py --train PPO:CartPole-v1 --train SAC:Pendulum-v1
    python benchmarks/trained_agents.py --without-training

Runs lie below data/local/tuned, where `garage-like train` puts them too; finished ones are
only read. Settings that no run was made from stand in the table as not run.
"""

import csv
import os
import statistics
import time
from pathlib import Path

import click

from garage_like import load_env, load_policy, obtain_evaluation_episodes
from garage_like.experiment.deterministic import set_seed
from garage_like.logging.log_files import replace_content
from garage_like.tuned import Settings, available, train

PAGE = Path(__file__).parents[1] / "docs" / "trained_agents.md"
START, END = "<!-- table: benchmarks/trained_agents.py -->\n", "<!-- end of the table -->\n"
RUNS = Path("data/local/tuned")
N_EPISODES = 100
HEAD = (
    "| algorithm | environment | env steps | minutes | last | best |\n"
    "|---|---|---:|---:|---:|---:|\n"
)


@click.command()
@click.option("--train", "pairs", multiple=True, metavar="ALGO:ENV", help="What to train first.")
@click.option("--without-training", is_flag=True, help="Only read the runs that there are.")
def main(pairs: tuple[str, ...], without_training: bool) -> None:
    """Train, and write the table."""
    if bool(pairs) == without_training:
        raise click.UsageError("give --train ALGO:ENV, once or more, or --without-training")
    for pair in pairs:
        algorithm, _, environment = pair.partition(":")
        train(Settings.find(algorithm, environment), console=False)
    known = [(algo, env) for algo, envs in available().items() for env in envs]
    write_table(PAGE, [row(algo, env) for algo, env in sorted(known, key=lambda pair: pair[::-1])])


def row(algorithm: str, environment: str) -> str:
    """Return the row of an algorithm on an environment."""
    run = RUNS / f"{algorithm}_{environment}_torch_seed=1"
    settings = Settings.find(algorithm, environment)
    rows = []
    if (run / "progress.csv").is_file():
        with (run / "progress.csv").open(newline="") as lines:
            rows = list(csv.DictReader(lines))
    if len(rows) < settings.section("train")["n_epochs"]:
        return f"| {algorithm} | {environment} | not run | | | |\n"
    last = rows[-1]
    steps, minutes = int(float(last["TotalEnvSteps"])), float(last["TotalTime"]) / 60
    returns = " | ".join(played(run, which) for which in ("last", "best"))
    return f"| {algorithm} | {environment} | {steps:,} | {minutes:.1f} | {returns} |\n"


def played(run: Path, which: str) -> str:
    """Return mean and deviation of the returns of a snapshot's policy, by a new seed."""
    set_seed(1_000)
    episodes = obtain_evaluation_episodes(
        load_policy(run, which), load_env(run, which), num_eps=N_EPISODES
    )
    returns = [float(rewards.sum()) for rewards in episodes.padded_rewards]
    return f"{statistics.fmean(returns):,.0f} ± {statistics.pstdev(returns):,.0f}"


def write_table(page: Path, rows: list[str]) -> None:
    """Put the table between its marks, and say when and on what it was made."""
    before, _, rest = page.read_text(encoding="utf-8").partition(START)
    _, mark, after = rest.partition(END)
    if not mark:
        raise click.ClickException(f"expected the marks of the table in {page}")
    made = f"Made on {time.strftime('%Y-%m-%d')}, on {os.cpu_count()} shared processors.\n"
    text = f"{before}{START}{HEAD}{''.join(rows)}\n{made}{END}{after}"
    replace_content(page, text.encode())


if __name__ == "__main__":
    main()
