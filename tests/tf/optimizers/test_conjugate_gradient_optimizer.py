import cloudpickle
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from garage_like.tf.optimizers import ConjugateGradientOptimizer
from garage_like.tf.optimizers.conjugate_gradient_optimizer import (
    HessianVectorProduct,
    conjugate_gradient,
)
from garage_like.tf.quiet_import import tf

MATRIX = np.array([[4.0, 1.0, 0.0], [1.0, 3.0, 0.5], [0.0, 0.5, 2.0]], np.float32)
GRADIENT = np.array([1.0, -2.0, 0.5], np.float32)


def times_matrix(vector):
    return tf.linalg.matvec(MATRIX, vector)


def test_conjugate_gradients_solve_as_many_equations_as_iterations():
    solution = conjugate_gradient(times_matrix, tf.constant(GRADIENT), iterations=3)
    assert_allclose(solution, np.linalg.solve(MATRIX, GRADIENT), rtol=1e-5)
    rough = conjugate_gradient(times_matrix, tf.constant(GRADIENT), iterations=2)
    assert not np.allclose(rough, solution, rtol=1e-3)


def test_conjugate_gradients_of_nothing_are_nothing():
    assert conjugate_gradient(times_matrix, tf.zeros(3), 5).numpy().tolist() == [0.0] * 3


def test_products_are_those_of_the_hessian():
    first, second = tf.Variable([0.3, -0.7]), tf.Variable(0.5)

    def scalar():
        a, b = first, second
        return tf.reduce_sum(tf.sin(a) * tf.exp(b)) + a[0] ** 3 * a[1] ** 2 + b**4

    a, b = np.array([0.3, -0.7]), 0.5
    hessian = np.zeros((3, 3))
    hessian[0, 0] = -np.sin(a[0]) * np.exp(b) + 6 * a[0] * a[1] ** 2
    hessian[1, 1] = -np.sin(a[1]) * np.exp(b) + 2 * a[0] ** 3
    hessian[0, 1] = hessian[1, 0] = 6 * a[0] ** 2 * a[1]
    hessian[:2, 2] = hessian[2, :2] = np.cos(a) * np.exp(b)
    hessian[2, 2] = np.sin(a).sum() * np.exp(b) + 12 * b**2
    vector = np.array([1.0, -2.0, 3.0])
    product = HessianVectorProduct(scalar, [first, second], regularization=0.5)
    found = product(tf.constant(vector, tf.float32))
    assert_allclose(found, hessian @ vector + 0.5 * vector, rtol=1e-5)


class Problem:
    """A linear loss, and a constraint (x - start)' M (x - start) / 2, in two variables."""

    def __init__(self, **options):
        self.variables = [tf.Variable([1.0, 2.0]), tf.Variable([3.0])]
        self.start = self.vector().numpy()
        options = {"max_constraint_value": 0.02, **options}
        self.optimizer = ConjugateGradientOptimizer(self.variables, **options)

    def vector(self):
        return tf.concat([tf.convert_to_tensor(v) for v in self.variables], 0)

    def loss(self):
        return tf.reduce_sum(self.vector() * GRADIENT)

    def rising_loss(self):
        return tf.reduce_sum(tf.square(self.vector() - self.start)) + 0.0 * self.loss()

    def constraint(self):
        away = self.vector() - self.start
        return 0.5 * tf.reduce_sum(away * tf.linalg.matvec(MATRIX, away))

    def tight_constraint(self):
        """Look as flat as `constraint` where we are, and forbid all but the nearest."""
        away = tf.reduce_sum(tf.square(self.vector() - self.start))
        return self.constraint() + 1e6 * away**2


@pytest.mark.parametrize("wrap", [lambda step: step, tf.function], ids=["eager", "traced"])
def test_a_step_follows_the_natural_gradient_to_the_edge_of_the_region(wrap):
    problem = Problem()
    before = wrap(problem.optimizer.step)(problem.loss, problem.constraint)
    natural = np.linalg.solve(MATRIX, GRADIENT)
    # The line search leaves out what lies beyond the edge by rounding alone.
    lengths = (problem.vector().numpy() - problem.start) / -natural
    edge = np.sqrt(2.0 * 0.02 / (GRADIENT @ natural))
    assert_allclose(lengths, lengths[0], rtol=1e-4)
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
    assert_array_equal(problem.vector(), problem.start)


@pytest.mark.parametrize("accept", [False, True])
def test_a_violation_is_accepted_only_on_request(accept):
    problem = Problem(max_backtracks=1, accept_violation=accept)
    problem.optimizer.step(problem.loss, problem.tight_constraint)
    assert np.array_equal(problem.vector(), problem.start) is not accept


def test_a_variable_that_plays_no_part_stays():
    idle = tf.Variable([7.0])
    problem = Problem()
    optimizer = ConjugateGradientOptimizer([*problem.variables, idle], max_constraint_value=0.02)
    optimizer.step(problem.loss, problem.constraint)
    assert idle.numpy() == 7.0
    assert not np.array_equal(problem.vector(), problem.start)


def test_a_pickled_optimizer_keeps_its_options_and_its_variables():
    problem = cloudpickle.loads(cloudpickle.dumps(Problem(max_backtracks=1, cg_iters=1)))
    assert problem.optimizer.variables[0] is problem.variables[0]
    problem.optimizer.step(problem.loss, problem.tight_constraint)
    assert_array_equal(problem.vector(), problem.start)


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
