"""AMP: a discriminator tells how the reference moves, and what it makes of the policy pays."""

import numpy as np
import pytest
import torch

from garage_like.envs import PointEnv
from garage_like.np.baselines import LinearFeatureBaseline
from garage_like.sampler import LocalSampler
from garage_like.seeding import set_seed
from garage_like.torch.algos import AMP
from garage_like.torch.policies import GaussianMLPPolicy
from garage_like.trainer import Trainer

TO_THE_RIGHT = [np.stack([np.linspace(0.0, 1.5, 16), np.zeros(16)], axis=1)]


def make(**options):
    set_seed(1)
    env = PointEnv(max_episode_length=20, never_done=True)
    policy = GaussianMLPPolicy(env.spec, hidden_sizes=(8,), init_std=0.3)
    parts = (env.spec, policy, LinearFeatureBaseline(env.spec), LocalSampler(policy, env))
    options = {"motion": TO_THE_RIGHT, "features": (0, 1), **options}
    return AMP(*parts, **options), env


def test_style_pays_by_how_much_a_step_looks_like_the_reference():
    algo, _ = make(task_reward_weight=0.25, style_reward_weight=2.0)
    episodes = algo._sampler.obtain_samples(0, 40)
    with torch.no_grad():
        scores = algo.discriminator(algo._moves(episodes))[:, 0].numpy()
    batch = algo._learning_batch(episodes, np.zeros(40), np.zeros(len(episodes)))
    style = np.maximum(0.0, 1.0 - 0.25 * (scores - 1.0) ** 2)
    np.testing.assert_allclose(batch.episodes.rewards, 0.25 * episodes.rewards + 2.0 * style)
    assert algo._style_metrics["Reward/Style"] == pytest.approx(style.mean())


def test_the_loss_is_that_of_the_paper():
    algo, _ = make(gradient_penalty=4.0)
    moves = algo._moves(algo._sampler.obtain_samples(0, 20))
    reference = algo._scaled(algo._reference[:5])
    slopes = torch.autograd.functional.jacobian(lambda x: algo.discriminator(x)[:, 0], reference)
    own = torch.stack([slopes[row, row] for row in range(5)])
    with torch.no_grad():
        expected = (algo.discriminator(reference) - 1).square().mean()
        expected += (algo.discriminator(moves) + 1).square().mean()
        expected += 2.0 * own.square().sum(dim=1).mean()
    loss = algo._discriminator_loss(reference, moves).item()
    assert loss == pytest.approx(expected.item(), rel=1e-5)


def test_a_discriminator_learns_to_tell_the_reference_from_the_policy():
    algo, _ = make(gradient_penalty=0.1, discriminator_lr=1e-2)
    losses = []
    for number in range(6):
        moves = algo._moves(algo._sampler.obtain_samples(number, 100))
        algo._train_discriminator(moves)
        losses.append(algo._style_metrics["Loss/Discriminator"])
    assert losses[-1] < 0.7 * losses[0]
    assert algo._style_metrics["Discriminator/Reference"] > 0.2
    assert algo._style_metrics["Discriminator/Policy"] < -0.2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"motion": [np.zeros((5, 3))]}, r"motion must be clips of shape \(T, 2\)"),
        ({"motion": []}, "at least one clip, got none"),
        ({"features": (0, 5)}, r"features must be some of the numbers 0 to [12] .*got \[0, 5\]"),
        ({"style_reward_weight": -1.0}, "style_reward_weight must be 0 or more, got -1.0"),
    ],
)
def test_what_makes_no_sense_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        make(**options)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_swimmer_learns_the_style_of_a_wave(tmp_path, monkeypatch, seed):
    import csv
    import runpy
    from pathlib import Path

    monkeypatch.chdir(tmp_path)
    example = runpy.run_path(str(Path(__file__).parents[3] / "examples/torch/amp_swimmer.py"))
    example["amp_swimmer"].main([f"--seed={seed}", "--n-epochs=20"], standalone_mode=False)
    (log,) = tmp_path.glob("data/local/experiment/*/progress.csv")
    rows = list(csv.DictReader(log.read_text().splitlines()))
    style = [float(row["Reward/Style"]) for row in rows]
    # Fooled for a start: the discriminator knows nothing. Then it does, and the policy catches up.
    told = min(style[:10])
    assert np.mean(style[-5:]) > told + 0.1
    assert np.isfinite([float(row["Loss/Discriminator"]) for row in rows]).all()


def test_training_reports_style():
    algo, env = make()
    trainer = Trainer()
    trainer.setup(algo, env)
    trainer.train(2, 40)
    assert 0.0 <= algo._style_metrics["Reward/Style"] <= 1.0
