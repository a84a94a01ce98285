"""A bucket that is not there is an error that says so, or is made."""

from __future__ import annotations

from datetime import timedelta

import httpx
import obstore
import pytest

from qdepot.adapters.object_stores.buckets import make_bucket
from qdepot.adapters.object_stores.cloud import CloudStore
from qdepot.adapters.object_stores.cloud_options import CloudOptions
from qdepot.errors import InvalidRequestError, UnavailableError
from support.bucket_server import Bucket, serving


class Buckets(Bucket):
    """Buckets must be made, and writes may have conditions."""

    def put(self, body):
        bucket = self.path.partition("?")[0].strip("/").partition("/")[0]
        if not self.key:
            self.server.made.append((bucket, body, "X-Amz-Signature=" in self.path))
            self.answer(*self.server.answer_to_make)
        elif bucket not in [name for name, *_ in self.server.made]:
            self.answer(404, b"<Error><Code>NoSuchBucket</Code></Error>")
        elif self.headers.get("If-None-Match") == "*" and self.key in self.server.objects:
            self.answer(412)
        else:
            super().put(body)


@pytest.fixture
def server():
    with serving(Buckets) as made:
        made.made, made.answer_to_make = [], (200,)
        yield made


def options_of(server, *, region="us-east-1", **given):
    endpoint = f"http://127.0.0.1:{server.server_port}"
    return CloudOptions(endpoint=endpoint, region=region, access_key_id="me", secret_access_key="hush", **given)


def test_a_bucket_that_is_not_there_is_an_error_that_says_what_to_do(server):
    with pytest.raises(UnavailableError, match="s3://lab/p does not serve") as caught:
        CloudStore.open("s3://lab/p", options_of(server)).check()
    assert "store.create_buckets" in caught.value.solution
    assert server.made == []


def test_a_bucket_that_is_not_there_is_made_where_that_is_allowed(server):
    store = CloudStore.open("s3://lab/p", options_of(server, create_buckets=True))
    store.check()
    store.check()
    assert server.made == [("lab", b"", True)]


def test_a_bucket_is_made_in_its_region(server):
    make_bucket("s3://lab", options_of(server, region="eu-central-1"))
    [(_, body, _)] = server.made
    assert b"<LocationConstraint>eu-central-1</LocationConstraint>" in body


def test_a_bucket_that_another_process_makes_at_the_same_moment_is_fine(server):
    server.answer_to_make = 409, b"<Error><Code>BucketAlreadyOwnedByYou</Code></Error>"
    make_bucket("s3://lab", options_of(server))


@pytest.mark.parametrize(("status", "code"), [(403, "AccessDenied"), (409, "BucketAlreadyExists")])
def test_a_bucket_that_may_not_be_made_is_an_error_that_says_why(server, status, code):
    server.answer_to_make = status, f"<Error><Code>{code}</Code></Error>".encode()
    with pytest.raises(UnavailableError, match=f"bucket lab cannot be made: {status} {code}") as caught:
        make_bucket("s3://lab", options_of(server))
    assert "s3:CreateBucket" in caught.value.solution
    assert "hush" not in f"{caught.value} {caught.value.__cause__}"


def test_a_server_that_is_away_makes_no_bucket(server):
    options = options_of(server)
    server.shutdown()
    server.server_close()
    with pytest.raises(UnavailableError, match="cannot be made"):
        make_bucket("s3://lab", options)


@pytest.mark.parametrize("url", ["gs://lab", "az://lab"])
def test_buckets_of_other_clouds_are_not_made(url):
    with pytest.raises(InvalidRequestError, match="cannot be made from here"):
        make_bucket(url, CloudOptions())


def test_a_real_server_makes_the_bucket(s3_server):
    client = s3_server.options.client("s3://a-bucket-of-its-own")
    make_bucket("s3://a-bucket-of-its-own", s3_server.options)
    make_bucket("s3://a-bucket-of-its-own", s3_server.options)
    listed = httpx.get(obstore.sign(client, "GET", "", timedelta(minutes=1)), trust_env=False)
    assert listed.status_code == 200
    assert b"<ListBucketResult" in listed.content
