"""NumPy arrays come back with their bits, their layout in memory, and what they share."""

import numpy as np
import pytest

from garage_like.snapshot.kinds.arrays import axes_in_memory, name_suffix

RNG = np.random.default_rng(3)


def same_layout(found, expected):
    assert type(found) is np.ndarray
    assert found.dtype == expected.dtype
    assert found.dtype.byteorder == expected.dtype.byteorder
    assert found.shape == expected.shape
    assert found.strides == expected.strides
    assert found.tobytes("A") == expected.tobytes("A")
    assert found.flags.writeable == expected.flags.writeable


STRUCTURED = np.dtype([("position", "<f4", (3,)), ("id", "<i8"), ("name", "S5")])
NAN_WITH_A_PAYLOAD = np.frombuffer(b"\x01" + bytes(5) + b"\xf0\x7f")[0]

OWNERS = {
    "float64": RNG.normal(size=(3, 4)),
    "float32": RNG.normal(size=7).astype(np.float32),
    "float16": RNG.normal(size=7).astype(np.float16),
    "longdouble": RNG.normal(size=7).astype(np.longdouble),
    "complex128": RNG.normal(size=4) + 1j * RNG.normal(size=4),
    "bool": RNG.random(11) > 0.5,
    "int8": RNG.integers(-9, 9, 5).astype(np.int8),
    "uint64": RNG.integers(0, 9, (2, 2)).astype(np.uint64),
    "big endian": np.arange(5, dtype=">f8"),
    "datetime": np.array(["2020-01-01", "NaT"], "datetime64[us]"),
    "text": np.array(["ab", "cde"]),
    "bytes": np.array([b"ab", b"cde"]),
    "structured": np.zeros(3, STRUCTURED),
    "0-d": np.array(2.5),
    "size 1": np.ones((1, 1, 1)),
    "Fortran order": np.asfortranarray(RNG.normal(size=(3, 4))),
    "axes in another order": np.empty((2, 3, 4)).transpose(1, 0, 2).copy(order="K"),
    "negative zero and a NaN with a payload": np.array(
        [-0.0, np.nan, np.frombuffer(b"\x01" + bytes(5) + b"\xf0\x7f")[0]]
    ),
}


@pytest.mark.parametrize("name", OWNERS)
def test_array_that_owns_its_memory_comes_back_bit_for_bit(name, reload):
    expected = OWNERS[name]
    found = reload(expected)
    same_layout(found, expected)
    assert found.base is None


@pytest.mark.parametrize("name", OWNERS)
def test_large_content_goes_out_of_band(name):
    from garage_like.snapshot.graph.pickling import GraphPickler

    pickler = GraphPickler({"value": OWNERS[name]})
    pickler.save()
    assert [buffer.nbytes for buffer in pickler.buffers] == [OWNERS[name].nbytes]


@pytest.mark.parametrize("shape", [(0,), (3, 0), (0, 2, 5)])
def test_empty_array_comes_back(shape, reload):
    found = reload(np.empty(shape, np.float32))
    assert (found.shape, found.dtype) == (shape, np.float32)


def test_read_only_array_stays_read_only(reload):
    array = np.arange(4.0)
    array.flags.writeable = False
    found = reload(array)
    with pytest.raises(ValueError, match="read-only"):
        found[0] = 1


def test_restored_array_can_be_written_to(reload):
    found = reload(np.arange(4.0))
    found += 1
    assert found.tolist() == [1, 2, 3, 4]


VIEWS = {
    "slice": lambda a: a[2:5],
    "step": lambda a: a[::3],
    "negative strides": lambda a: a[::-2],
    "reshaped": lambda a: a.reshape(3, 4),
    "transposed": lambda a: a.reshape(3, 4).T,
    "repeated": lambda a: np.broadcast_to(a[3:4], (5,)),
    "as bytes": lambda a: a.view(np.uint8)[3:40],
    "as another type": lambda a: a.view(np.int32),
    "view of a view": lambda a: a[2:][1:5].reshape(2, 2),
    "one element": lambda a: a[4:5],
}


@pytest.mark.parametrize("name", VIEWS)
@pytest.mark.parametrize("view_first", [True, False])
def test_view_goes_on_sharing_memory(name, view_first, reload):
    whole = np.arange(12.0)
    view = VIEWS[name](whole)
    pair = [view, whole] if view_first else [whole, view]
    found = reload(pair)
    found_view, found_whole = found if view_first else found[::-1]
    assert np.array_equal(found_view, view)
    assert found_view.strides == view.strides
    found_whole[:] = np.arange(12.0) * 7 + 1
    whole[:] = np.arange(12.0) * 7 + 1
    assert found_view.tobytes() == view.tobytes()


def test_two_views_share_the_memory_between_them(reload):
    whole = np.zeros(6)
    low, high = reload([whole[:4], whole[2:]])
    low[3] = 5.0
    assert high[1] == 5.0


def test_view_of_fortran_ordered_array_goes_on_sharing(reload):
    whole = np.asfortranarray(np.arange(12.0).reshape(3, 4))
    found, column = reload([whole, whole[:, 1]])
    found[:, 1] = 9
    assert column.tolist() == [9, 9, 9]


def test_read_only_view_of_a_writable_array_stays_so(reload):
    whole = np.arange(3.0)
    view = whole[:2]
    view.flags.writeable = False
    found_whole, found_view = reload([whole, view])
    assert found_whole.flags.writeable
    assert not found_view.flags.writeable


def test_memory_is_saved_once_however_many_look_at_it():
    from garage_like.snapshot.graph.pickling import GraphPickler

    whole = np.zeros(1000)
    pickler = GraphPickler({"value": [whole[i:] for i in range(20)]})
    pickler.save()
    assert sum(buffer.nbytes for buffer in pickler.buffers) == whole.nbytes


def test_same_array_twice_is_one_array(reload):
    array = np.zeros(3)
    first, second = reload([array, array])
    assert first is second


def test_arrays_of_one_foreign_memory_go_on_sharing(reload):
    memory = bytearray(64)
    whole, part = reload([np.frombuffer(memory, np.float64), np.frombuffer(memory, np.uint8)[8:]])
    whole[1] = 1.0
    assert part[:8].view(np.float64)[0] == 1.0


def test_object_array_keeps_identity_of_its_elements(reload):
    shared = [1, 2]
    found = reload(np.array([shared, shared, None], dtype=object))
    assert found[0] is found[1]
    assert found[2] is None


def test_array_of_an_object_dtype_field_is_not_taken_for_a_view(reload):
    records = np.zeros(3, dtype=[("value", "f8"), ("other", object)])
    records["value"] = [1, 2, 3]
    found = reload(records["value"])
    assert found.tolist() == [1, 2, 3]


def test_memory_map_comes_back_as_an_array_of_its_content(tmp_path, reload):
    mapped = np.memmap(tmp_path / "file", np.float32, "w+", shape=(8,))
    mapped[:] = np.arange(8)
    whole, part = reload([mapped, mapped[2:]])
    assert type(whole) is np.ndarray
    assert whole.tolist() == list(range(8))
    whole[2] = 50
    assert part[0] == 50
    assert mapped[2] == 2


def test_masked_array_keeps_its_mask(reload):
    found = reload(np.ma.masked_array([1.0, 2.0], mask=[False, True]))
    assert found.mask.tolist() == [False, True]


def test_overlapping_windows_come_back_with_their_content(reload):
    windows = np.lib.stride_tricks.sliding_window_view(np.arange(6.0), 3)
    assert np.array_equal(reload(windows), windows)


def test_generator_goes_on_where_it_stood(reload):
    generator = np.random.default_rng(5)
    generator.normal(size=3)
    found = reload(generator)
    assert found.normal(size=9).tobytes() == generator.normal(size=9).tobytes()


@pytest.mark.parametrize(
    "seeds",
    [
        np.random.SeedSequence(12345, spawn_key=(3, 4)),
        np.random.SeedSequence([1, 2**70], pool_size=8),
        np.random.SeedSequence(),
        np.random.SeedSequence(7).spawn(2)[1],
    ],
    ids=["spawned", "of many words", "from the system", "a child"],
)
def test_seeds_come_back_and_spawn_on(seeds, reload):
    seeds.spawn(3)
    generators = [np.random.Generator(kind(seeds)) for kind in (np.random.PCG64, np.random.MT19937)]
    restored, ours = reload([seeds, *generators])[0], seeds
    assert restored.state == ours.state
    assert restored.pool.tolist() == ours.pool.tolist()
    assert restored.generate_state(9).tolist() == ours.generate_state(9).tolist()
    assert [s.state for s in restored.spawn(2)] == [s.state for s in ours.spawn(2)]


def test_generators_of_one_seed_sequence_go_on_sharing_it(reload):
    seeds = np.random.SeedSequence(5)
    first, second = (np.random.Generator(np.random.PCG64(seeds)) for _ in range(2))
    first, second = reload([first, second])
    assert first.bit_generator.seed_seq is second.bit_generator.seed_seq


def test_generator_spawns_the_same_children(reload):
    generator = np.random.default_rng(5)
    generator.spawn(2)
    assert reload(generator).spawn(1)[0].random() == generator.spawn(1)[0].random()


def test_generators_on_one_stream_go_on_sharing_it(reload):
    bits = np.random.PCG64(1)
    first, second = reload([np.random.Generator(bits), np.random.Generator(bits)])
    assert first.bit_generator is second.bit_generator


@pytest.mark.parametrize(
    ("array", "axes"),
    [
        (np.empty((2, 3)), (0, 1)),
        (np.empty((2, 3), order="F"), (1, 0)),
        (np.empty((2, 3, 4)).transpose(2, 0, 1), (1, 2, 0)),
        (np.empty((2, 1, 3)), (0, 1, 2)),
        (np.empty(4)[::2], None),
        (np.empty(4)[::-1], None),
        (np.broadcast_to(np.empty(1), (3,)), None),
        (np.empty(()), ()),
    ],
)
def test_axes_in_memory(array, axes):
    assert axes_in_memory(array.shape, array.strides, array.itemsize) == axes


@pytest.mark.parametrize(
    ("axes", "suffix"),
    [((0, 1), ""), ((), ""), ((1, 0), ".T"), ((2, 1, 0), ".T"), ((0, 2, 1), ".transpose(0, 2, 1)")],
)
def test_name_says_in_which_order_the_axes_are_stored(axes, suffix):
    assert name_suffix(axes) == suffix
