import cloudpickle
import pytest
import torch
from torch import nn
from torch.testing import assert_close

from garage_like.torch.optimizers import ConjugateGradientOptimizer
from garage_like.torch.optimizers.conjugate_gradient_optimizer import (
    HessianVectorProduct,
    conjugate_gradient,
)

MATRIX = torch.tensor([[4.0, 1.0, 0.0], [1.0, 3.0, 0.5], [0.0, 0.5, 2.0]])
GRADIENT = torch.tensor([1.0, -2.0, 0.5])


def test_conjugate_gradients_solve_as_many_equations_as_iterations():
    solution = conjugate_gradient(lambda v: MATRIX @ v, GRADIENT, iterations=3)
    assert_close(solution, torch.linalg.solve(MATRIX, GRADIENT))


def test_conjugate_gradients_of_nothing_are_nothing():
    assert conjugate_gradient(lambda v: MATRIX @ v, torch.zeros(3), 5).tolist() == [0.0] * 3


def test_products_are_those_of_the_hessian():
    first, second = nn.Parameter(torch.tensor([0.3, -0.7])), nn.Parameter(torch.tensor(0.5))

    def scalar(a, b):
        return (a.sin() * b.exp()).sum() + a[0] ** 3 * a[1] ** 2 + b**4

    blocks = torch.autograd.functional.hessian(scalar, (first, second))
    hessian = torch.cat(
        [
            torch.cat([part.reshape(len_, -1) for part in line], dim=1)
            for line, len_ in zip(blocks, (2, 1), strict=True)
        ]
    )
    product = HessianVectorProduct(scalar(first, second), [first, second], regularization=0.5)
    vector = torch.tensor([1.0, -2.0, 3.0])
    assert_close(product(vector), hessian @ vector + 0.5 * vector)


class Problem:
    """A linear loss, and a constraint (x - start)' M (x - start) / 2, in two parameters."""

    def __init__(self, **options):
        self.params = [nn.Parameter(torch.tensor([1.0, 2.0])), nn.Parameter(torch.tensor([3.0]))]
        self.start = self.vector().detach().clone()
        options = {"max_constraint_value": 0.02, **options}
        self.optimizer = ConjugateGradientOptimizer(self.params, **options)

    def vector(self):
        return torch.cat(self.params)

    def loss(self):
        return self.vector() @ GRADIENT

    def rising_loss(self):
        return (self.vector() - self.start).square().sum() + 0.0 * self.loss()

    def constraint(self):
        away = self.vector() - self.start
        return 0.5 * away @ MATRIX @ away

    def tight_constraint(self):
        """Look as flat as `constraint` where we are, and forbid all but the nearest."""
        away = (self.vector() - self.start).square().sum()
        return self.constraint() + 1e6 * away**2


def test_a_step_follows_the_natural_gradient_to_the_edge_of_the_region():
    problem = Problem()
    before = problem.optimizer.step(problem.loss, problem.constraint)
    natural = torch.linalg.solve(MATRIX, GRADIENT)
    # The line search leaves out what lies beyond the edge by rounding alone.
    lengths = (problem.vector() - problem.start) / -natural
    edge = torch.sqrt(2.0 * 0.02 / (GRADIENT @ natural))
    assert_close(lengths, lengths[0].expand(3), rtol=1e-4, atol=0.0)
    assert 0.79 * edge < lengths[0] < 1.001 * edge
    assert problem.constraint() <= 0.02
    assert problem.loss() < before


def test_the_line_search_shortens_a_step_until_the_constraint_holds():
    problem = Problem(max_backtracks=40)
    problem.optimizer.step(problem.loss, problem.tight_constraint)
    assert 0.0 < problem.tight_constraint() <= 0.02
    assert problem.loss() < problem.start @ GRADIENT


def test_a_step_that_cannot_help_is_not_taken():
    problem = Problem()
    problem.optimizer.step(problem.rising_loss, problem.constraint)
    assert torch.equal(problem.vector(), problem.start)


@pytest.mark.parametrize("accept", [False, True])
def test_a_violation_is_accepted_only_on_request(accept):
    problem = Problem(max_backtracks=1, accept_violation=accept)
    problem.optimizer.step(problem.loss, problem.tight_constraint)
    assert torch.equal(problem.vector(), problem.start) is not accept


def test_a_parameter_that_plays_no_part_stays():
    idle = nn.Parameter(torch.tensor([7.0]))
    problem = Problem()
    optimizer = ConjugateGradientOptimizer([*problem.params, idle], max_constraint_value=0.02)
    optimizer.step(problem.loss, problem.constraint)
    assert idle.item() == 7.0
    assert not torch.equal(problem.vector(), problem.start)


def test_a_pickled_optimizer_keeps_its_options_and_its_parameters():
    problem = cloudpickle.loads(cloudpickle.dumps(Problem(cg_iters=7, backtrack_ratio=0.5)))
    group = problem.optimizer.param_groups[0]
    assert (group["cg_iters"], group["backtrack_ratio"]) == (7, 0.5)
    problem.optimizer.step(problem.loss, problem.constraint)
    assert not torch.equal(problem.vector(), problem.start)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_constraint_value": 0.0}, "max_constraint_value must be positive, got 0.0"),
        ({"backtrack_ratio": 1.0}, "backtrack_ratio must lie between 0 and 1, got 1.0"),
        ({"cg_iters": 0}, "cg_iters must be at least 1, got 0"),
        ({"max_backtracks": 0}, "max_backtracks must be at least 1, got 0"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Problem(**options)
