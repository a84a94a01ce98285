"""The cloud store against Azurite, which plays Azure Blob Storage."""

from __future__ import annotations

import urllib.request
import uuid
from datetime import timedelta

import pytest

from qdepot.adapters.object_stores.cloud import CloudStore
from qdepot.errors import UnavailableError
from qdepot.testing.object_store import ObjectStoreConformance
from support import azurite


@pytest.fixture(scope="module")
def azure(tmp_path_factory):
    if azurite.binary() is None:
        pytest.skip(f"nothing plays Azure here: {azurite.INSTALL}")
    with azurite.running(tmp_path_factory.mktemp("azurite")) as options:
        yield options


@pytest.fixture
def store(azure):
    return CloudStore.open(f"az://{azurite.CONTAINER}/{uuid.uuid4().hex}", azure)


class TestAzureStore(ObjectStoreConformance):
    @pytest.fixture
    def store(self, store):
        return store


def test_an_address_is_enough_to_fetch_an_object(store):
    store.create("d/mine", b"1")
    with urllib.request.urlopen(store.url_of("d/mine", valid_for=timedelta(minutes=1))) as answer:
        assert answer.read() == b"1"


def test_a_missing_container_is_told_of(azure):
    with pytest.raises(UnavailableError) as caught:
        CloudStore.open("az://no-such-container/p", azure).check()
    assert "Make the bucket" in caught.value.solution
