"""Every option that a class takes is in its signature, with default and explanation."""

import inspect

import pytest

from garage_like.algos.off_policy import OffPolicyAlgorithm, OffPolicyOptions
from garage_like.configuration.configured import Configured


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
