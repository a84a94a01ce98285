"""The scripted cloud behind HTTP keeps the contract, too: the server is real, and the wire may be cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import httpx
import pytest

from qdepot.adapters.providers.scripted import ScriptedHttpProvider, ScriptedSettings
from qdepot.errors import InternalError, UnavailableError
from qdepot.testing.provider import ProviderConformance
from qdepot.testing.scripted_cloud import Script
from support.cloud_server import CloudServer, cloud_server

TOKEN = "hush-hush"


@dataclass
class Remote:
    """The cloud as its operators reach it."""

    cloud: CloudServer

    def hold(self):
        self.cloud.change(words=["Queued"])

    def let_run(self):
        self.cloud.change(words=["Running"])

    def let_end(self):
        self.cloud.change(words=["Completed"])

    def submissions(self, tag):
        return self.cloud.submissions()[tag]

    def go_away(self):
        self.cloud.change(away=True)

    def lose_answers(self):
        self.cloud.change(lose_answer=True)

    def come_back(self):
        self.cloud.change(words=list(Script().words), away=False, lose_answer=False)

    def say(self, word):
        self.cloud.change(words=[word])


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    options = ["--token", TOKEN, "--takes-key", "--finds-by-tag", "--visibility-delay-s", "0.05"]
    with cloud_server(tmp_path_factory.mktemp("cloud"), *options) as server:
        yield server


def connected(cloud: CloudServer, **settings) -> ScriptedHttpProvider:
    return ScriptedHttpProvider(settings=ScriptedSettings(url=cloud.url, token=TOKEN, **settings))


class TestScriptedHttpProvider(ProviderConformance):
    secrets: ClassVar = (TOKEN,)

    @pytest.fixture
    def outside(self, cloud):
        remote = Remote(cloud)
        yield remote
        remote.come_back()

    @pytest.fixture
    def provider(self, cloud, outside):
        provider = connected(cloud)
        yield provider
        provider.close()

    @pytest.fixture
    def second_provider(self, cloud):
        provider = connected(cloud)
        yield provider
        provider.close()


@pytest.fixture
def answering():
    """Makes a provider whose cloud answers every call in one way."""

    def make(answer):
        provider = ScriptedHttpProvider(settings=ScriptedSettings(url="http://cloud.test"))
        provider._client.close()
        provider._client = httpx.Client(base_url="http://cloud.test", transport=httpx.MockTransport(answer))
        return provider

    return make


def raising(error):
    def answer(request):
        raise error("it broke", request=request)

    return answer


@pytest.mark.parametrize(
    ("error", "maybe_sent"),
    [
        (httpx.ConnectError, False),
        (httpx.ConnectTimeout, False),
        (httpx.PoolTimeout, False),
        (httpx.WriteError, True),
        (httpx.WriteTimeout, True),
        (httpx.ReadError, True),
        (httpx.ReadTimeout, True),
        (httpx.RemoteProtocolError, True),
    ],
)
def test_only_a_connection_that_never_came_about_sent_nothing_for_sure(answering, error, maybe_sent):
    with pytest.raises(UnavailableError) as raised:
        answering(raising(error)).find_by_tag("t")
    assert bool(raised.value.details.get("maybe_sent")) is maybe_sent


@pytest.mark.parametrize(("status", "maybe_sent"), [(429, False), (503, False), (500, True), (502, True), (504, True)])
def test_an_error_of_a_server_on_the_way_does_not_say_that_nothing_was_done(answering, status, maybe_sent):
    with pytest.raises(UnavailableError) as raised:
        answering(lambda _: httpx.Response(status, headers={"Retry-After": "7"})).find_by_tag("t")
    assert bool(raised.value.details.get("maybe_sent")) is maybe_sent
    assert raised.value.retry_after_s == (None if maybe_sent else 7.0)


@pytest.mark.parametrize("body", [b"<html>", b"[]"])
def test_an_answer_that_is_no_document_is_an_error(answering, body):
    with pytest.raises(InternalError):
        answering(lambda _: httpx.Response(200, content=body)).find_by_tag("t")


def test_a_server_that_was_killed_knows_what_it_accepted(tmp_path):
    with cloud_server(tmp_path, "--takes-key", "--token", TOKEN) as cloud:
        provider = connected(cloud)
        suite = TestScriptedHttpProvider()
        submission = suite.submission(suite.find_backend(provider))
        job_id = provider.submit(submission)
        provider.close()
    with cloud_server(tmp_path, "--takes-key", "--token", TOKEN) as cloud:
        provider = connected(cloud)
        assert cloud.submissions() == {submission.tag: 1}
        assert provider.submit(submission) == job_id
        assert cloud.submissions() == {submission.tag: 1}
        provider.close()
