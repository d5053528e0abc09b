"""Every option that a class takes is in its signature, with default and explanation."""

import importlib
import inspect
import pydoc
import re
from collections.abc import Iterator
from typing import TypedDict, Unpack

import pytest

from garage_like.algos.off_policy import OffPolicyAlgorithm, OffPolicyOptions
from garage_like.algos.on_policy import OnPolicyAlgorithm, OnPolicyOptions
from garage_like.configuration.configured import Configured
from garage_like.interfaces import RLAlgorithm
from garage_like.sampler.vec_worker import VecWorker, VecWorkerOptions
from garage_like.sampler.worker import Worker


class Base(Configured):
    """Take options.

    Args:
        first: one.
        size: how large
            it is.
        hidden: not for all.
    """

    def __init__(self, first: int, *, size: int = 3, hidden: bool = False) -> None:
        self.size = size


class Between(Base):
    """Add nothing."""

    def __init__(self, *args: int, **options: int) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]


class Sized(Between):
    """Hand options up.

    Args:
        own: of this class.
        **options: arguments of Base (size,
            ...).

    Raises:
        ValueError: never.
    """

    def __init__(self, own: int, **options: int) -> None:
        super().__init__(own, **options)


class Options(TypedDict, total=False):
    size: int


class Typed(Base):
    """Hand on what is typed, with no word on it."""

    def __init__(self, first: int, **options: Unpack[Options]) -> None:
        super().__init__(first, **options)


class Silent(Base):
    """Say nothing of options."""

    def __init__(self, **options: int) -> None:
        super().__init__(1, **options)  # type: ignore[arg-type]


def test_options_of_a_base_are_shown() -> None:
    shown = inspect.signature(Sized).parameters
    assert list(shown) == ["own", "size", "hidden"]
    assert shown["size"].default == 3
    assert shown["size"].kind is inspect.Parameter.KEYWORD_ONLY
    assert "    size: how large\n            it is.\n" in (Sized.__doc__ or "")
    assert "options" not in (Sized.__doc__ or "").partition("Args:")[2]
    assert "Raises:\n        ValueError: never." in (Sized.__doc__ or "")
    assert Sized(1, size=5).size == 5


def test_options_that_are_typed_are_shown_too() -> None:
    assert list(inspect.signature(Typed).parameters) == ["first", "size"]
    assert "Args:\n        size: how large\n            it is.\n" in (Typed.__doc__ or "")


def test_a_class_that_does_not_document_options_is_left_alone() -> None:
    assert list(inspect.signature(Silent).parameters) == ["options"]


def test_an_option_that_no_base_takes_is_refused_by_the_class_that_was_called() -> None:
    with pytest.raises(TypeError, match="Sized: no argument is called 'siz'; did you mean 'size'"):
        Sized(1, siz=5)
    with pytest.raises(TypeError, match="Sized: no argument is called 'x'; there are own, size"):
        Sized(1, x=5)


@pytest.mark.parametrize("backend", ["torch", "tf"])
def test_algorithms_show_the_options_of_their_family(backend: str) -> None:
    pytest.importorskip({"torch": "torch", "tf": "tensorflow"}[backend])
    algos = __import__(f"garage_like.{backend}.algos", fromlist=["DQN"])
    classes = [getattr(algos, name) for name in algos.__all__]
    checked = 0
    for cls in (c for c in classes if inspect.isclass(c) and issubclass(c, OffPolicyAlgorithm)):
        shown, text = inspect.signature(cls).parameters, inspect.getdoc(cls) or ""
        for name in OffPolicyOptions.__annotations__:
            assert shown[name].default is not inspect.Parameter.empty
            assert f"\n    {name}: " in text
        checked += 1
    assert checked >= 3


@pytest.mark.parametrize(
    ("options", "taken_by"),
    [
        (OffPolicyOptions, OffPolicyAlgorithm),
        (OnPolicyOptions, OnPolicyAlgorithm),
        (VecWorkerOptions, VecWorker),
    ],
)
def test_options_are_what_the_base_takes_by_the_same_types(options: type, taken_by: type) -> None:
    taken = inspect.signature(taken_by).parameters
    for name, kind in options.__annotations__.items():
        expected = getattr(kind, "__forward_arg__", kind)
        assert (name, taken[name].annotation) == (name, expected)


def public_classes(package: str) -> Iterator[type]:
    """Return the classes that a package exports and that are made by users."""
    module = importlib.import_module(package)
    for name in module.__all__:
        value = getattr(module, name)
        if inspect.isclass(value) and issubclass(value, Configured | Worker):
            yield value


@pytest.mark.parametrize(
    ("package", "library"),
    [
        (f"garage_like.{package}", library)
        for library, packages in {
            "numpy": "sampler replay_buffer np.algos np.baselines np.policies np.q_functions"
            " np.exploration_policies",
            "torch": "torch.algos torch.policies torch.q_functions torch.value_functions",
            "tensorflow": "tf.algos tf.policies tf.q_functions tf.baselines",
            "jax": "jax.algos jax.policies",
        }.items()
        for package in packages.split()
    ],
)
def test_help_says_what_every_argument_means(package: str, library: str) -> None:
    pytest.importorskip(library)
    classes = list(public_classes(package))
    for cls in classes:
        text = pydoc.plain(pydoc.render_doc(cls))
        for name, parameter in inspect.signature(cls).parameters.items():
            meaning = re.search(rf"\n \|      \*{{0,2}}{name}: \S", text)
            assert meaning, f"help({cls.__qualname__}) says nothing of {name}"
            if parameter.default is not parameter.empty:
                assert re.search(rf"\b{name}: [^\n]* = ", text)
    assert classes
    if package.endswith("algos"):
        assert all(issubclass(cls, RLAlgorithm) for cls in classes)
