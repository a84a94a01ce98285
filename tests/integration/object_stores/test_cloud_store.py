"""The cloud store against servers that misbehave."""

from __future__ import annotations

import socket
import threading

import pytest

from qdepot.adapters.object_stores.cloud import CloudStore
from qdepot.adapters.object_stores.cloud_options import CloudOptions
from qdepot.errors import InvalidRequestError, UnavailableError
from qdepot.ports.object_store import ObjectExistsError, ObjectNotFoundError
from support.bucket_server import Bucket, serving

SECRET = "a-very-secret-key"


def store_at(port, **options):
    given = {"timeout_s": 5.0, "connect_timeout_s": 1.0, "retries": 1, "retry_for_s": 5.0, **options}
    endpoint = f"http://127.0.0.1:{port}"
    keys = {"access_key_id": "me", "secret_access_key": SECRET, "session_token": SECRET}
    return CloudStore.open("s3://bucket/p", CloudOptions(endpoint=endpoint, region="x", **keys, **given))


def answering(status, content=b""):
    class Answering(Bucket):
        def put(self, _body):
            self.answer(status, content)

        def get(self):
            self.answer(status, content)

        post = put

    return Answering


def verbs(store):
    return (
        lambda: store.create("k", b"1"),
        lambda: store.create_many([("k", b"1")]),
        lambda: store.replace("k", b"1"),
        lambda: store.get("k"),
        lambda: store.get_range("k", start=0, length=1),
        lambda: store.head("k"),
        lambda: list(store.scan()),
        lambda: store.delete(["k"]),
        store.check,
    )


def test_a_store_that_overwrites_in_silence_is_found_out():
    with serving(Bucket) as server:
        with pytest.raises(InvalidRequestError, match="overwrites") as caught:
            store_at(server.server_port).check()
        assert "conditional" in caught.value.solution
        assert server.objects == {}
        assert [headers.get("if-none-match") for verb, headers in server.requests if verb == "PUT"] == ["*", "*"]


@pytest.mark.parametrize("status", [500, 503, 400, 301])
def test_errors_of_the_server_mean_try_again_later(status):
    with serving(answering(status)) as server:
        store = store_at(server.server_port)
        for verb in verbs(store):
            with pytest.raises(UnavailableError, match="s3://bucket/p does not serve"):
                verb()


def test_a_request_is_repeated_a_bounded_number_of_times():
    with serving(answering(503)) as server:
        with pytest.raises(UnavailableError):
            store_at(server.server_port, retries=2).get("k")
        assert len(server.requests) == 3


def test_refused_credentials_are_no_users_fault():
    with serving(answering(403, b"<Error><Code>SignatureDoesNotMatch</Code></Error>")) as server:
        for verb in verbs(store_at(server.server_port)):
            with pytest.raises(UnavailableError) as caught:
                verb()
            assert "credentials" in caught.value.solution


def test_a_missing_bucket_is_not_a_missing_object():
    with serving(answering(404, b"<Error><Code>NoSuchBucket</Code></Error>")) as server:
        store = store_at(server.server_port)
        for verb in (lambda: store.get("k"), lambda: store.get_range("k", start=0, length=1), store.check):
            with pytest.raises(UnavailableError) as caught:
                verb()
            assert "bucket" in caught.value.solution


def test_a_refused_connection_means_try_again_later():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        for verb in verbs(store_at(unused.getsockname()[1], retries=0)):
            with pytest.raises(UnavailableError):
                verb()


def test_a_server_that_never_answers_is_given_up():
    with socket.create_server(("127.0.0.1", 0), backlog=50) as silent:
        store = store_at(silent.getsockname()[1], timeout_s=0.2, retries=0)
        for verb in verbs(store):
            with pytest.raises(UnavailableError):
                verb()


def test_a_silent_server_is_given_up_long_before_a_large_object_would_be():
    with socket.create_server(("127.0.0.1", 0), backlog=50) as silent:
        store = store_at(silent.getsockname()[1], timeout_s=3600.0, silence_s=0.2, retries=0)
        for verb in verbs(store):
            with pytest.raises(UnavailableError):
                verb()


def test_the_silence_while_a_large_object_is_written_is_borne():
    class Slow(Bucket):
        def put(self, body):
            done.wait(0.5)
            super().put(body)

    done = threading.Event()
    with serving(Slow) as server:
        store = store_at(server.server_port, silence_s=0.1, retries=0)
        with pytest.raises(UnavailableError):
            store.create("small", b"1")
        assert store.create("large", bytes(2**21)).size_bytes == 2**21


def test_no_secret_is_told():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        options = CloudOptions(secret_access_key=SECRET, session_token=SECRET, more={"sse_customer_key_base64": SECRET})
        store = store_at(unused.getsockname()[1], retries=0)
        with pytest.raises(UnavailableError) as caught:
            store.get("k")
        told = [repr(options), repr(store), str(store), str(caught.value), repr(caught.value.details)]
        assert not any(SECRET in text for text in told)


@pytest.mark.parametrize("url", ["", "bucket", "/folder", "file:///folder", "memory:///", "http://host/x", "ftp://x/y"])
def test_only_urls_of_clouds_are_taken(url):
    with pytest.raises(InvalidRequestError, match="s3://"):
        CloudStore.open(url)


@pytest.mark.parametrize("url", ["s3://", "gs://", "az://container"])
def test_a_url_without_a_place_is_refused(url):
    with pytest.raises(InvalidRequestError):
        CloudStore.open(url)


def test_an_option_that_the_cloud_does_not_know_is_refused():
    with pytest.raises(InvalidRequestError, match="nonsense"):
        CloudStore.open("s3://bucket", CloudOptions(more={"nonsense": "1"}))


@pytest.mark.parametrize(
    ("url", "more"),
    [
        ("gs://bucket/prefix", {"skip_signature": "true"}),
        ("az://container/prefix", {"account_name": "lab", "account_key": "a2V5"}),
    ],
)
def test_the_other_clouds_are_opened_by_their_urls(url, more):
    assert CloudStore.open(url, CloudOptions(more=more)).url == url


@pytest.mark.parametrize(
    "options", [{"server_side_encryption": "AES256"}, {"server_side_encryption": "aws:kms", "kms_key_id": "key-1"}]
)
def test_encryption_is_asked_for(options):
    with serving(Bucket) as server:
        store_at(server.server_port, **options).create("k", b"1")
        [(_, headers)] = server.requests
        sent = {name.lower(): value for name, value in headers.items()}
        assert sent["x-amz-server-side-encryption"] == options["server_side_encryption"]
        assert sent.get("x-amz-server-side-encryption-aws-kms-key-id") == options.get("kms_key_id")


def test_a_lost_answer_to_a_create_makes_the_repeat_find_its_own_object():
    class Forgetful(Bucket):
        def put(self, body):
            is_first = self.key not in self.server.objects
            self.server.objects.setdefault(self.key, body)
            self.answer(500 if is_first else 412)

    with serving(Forgetful) as server:
        store = store_at(server.server_port)
        with pytest.raises(ObjectExistsError):
            store.create("k", b"mine")
        assert store.get("k") == b"mine"
        with pytest.raises(ObjectNotFoundError):
            store.get("other")


def test_a_check_whose_first_answer_is_lost_finds_its_own_object():
    """The library repeats a PUT whose answer did not come, and is told that the key is taken."""

    class LosesFirst(Bucket):
        def put(self, body):
            if self.headers.get("If-None-Match") == "*" and self.key in self.server.objects:
                self.answer(412)
                return
            super().put(body)

        def answer(self, status, content=b""):
            if not self.server.requests:
                self.server.requests.append((self.command, dict(self.headers)))
                self.close_connection = True
                return
            super().answer(status, content)

    with serving(LosesFirst) as server:
        store_at(server.server_port).check()
        assert [method for method, _ in server.requests][:3] == ["PUT", "PUT", "PUT"]
        assert server.objects == {}
