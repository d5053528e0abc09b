"""Run directories that somebody made to do harm to whoever looks at them."""

import json
import os
import pickle
import shutil
import struct
from pathlib import Path

import numpy as np

from garage_like.data.table import Table
from garage_like.snapshot.config import SnapshotConfig
from garage_like.snapshot.disk.digests import digest_of, file_digest_of
from garage_like.snapshot.disk.manifest import Manifest
from garage_like.snapshot.snapshotter import Snapshotter

MEBIBYTE = 1 << 20
POLICY = "tensors/policy.safetensors"
ROWS = "tables/value/rows_000000000.safetensors"


class Bomb:
    """Leave a mark when it is unpickled."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


class Policy:
    def __init__(self):
        self.weights = np.arange(60.0)
        self.bias = np.arange(5.0)


class Algo:
    def __init__(self):
        self.policy = Policy()
        self.table = Table(100, {"x": ("float32", (3,))})
        self.table.write(0, {"x": np.ones((10, 3), np.float32)})


def make_good(run_dir):
    """Make a run of two snapshots."""
    snapshotter = Snapshotter(
        SnapshotConfig(snapshot_dir=run_dir, snapshot_mode="all", async_save=False)
    )
    run_dir.mkdir(parents=True)
    for epoch in range(2):
        snapshotter.save({"algo": Algo()}, Manifest(epoch=epoch, classes={"algo": "a.Algo"}))
    (run_dir / "experiment.json").write_text(json.dumps({"function": "experiment"}))
    (run_dir / "variant.json").write_text(json.dumps({"seed": 1}))


class Forger:
    """Change the newest snapshot of a run, and sign it.

    Args:
        run_dir: of a good run.
        outside: a directory that readers have no business with; `secret` lies in it.
    """

    def __init__(self, run_dir, outside):
        self.run_dir, self.outside = run_dir, outside
        self.snapshot = run_dir / "snapshots/epoch_000001"
        self.body = json.loads((self.snapshot / "manifest.json").read_bytes())
        del self.body["digest"]

    def sign(self, body=None):
        """Write the manifest, its digest right; of any text or object."""
        text = body if isinstance(body, bytes) else json.dumps(body or self.body).encode()
        text = text[:-1] + b",\n"
        digest = digest_of([text]).blake2b
        self.put("manifest.json", text + f'"digest": "{digest}"\n}}\n'.encode())

    def put(self, name, content):
        path = self.snapshot / name
        path.unlink(missing_ok=True)
        path.write_bytes(content)

    def forge(self, name, content):
        """Replace a file, and list it as it is now."""
        self.put(name, content)
        self.body["files"][name] = file_digest_of([content]).to_json()
        self.sign()

    def table_entry(self):
        return self.body["tables"][0]

    def tensors(self, header, data=b"", length=None):
        text = header if isinstance(header, bytes) else json.dumps(header).encode()
        size = len(text) if length is None else length
        self.forge(POLICY, struct.pack("<Q", size) + text + data)


def tensor(shape, start, end, dtype="F64"):
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


# ---- what is done, by name: each takes a Forger ------------------------------------------------


def pickle_bomb(forger):
    """Reading data must not open it; all else is in order."""
    forger.forge("objects.pkl", pickle.dumps(Bomb(forger.outside / "exploded")))


def pickle_bomb_as_tensors(forger):
    forger.forge(POLICY, pickle.dumps(Bomb(forger.outside / "exploded")))


def name_that_leads_up(forger):
    secret = (forger.outside / "secret").read_bytes()
    name = os.path.relpath(forger.outside / "secret", forger.snapshot)
    forger.body["files"][name] = file_digest_of([secret]).to_json()
    forger.sign()


def absolute_name(forger):
    secret = (forger.outside / "secret").read_bytes()
    forger.body["files"][str(forger.outside / "secret")] = file_digest_of([secret]).to_json()
    forger.sign()


def name_of_surrogates(forger):
    forger.body["files"]["tensors/\udcff"] = forger.body["files"].pop(POLICY)
    forger.sign()


def link_to_a_file(forger):
    secret = forger.outside / "secret"
    forger.body["files"][POLICY] = file_digest_of([secret.read_bytes()]).to_json()
    forger.sign()
    (forger.snapshot / POLICY).unlink()
    (forger.snapshot / POLICY).symlink_to(secret)


def link_to_a_directory(forger):
    (forger.outside / "policy.safetensors").write_bytes((forger.snapshot / POLICY).read_bytes())
    shutil.rmtree(forger.snapshot / "tensors")
    (forger.snapshot / "tensors").symlink_to(forger.outside)


def manifest_that_is_a_link(forger):
    (forger.outside / "secret").write_bytes((forger.snapshot / "manifest.json").read_bytes())
    (forger.snapshot / "manifest.json").unlink()
    (forger.snapshot / "manifest.json").symlink_to(forger.outside / "secret")


def pipe_in_place_of_tensors(forger):
    (forger.snapshot / POLICY).unlink()
    os.mkfifo(forger.snapshot / POLICY)


def file_of_2_to_the_63_bytes(forger):
    forger.body["files"][POLICY]["bytes"] = (1 << 63) - 1
    forger.sign()


def file_beyond_63_bits(forger):
    forger.body["files"][POLICY]["bytes"] = 1 << 63
    forger.sign()


def file_that_is_a_hole(forger):
    os.truncate(forger.snapshot / POLICY, 1 << 42)
    forger.body["files"][POLICY]["bytes"] = 1 << 42
    forger.sign()


def header_of_2_to_the_63_bytes(forger):
    forger.tensors({"a": tensor([1], 0, 8)}, bytes(8), length=(1 << 63) + 5)


def shape_of_2_to_the_63(forger):
    forger.tensors({"a": tensor([1 << 63, 2], 0, 8)}, bytes(8))


def shape_that_wraps_around(forger):
    forger.tensors({"a": tensor([1 << 32, 1 << 32, 0], 0, 0)})


def negative_shape(forger):
    forger.tensors({"a": tensor([-1, -1], 0, 8)}, bytes(8))


def offsets_of_2_to_the_63(forger):
    forger.tensors({"a": tensor([1], 1 << 63, (1 << 63) + 8)}, bytes(8))


def overlapping_tensors(forger):
    forger.tensors({"a": tensor([2], 0, 16), "b": tensor([2], 8, 24)}, bytes(24))


def tensors_with_a_gap(forger):
    forger.tensors({"a": tensor([1], 0, 8), "b": tensor([1], 16, 24)}, bytes(24))


def tensor_that_stands_twice(forger):
    entry = json.dumps(tensor([1], 0, 8))
    forger.tensors(f'{{"a": {entry}, "a": {entry}}}'.encode(), bytes(8))


def type_of_objects(forger):
    forger.tensors({"a": tensor([1], 0, 8, "O")}, bytes(8))


def header_a_million_deep(forger):
    forger.tensors(b'{"a":' + b"[" * 10**6 + b"]" * 10**6 + b"}")


def giant_header(forger):
    forger.tensors(b'{"a":1' + b" " * 96 * MEBIBYTE + b"}")


def header_of_a_million_objects(forger):
    forger.tensors(b'{"a":[' + b"{}," * 3 * 10**6 + b"{}]}")


def manifest_a_million_deep(forger):
    forger.sign(b'{"format":' + b"[" * 10**6 + b"]" * 10**6 + b"}")


def deep_manifest(forger):
    forger.sign(b'{"format":' + b"[" * 10**5 + b"]" * 10**5 + b"}")


def giant_manifest(forger):
    forger.sign(b'{"format":"' + b"a" * 96 * MEBIBYTE + b'"}')


def manifest_of_a_million_objects(forger):
    forger.sign(b'{"format":[' + b"{}," * 5 * 10**6 + b"{}]}")


def manifest_with_a_key_twice(forger):
    text = json.dumps(forger.body).replace('"epoch": 1', '"epoch": 1, "epoch": 7', 1)
    forger.sign(text.encode())


def manifest_of_wide_characters(forger):
    text = json.dumps({**forger.body, "reasons": ["\U0001f600" * MEBIBYTE]}, ensure_ascii=False)
    forger.sign(text.encode())


def number_of_a_million_digits(forger):
    text = json.dumps(forger.body).replace('"epoch": 1', '"epoch": 1' + "0" * 10**6, 1)
    forger.sign(text.encode())


def epoch_that_is_text(forger):
    forger.body["epoch"] = "1; rm -rf"
    forger.sign()


def date_beyond_all_calendars(forger):
    forger.body["created"] = 1e300
    forger.sign()


def table_of_2_to_the_63_rows(forger):
    forger.table_entry().update(num_rows=(1 << 63) - 1, group_rows=1)
    forger.sign()


def table_without_groups(forger):
    forger.table_entry()["group_rows"] = 0
    forger.sign()


def table_that_leads_up(forger):
    forger.table_entry()["folder"] = "../../../outside"
    forger.sign()


def column_of_objects(forger):
    forger.table_entry()["columns"]["x"][0] = "O"
    forger.sign()


def column_of_another_shape(forger):
    forger.table_entry()["columns"]["x"][1] = [1 << 40, 1 << 40]
    forger.sign()


HARM = [
    pickle_bomb_as_tensors, name_that_leads_up, absolute_name, name_of_surrogates, link_to_a_file,
    link_to_a_directory, manifest_that_is_a_link, pipe_in_place_of_tensors,
    file_of_2_to_the_63_bytes, file_beyond_63_bits, file_that_is_a_hole,
    header_of_2_to_the_63_bytes, shape_of_2_to_the_63, shape_that_wraps_around, negative_shape,
    offsets_of_2_to_the_63, overlapping_tensors, tensors_with_a_gap, tensor_that_stands_twice,
    type_of_objects, header_a_million_deep, giant_header, header_of_a_million_objects,
    manifest_a_million_deep, deep_manifest, giant_manifest, manifest_of_a_million_objects,
    manifest_with_a_key_twice, manifest_of_wide_characters, number_of_a_million_digits,
    epoch_that_is_text, date_beyond_all_calendars, table_of_2_to_the_63_rows, table_without_groups,
    table_that_leads_up, column_of_objects, column_of_another_shape,
]  # fmt: skip
UNSEEN = [pickle_bomb]
"""What is no harm as long as nobody unpickles it."""


def make_all(folder: Path) -> None:
    """Make a run for each kind of harm, in `folder/runs`; `folder/outside` is out of bounds."""
    outside = folder / "outside"
    make_good(folder / "good")
    for harm in [*HARM, *UNSEEN]:
        (outside / harm.__name__).mkdir(parents=True)
        (outside / harm.__name__ / "secret").write_bytes(b"a secret")
        run_dir = folder / "runs" / harm.__name__
        shutil.copytree(folder / "good", run_dir)
        harm(Forger(run_dir, outside / harm.__name__))
