"""Every option that a class takes is in its signature, with default and explanation."""

import importlib
import inspect
import pydoc
import re
from collections.abc import Iterator
from typing import Any, TypedDict, Unpack

import pytest

from garage_like.algos.off_policy import OffPolicyAlgorithm, OffPolicyOptions
from garage_like.algos.on_policy import OnPolicyAlgorithm, OnPolicyOptions
from garage_like.configuration.configured import Configured, configuration_of
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


class Coloured(Base):
    """Take a colour besides.

    Args:
        colour: of it.
        **options: arguments of whatever this is mixed into.
    """

    def __init__(self, first: int, *, colour: str = "red", **options: Any) -> None:
        super().__init__(first, **options)
        self.colour = colour


class Tall(Base):
    """Have a height.

    Args:
        height: of it.
        **options: arguments of Base.
    """

    def __init__(self, first: int, *, height: int = 2, **options: Any) -> None:
        super().__init__(first, **options)
        self.height = height


class ColouredTall(Coloured, Tall):
    """Have both, with no constructor of its own."""


class Derived(ColouredTall):
    """Have one of its own again.

    Args:
        last: of its own.
        **options: arguments of ColouredTall.
    """

    def __init__(self, first: int, last: int, **options: Any) -> None:
        super().__init__(first, **options)


class Wheel:
    """Be a part.

    Args:
        spokes: how many.
        rim: of what.
    """

    def __init__(self, owner: str, *, spokes: int = 8, rim: str = "wood") -> None:
        self.spokes, self.rim = spokes, rim


class WheelOptions(TypedDict, total=False):
    spokes: int


class Cart(Configured):
    """Roll on a part."""

    EXPLAINED_BY = (Wheel,)

    def __init__(self, load: int, **options: Unpack[WheelOptions]) -> None:
        self.wheel = Wheel("cart", **options)


class Hidden(Base):
    """Hand options to a part that it does not tell of."""

    def __init__(self, first: int, **options: Unpack[WheelOptions]) -> None:
        super().__init__(first)
        self.wheel = Wheel("hidden", **options)


def test_options_of_a_part_that_is_not_told_of_are_taken_all_the_same() -> None:
    assert list(inspect.signature(Hidden).parameters) == ["first", "options"]
    assert Hidden(1, spokes=5).wheel.spokes == 5


def test_a_mixin_hands_up_to_what_comes_after_it_in_the_class_that_is_made() -> None:
    assert list(inspect.signature(Coloured).parameters) == ["first", "colour", "size", "hidden"]
    shown = ["first", "colour", "height", "size", "hidden"]
    assert list(inspect.signature(ColouredTall).parameters) == shown
    made = ColouredTall(1, colour="blue", height=5, size=4)
    assert (made.colour, made.height, made.size) == ("blue", 5, 4)
    with pytest.raises(TypeError, match="ColouredTall: no argument is called 'heigt'"):
        ColouredTall(1, heigt=5)
    assert list(inspect.signature(Derived).parameters) == ["first", "last", *shown[1:]]
    assert Derived(1, 2, height=7).height == 7
    known = configuration_of(made)
    assert known is not None
    assert (known["colour"], known["height"], known["size"]) == ("blue", 5, 4)


def test_options_of_a_part_are_shown_and_noted() -> None:
    shown = inspect.signature(Cart).parameters
    assert list(shown) == ["load", "spokes"]
    assert shown["spokes"].default == 8
    assert "        spokes: how many.\n" in (Cart.__doc__ or "")
    assert Cart(3, spokes=5).wheel.spokes == 5
    known = [configuration_of(cart) or {} for cart in (Cart(3), Cart(3, spokes=5))]
    assert [(noted["load"], noted["spokes"]) for noted in known] == [(3, 8), (3, 5)]
    with pytest.raises(TypeError, match="Cart: no argument is called 'rim'"):
        Cart(3, rim="iron")  # type: ignore[call-arg]


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


@pytest.mark.parametrize(("backend", "library"), [("torch", "torch"), ("tf", "tensorflow")])
def test_what_looks_at_images_takes_the_options_of_its_cnn(backend: str, library: str) -> None:
    pytest.importorskip(library)
    module = importlib.import_module(f"garage_like.{backend}.modules.cnn")
    taken = inspect.signature(module.CNN).parameters
    for name, kind in module.CNNOptions.__annotations__.items():
        assert (name, taken[name].annotation) == (name, kind.__forward_arg__)


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
