"""Whatever a pickle names, nothing of it is imported or called."""

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from garage_like.interop.inert_pickle import Inert, array_of, read_inert

ATTACKS = {
    "reduce": b"cos\nsystem\n(S'touch sprung'\ntR.",
    "inst": b"(S'touch sprung'\nios\nsystem\n.",
    "obj": b"(cos\nsystem\nS'touch sprung'\no.",
    "newobj": b"\x80\x02cos\nsystem\n(S'touch sprung'\nt\x81.",
    "getattr": b"cbuiltins\ngetattr\n(cos\nsystem\nS'__call__'\ntR.",
    "object scalar": b"cnumpy._core.multiarray\nscalar\n(cnumpy\ndtype\n(S'O8'\ntRS'abcdefgh'\ntR.",
    "build": b"cnumpy\ndtype\n(N}S'__defaults__'\n(S'x'\ntstb.",
}
REFUSED = {
    "extension": b"\x82\x01.",
    "persistent": b"Pabc\n.",
    "no end": b"(" * 1000,
}


@pytest.mark.parametrize("name", ATTACKS)
def test_k13_names_in_a_pickle_are_inert(name: str, tmp_path: Path) -> None:
    code = """
import sys
from garage_like.interop import inert_pickle
defaults = [getattr(known, "__defaults__", None) for known in inert_pickle._KNOWN.values()]
modules = set(sys.modules)
inert_pickle.read_inert(bytes.fromhex(sys.argv[1]))
assert set(sys.modules) == modules
assert defaults == [getattr(k, "__defaults__", None) for k in inert_pickle._KNOWN.values()]
"""
    subprocess.run(
        [sys.executable, "-c", code, ATTACKS[name].hex()], cwd=tmp_path, check=True, timeout=60
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", REFUSED)
def test_k13_a_pickle_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not a pickle that can be read as data"):
        read_inert(REFUSED[name])


class Example:
    """A class that is not imported again."""

    def __init__(self) -> None:
        self.mean = np.arange(3.0)
        self.count = np.float64(7.5)
        self.wide = np.asfortranarray(np.arange(6, dtype=">i4").reshape(2, 3))
        self.names = np.array(["a", "b"])
        self.plain = {"a": [1, (2.5, None)]}


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_k13_numbers_of_every_protocol_come_out(protocol: int) -> None:
    found = read_inert(pickle.dumps(Example(), protocol))
    assert isinstance(found, Inert)
    assert found.name.endswith("Example")
    np.testing.assert_array_equal(array_of(found.attribute("mean")), np.arange(3.0))
    np.testing.assert_array_equal(array_of(found.attribute("wide")), [[0, 1, 2], [3, 4, 5]])
    assert array_of(found.attribute("count")) == 7.5
    assert array_of(found.attribute("names")) is None
    assert found.attribute("plain") == {"a": [1, (2.5, None)]}
