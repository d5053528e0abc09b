"""Measure what puts objects into S3 sooner: obstore as mirrors use it, or s3fs.

    python benchmarks/puts.py ENDPOINT BUCKET

in an environment of its own with `obstore` and `s3fs`, since s3fs holds botocore at a version of
its own; any S3 server, such as `rclone serve s3`, with key `key` and secret `secret`. 64 objects of
256 KiB and 8 of 4 MiB, as a snapshot has them; each goes up by its own, eight at a time, in turns.
"""

import os
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor

CONTENTS = [os.urandom(256 << 10) for _ in range(64)] + [os.urandom(4 << 20) for _ in range(8)]
ROUNDS = 5


def by_obstore(endpoint, bucket):
    import obstore
    from obstore.store import S3Store

    store = S3Store(
        bucket,
        endpoint=endpoint,
        access_key_id="key",
        secret_access_key="secret",
        region="us-east-1",
        virtual_hosted_style_request=False,
        client_options={"allow_http": True},
    )
    pool = ThreadPoolExecutor(8)

    def put(prefix):
        keys = [f"{prefix}/{number}" for number in range(len(CONTENTS))]
        list(pool.map(lambda key, content: obstore.put(store, key, content), keys, CONTENTS))

    return put


def by_s3fs(endpoint, bucket):
    import s3fs

    options = {"key": "key", "secret": "secret", "endpoint_url": endpoint}
    files = s3fs.S3FileSystem(**options, skip_instance_cache=True)

    def put(prefix):
        keys = [f"{bucket}/{prefix}/{number}" for number in range(len(CONTENTS))]
        files.pipe(dict(zip(keys, CONTENTS, strict=True)), batch_size=8)

    return put


def main(endpoint, bucket):
    ways = {"obstore": by_obstore(endpoint, bucket), "s3fs": by_s3fs(endpoint, bucket)}
    taken = {name: [] for name in ways}
    for number in range(ROUNDS + 1):
        for name, put in ways.items():
            wall, used = time.perf_counter(), time.process_time()
            put(f"{name}-{number}")
            taken[name].append((time.perf_counter() - wall, time.process_time() - used))
    size = sum(map(len, CONTENTS)) / 1e6
    for name, rounds in taken.items():
        wall, used = (statistics.median(column) for column in zip(*rounds[1:], strict=True))
        print(f"{name:8} {size / wall:6.0f} MB a second, {used:.2f} s of processor time")
    ratios = [b[0] / a[0] for a, b in zip(taken["obstore"][1:], taken["s3fs"][1:], strict=True)]
    print(f"obstore {statistics.median(ratios):.1f} times as fast; load {os.getloadavg()[0]:.0f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
