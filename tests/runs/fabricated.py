"""Runs that nobody trained: as many as wanted, in no time, with all that commands read."""

import json
import math
import random
from pathlib import Path

from garage_like.snapshot.disk.digests import file_digest_of
from garage_like.snapshot.disk.manifest import Manifest

KEYS = ("Evaluation/AverageReturn", "TotalEnvSteps", "policy/Entropy", "EpochTime")


def curve(rng: random.Random, n_epochs: int, lr: float) -> list[dict[str, float]]:
    goal, pace = rng.gauss(200, 30) * (1 + math.log10(lr) / 10), rng.uniform(0.05, 0.2)
    return [
        {
            "Evaluation/AverageReturn": goal * (1 - math.exp(-pace * i)) + rng.gauss(0, 8),
            "TotalEnvSteps": 1000.0 * (i + 1),
            "policy/Entropy": 0.69 * math.exp(-0.01 * i),
            "EpochTime": 0.5,
        }
        for i in range(n_epochs)
    ]


def fabricate_run(
    run: Path,
    *,
    algo: str = "garage_like.torch.algos.ppo.PPO",
    env: str = "CartPole-v1",
    seed: int = 1,
    lr: float = 1e-3,
    n_epochs: int = 20,
    parent: dict | None = None,
    created: float = 1.7e9,
) -> Path:
    """Make a run directory with one snapshot, of its last epoch."""
    rows = curve(random.Random(f"{algo} {env} {seed} {lr}"), n_epochs, lr)
    run.mkdir(parents=True)
    (run / "experiment.json").write_text(json.dumps({"function": "train", "options": {}}))
    (run / "variant.json").write_text(json.dumps({"seed": seed, "lr": lr, "env": env}))
    lines = [",".join(KEYS), *(",".join(str(row[key]) for key in KEYS) for row in rows)]
    (run / "progress.csv").write_text("\r\n".join(lines) + "\r\n")
    (run / "debug.log").write_text(f"epoch #{n_epochs - 1} | Saved\n")
    snapshot = run / "snapshots" / f"epoch_{n_epochs - 1:06}"
    snapshot.mkdir(parents=True)
    content = b"\x80\x05N." * 100
    (snapshot / "objects.pkl").write_bytes(content)
    manifest = Manifest(
        epoch=n_epochs - 1,
        itr=n_epochs,
        total_env_steps=1000 * n_epochs,
        created=created + seed,
        metrics=rows[-1],
        exact=True,
        seed=seed,
        env_state={"mode": "exact", "reason": "", "name": env},
        train_args={"n_epochs": n_epochs, "batch_size": 1000},
        classes={"algo": algo, "env": "garage_like.envs.gym_env.GymEnv"},
        configuration={"algo": {"class": algo, "discount": 0.99, "lr": lr}},
        parent=parent,
        files={"objects.pkl": file_digest_of([content])},
    )
    (snapshot / "manifest.json").write_bytes(manifest.to_bytes())
    return run


def fabricate(root: Path, count: int, n_epochs: int = 20) -> None:
    """Make runs of two algorithms in three environments, ten seeds and four rates each at most."""
    algos = ("garage_like.torch.algos.ppo.PPO", "garage_like.torch.algos.vpg.VPG")
    envs = ("CartPole-v1", "Acrobot-v1", "Pendulum-v1")
    for number in range(count):
        algo, env = algos[number % 2], envs[number % 3]
        seed, lr = number // 6, (1e-2, 3e-3, 1e-3, 3e-4)[number % 4]
        name = f"{algo.rpartition('.')[2].lower()}_{env.split('-')[0].lower()}_{number}"
        fabricate_run(root / name, algo=algo, env=env, seed=seed, lr=lr, n_epochs=n_epochs)
