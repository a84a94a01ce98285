from __future__ import annotations

import pytest

from qdepot.adapters.object_stores.memory import MemoryStore
from qdepot.errors import UnavailableError
from qdepot.testing.faulty_store import FaultyStore, Moment
from qdepot.testing.object_store import ObjectStoreConformance


class TestFaultyStoreThatWasNotToldToFail(ObjectStoreConformance):
    @pytest.fixture
    def store(self):
        return FaultyStore(MemoryStore())


@pytest.fixture
def store():
    return FaultyStore(MemoryStore())


def keys(store):
    return sorted(info.key for info in store.scan())


@pytest.mark.parametrize(("moment", "left"), [("before", []), ("midway", ["1"]), ("after", ["1", "2"])])
def test_many_fail_before_midway_or_after(store, moment, left):
    store.fail_next("create_many", Moment(moment))
    objects = [("1", b""), ("2", b"")]
    with pytest.raises(UnavailableError):
        store.create_many(objects)
    assert keys(store) == left
    assert store.create_many(objects) == [key not in left for key, _ in objects]


@pytest.mark.parametrize(("moment", "left"), [("before", []), ("midway", []), ("after", ["1"])])
def test_one_fails_before_or_after(store, moment, left):
    store.fail_next("create", Moment(moment))
    with pytest.raises(UnavailableError):
        store.create("1", b"")
    assert keys(store) == left


def test_it_fails_as_often_as_told(store):
    store.fail_next("get", times=2)
    store.create("1", b"")
    for _ in range(2):
        with pytest.raises(UnavailableError):
            store.get("1")
    assert store.get("1") == b""
    assert store.calls == {"create": 1, "get": 3}


def test_while_it_is_down_nothing_works(store):
    store.create("1", b"")
    store.go_down()
    for verb in (store.check, lambda: store.delete(["1"]), store.scan, lambda: store.head("1")):
        with pytest.raises(UnavailableError):
            verb()
    store.come_back()
    assert keys(store) == ["1"]
