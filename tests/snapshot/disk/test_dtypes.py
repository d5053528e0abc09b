"""Types that NumPy lacks are read as ml_dtypes reads them, and without it."""

import ml_dtypes
import numpy as np
import pytest

from garage_like.snapshot.disk.dtypes import numbers, plain_dtype, stored_as, told_dtype

SMALL = [name for name in dir(ml_dtypes) if name.startswith(("float", "int", "uint", "bfloat16"))]
BITS = {"bfloat16": 16, "int1": 1, "uint1": 1, "int2": 2, "uint2": 2, "int4": 4, "uint4": 4}


def codes_of(name):
    """Return every pattern of bits that the type has, as an array of it."""
    if name == "bfloat16":
        return np.arange(1 << 16).astype(np.uint16).view(ml_dtypes.bfloat16)
    bits = BITS.get(name) or int(name.removeprefix("float")[0])
    return np.arange(1 << bits).astype(np.uint8).view(getattr(ml_dtypes, name))


@pytest.mark.parametrize("name", SMALL)
def test_each_pattern_of_bits_means_what_it_means_there(name):
    array = codes_of(name)
    told = told_dtype(array.dtype)
    found = numbers(array.view(np.uint8), told, array.shape)
    wide = np.float32 if "float" in name else found.dtype
    assert found.dtype == wide == plain_dtype(told)
    expected = array.astype(np.float32)
    is_number = ~np.isnan(expected)
    assert np.array_equal(~np.isnan(found), is_number)
    assert np.array_equal(found[is_number], expected[is_number])
    assert np.array_equal(np.signbit(found[is_number]), np.signbit(expected[is_number]))


@pytest.mark.parametrize(
    "dtype", ["float32", "bool", ">f8", "complex64", "complex128", "M8[s]", "m8[ms]", "U3", "S2"]
)
def test_types_of_numpy_come_back_as_they_are(dtype):
    array = np.arange(4).astype(dtype)
    told = told_dtype(array.dtype)
    found = numbers(array.view(np.uint8).reshape(-1), told, array.shape)
    assert found.dtype == array.dtype
    assert np.array_equal(found, array)


def test_records_and_objects_are_told_by_no_name():
    assert told_dtype(np.dtype([("a", "f4"), ("b", "i2")])) is None
    assert told_dtype(np.dtype(object)) is None


def test_what_safetensors_lacks_is_stored_as_bytes():
    assert stored_as("F32") == ("F32", ())
    assert stored_as("<c8") == ("U8", (8,))
    assert stored_as("int4") == ("U8", ())


@pytest.mark.parametrize("told", ["O", "|O8", "f4,f4", "nothing", "", "(3,)f4", "os"])
def test_a_type_that_nothing_is_told_by_is_refused(told):
    with pytest.raises(ValueError, match="a type"):
        stored_as(told)
