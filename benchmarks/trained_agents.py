"""Train from tuned settings, play what was learned, and write the table of docs/trained_agents.md.

    python benchmarks/trained_agents.py --train PPO:CartPole-v1 --train SAC:Pendulum-v1
    python benchmarks/trained_agents.py --without-training

Runs lie below data/local/tuned, where `garage-like train` puts them too; finished ones are
only read. Settings that no run was made from stand in the table as it was, or as not run; a run
that was stopped before its end stands there with the steps that it came to. With `--export` the
best policy of each run goes to data/agents, as weights and what they are of.
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
from garage_like.snapshot import read_snapshot
from garage_like.tuned import Settings, available, save_agent, train

PAGE = Path(__file__).parents[1] / "docs" / "trained_agents.md"
START, END = "<!-- table: benchmarks/trained_agents.py -->\n", "<!-- end of the table -->\n"
RUNS = Path("data/local/tuned")
AGENTS = Path(__file__).parents[1] / "data" / "agents"
N_EPISODES = 100
HEAD = (
    "| algorithm | environment | env steps | minutes | last | best |\n"
    "|---|---|---:|---:|---:|---:|\n"
)


@click.command()
@click.option("--train", "pairs", multiple=True, metavar="ALGO:ENV", help="What to train first.")
@click.option("--without-training", is_flag=True, help="Only read the runs that there are.")
@click.option("--page", type=Path, default=PAGE, help="Whose table is written.")
@click.option("--export", is_flag=True, help="Write the runs' policies to data/agents, too.")
def main(pairs: tuple[str, ...], without_training: bool, page: Path, export: bool) -> None:
    """Train, and write the table."""
    if bool(pairs) == without_training:
        raise click.UsageError("give --train ALGO:ENV, once or more, or --without-training")
    for pair in pairs:
        algorithm, _, environment = pair.partition(":")
        train(Settings.find(algorithm, environment), console=False)
    known = [(algo, env) for algo, envs in available().items() for env in envs]
    pairs_in_order = sorted(known, key=lambda pair: pair[::-1])
    before = page.read_text(encoding="utf-8").splitlines(keepends=True)
    write_table(page, [row(algo, env, before, export) for algo, env in pairs_in_order])


def row(algorithm: str, environment: str, before: list[str], export: bool) -> str:
    """Return the row of an algorithm on an environment; without a run, what it was."""
    run = RUNS / f"{algorithm}_{environment}_torch_seed=1"
    start = f"| {algorithm} | {environment} |"
    if not (run / "progress.csv").is_file():
        return next(
            (line for line in before if line.startswith(start)), f"{start} not run | | | |\n"
        )
    settings = Settings.find(algorithm, environment)
    with (run / "progress.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    last, asked = rows[-1], settings.section("train")["n_epochs"]
    steps, minutes = f"{int(float(last['TotalEnvSteps'])):,}", float(last["TotalTime"]) / 60
    if len(rows) < asked:
        steps += f" ({100 * len(rows) / asked:.0f} %)"
    found = {which: played(run, which) for which in ("last", "best")}
    if export and not read_snapshot(run, "best").manifest.normalizers:
        mean, deviation = found["best"]
        reached = {"return": round(mean, 1), "std": round(deviation, 1), "episodes": N_EPISODES}
        save_agent(run, AGENTS / f"{algorithm}_{environment}", settings, reached, "best")
    returns = " | ".join(f"{mean:,.0f} ± {spread:,.0f}" for mean, spread in found.values())
    return f"{start} {steps} | {minutes:.1f} | {returns} |\n"


def played(run: Path, which: str) -> tuple[float, float]:
    """Return mean and deviation of the returns of a snapshot's policy, by a new seed."""
    set_seed(1_000)
    episodes = obtain_evaluation_episodes(
        load_policy(run, which), load_env(run, which), num_eps=N_EPISODES
    )
    returns = [float(rewards.sum()) for rewards in episodes.padded_rewards]
    return statistics.fmean(returns), statistics.pstdev(returns)


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
