"""Both backends' ConjugateGradientOptimizer, on a linear loss within a quadratic region."""

import importlib

import cloudpickle
import numpy as np
import pytest
import tensorflow as tf
import torch
from numpy.testing import assert_allclose, assert_array_equal

MATRIX = np.array([[4.0, 1.0, 0.0], [1.0, 3.0, 0.5], [0.0, 0.5, 2.0]], np.float32)
GRADIENT = np.array([1.0, -2.0, 0.5], np.float32)
START = np.array([1.0, 2.0, 3.0], np.float32)


class InTorch:
    """What the problem needs of torch."""

    name = "torch"
    tensor = staticmethod(torch.tensor)

    @staticmethod
    def variable(values):
        return torch.nn.Parameter(torch.tensor(values))

    @staticmethod
    def join(variables):
        return torch.cat([v.reshape(-1) for v in variables])

    @staticmethod
    def times(matrix, vector):
        return torch.tensor(matrix) @ vector

    @staticmethod
    def total(vector):
        return vector.sum()

    @staticmethod
    def scalar(a, b):
        return (a.sin() * b.exp()).sum() + a[0] ** 3 * a[1] ** 2 + b**4

    @staticmethod
    def differentiated(scalar):
        return scalar()

    @staticmethod
    def array(vector):
        return vector.detach().numpy()


class InTF:
    """What the problem needs of TensorFlow."""

    name = "tf"
    tensor = staticmethod(tf.constant)
    variable = staticmethod(tf.Variable)

    @staticmethod
    def join(variables):
        return tf.concat([tf.reshape(v, (-1,)) for v in variables], 0)

    @staticmethod
    def times(matrix, vector):
        return tf.linalg.matvec(matrix, vector)

    @staticmethod
    def total(vector):
        return tf.reduce_sum(vector)

    @staticmethod
    def scalar(a, b):
        return tf.reduce_sum(tf.sin(a) * tf.exp(b)) + a[0] ** 3 * a[1] ** 2 + b**4

    @staticmethod
    def differentiated(scalar):
        return scalar

    @staticmethod
    def array(vector):
        return np.asarray(vector)


def module(backend):
    return importlib.import_module(
        f"garage_like.{backend.name}.optimizers.conjugate_gradient_optimizer"
    )


class Problem:
    """A linear loss, and a constraint (x - start)' M (x - start) / 2, in two variables."""

    def __init__(self, backend, idle=(), **options):
        self.backend = backend
        self.variables = [backend.variable([1.0, 2.0]), backend.variable([3.0])]
        options = {"max_constraint_value": 0.02, **options}
        cls = module(backend).ConjugateGradientOptimizer
        self.optimizer = cls([*self.variables, *idle], **options)

    def away(self):
        return self.backend.join(self.variables) - self.backend.tensor(START)

    def loss(self):
        vector = self.backend.join(self.variables)
        return self.backend.total(vector * self.backend.tensor(GRADIENT))

    def rising_loss(self):
        return self.backend.total(self.away() ** 2) + 0.0 * self.loss()

    def constraint(self):
        away = self.away()
        return 0.5 * self.backend.total(away * self.backend.times(MATRIX, away))

    def tight_constraint(self):
        """Look as flat as `constraint` where we are, and forbid all but the nearest."""
        return self.constraint() + 1e6 * self.backend.total(self.away() ** 2) ** 2

    def moved(self):
        return self.backend.array(self.away())


@pytest.fixture(params=[InTorch, InTF], ids=lambda backend: backend.name)
def backend(request):
    return request.param


def test_conjugate_gradients_solve_as_many_equations_as_iterations(backend):
    def solve(right_side, iterations):
        solver, side = module(backend).conjugate_gradient, backend.tensor(right_side)
        return backend.array(solver(lambda v: backend.times(MATRIX, v), side, iterations))

    solution = solve(GRADIENT, 3)
    assert_allclose(solution, np.linalg.solve(MATRIX, GRADIENT), rtol=1e-5)
    assert not np.allclose(solve(GRADIENT, 2), solution, rtol=1e-3)
    assert solve(np.zeros(3, np.float32), 5).tolist() == [0.0] * 3


def test_products_are_those_of_the_hessian(backend):
    first, second = backend.variable([0.3, -0.7]), backend.variable(0.5)
    a, b = np.array([0.3, -0.7]), 0.5
    hessian = np.zeros((3, 3))
    hessian[0, 0] = -np.sin(a[0]) * np.exp(b) + 6 * a[0] * a[1] ** 2
    hessian[1, 1] = -np.sin(a[1]) * np.exp(b) + 2 * a[0] ** 3
    hessian[0, 1] = hessian[1, 0] = 6 * a[0] ** 2 * a[1]
    hessian[:2, 2] = hessian[2, :2] = np.cos(a) * np.exp(b)
    hessian[2, 2] = np.sin(a).sum() * np.exp(b) + 12 * b**2
    vector = np.array([1.0, -2.0, 3.0], np.float32)
    scalar = backend.differentiated(lambda: backend.scalar(first, second))
    product = module(backend).HessianVectorProduct(scalar, [first, second], regularization=0.5)
    found = backend.array(product(backend.tensor(vector)))
    assert_allclose(found, hessian @ vector + 0.5 * vector, rtol=1e-5)


@pytest.mark.parametrize(
    ("backend", "wrap"),
    [(InTorch, lambda step: step), (InTF, lambda step: step), (InTF, tf.function)],
    ids=["torch", "eager tf", "traced tf"],
)
def test_a_step_follows_the_natural_gradient_to_the_edge_of_the_region(backend, wrap):
    problem = Problem(backend)
    before = wrap(problem.optimizer.step)(problem.loss, problem.constraint)
    natural = np.linalg.solve(MATRIX, GRADIENT)
    # The line search leaves out what lies beyond the edge by rounding alone.
    lengths = problem.moved() / -natural
    edge = np.sqrt(2.0 * 0.02 / (GRADIENT @ natural))
    assert_allclose(lengths, lengths[0], rtol=1e-4)
    assert 0.79 * edge < lengths[0] < 1.001 * edge
    assert problem.constraint() <= 0.02
    assert problem.loss() < before


def test_the_line_search_shortens_a_step_until_the_constraint_holds(backend):
    problem = Problem(backend, max_backtracks=40)
    problem.optimizer.step(problem.loss, problem.tight_constraint)
    assert 0.0 < problem.tight_constraint() <= 0.02
    assert problem.loss() < START @ GRADIENT


def test_a_step_that_cannot_help_is_not_taken(backend):
    problem = Problem(backend)
    problem.optimizer.step(problem.rising_loss, problem.constraint)
    assert_array_equal(problem.moved(), 0.0)


@pytest.mark.parametrize("accept", [False, True])
def test_a_violation_is_accepted_only_on_request(backend, accept):
    problem = Problem(backend, max_backtracks=1, accept_violation=accept)
    problem.optimizer.step(problem.loss, problem.tight_constraint)
    assert problem.moved().any() == accept


def test_a_variable_that_plays_no_part_stays(backend):
    idle = backend.variable([7.0])
    problem = Problem(backend, [idle])
    problem.optimizer.step(problem.loss, problem.constraint)
    assert backend.array(idle) == 7.0
    assert problem.moved().all()


def test_a_pickled_optimizer_keeps_its_options_and_its_variables(backend):
    problem = cloudpickle.loads(cloudpickle.dumps(Problem(backend, max_backtracks=1, cg_iters=1)))
    problem.optimizer.step(problem.loss, problem.tight_constraint)
    assert not problem.moved().any()
    problem.optimizer.step(problem.loss, problem.constraint)
    assert problem.moved().all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_constraint_value": 0.0}, "max_constraint_value must be positive, got 0.0"),
        ({"backtrack_ratio": 1.0}, "backtrack_ratio must lie between 0 and 1, got 1.0"),
        ({"cg_iters": 0}, "cg_iters must be at least 1, got 0"),
        ({"max_backtracks": 0}, "max_backtracks must be at least 1, got 0"),
    ],
)
def test_options_out_of_range_are_refused(backend, options, message):
    with pytest.raises(ValueError, match=message):
        Problem(backend, **options)
