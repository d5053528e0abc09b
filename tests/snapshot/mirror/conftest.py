"""Stores that mirrors are tried with."""

import contextlib
import os
import urllib.request
import uuid

import pytest


@pytest.fixture(scope="session")
def s3_bucket():
    """Start an S3 server that refuses to create an object twice; yield the URL of a bucket."""
    pytest.importorskip("flask_cors")
    moto = pytest.importorskip("moto.server")
    with pytest.MonkeyPatch.context() as patch, open(os.devnull, "w") as nothing:
        with contextlib.redirect_stdout(nothing), contextlib.redirect_stderr(nothing):
            server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
            server.start()
        host, port = server.get_host_and_port()
        address = f"http://{host}:{port}"
        for name, value in {
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_ENDPOINT_URL": address,
            "AWS_REGION": "us-east-1",
            "AWS_ALLOW_HTTP": "true",
            "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "false",
        }.items():
            patch.setenv(name, value)
        urllib.request.urlopen(urllib.request.Request(f"{address}/lab", method="PUT")).close()
        yield "s3://lab"
        server.stop()


@pytest.fixture(params=["file", "memory", "s3"])
def any_url(request, tmp_path):
    """Return the URL of an empty place in each kind of store."""
    if request.param == "file":
        return f"file://{tmp_path}/far away"
    if request.param == "memory":
        return f"memory://{uuid.uuid4().hex}"
    return f"{request.getfixturevalue('s3_bucket')}/{uuid.uuid4().hex}"
