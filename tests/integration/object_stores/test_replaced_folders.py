"""A folder of objects that was replaced by a file is an outage, and nobody's wrong request."""

from __future__ import annotations

from pathlib import Path

import pytest

from qdepot.adapters.object_stores.local import LocalStore
from qdepot.errors import InvalidRequestError, UnavailableError
from qdepot.ports.object_store import ObjectNotFoundError

CALLS = {
    "create": lambda store: store.create("lab/new.json", b"x"),
    "create many": lambda store: store.create_many([("lab/new.json", b"x")]),
    "replace": lambda store: store.replace("lab/old.json", b"x"),
    "get": lambda store: store.get("lab/old.json"),
    "get a range": lambda store: store.get_range("lab/old.json", start=0, length=1),
    "head": lambda store: store.head("lab/old.json"),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("replaced", ["objects", "objects/pending"])
def test_every_call_says_that_the_store_is_away(tmp_path: Path, call, replaced):
    store = LocalStore(tmp_path / "objects" / "pending")
    store.create("lab/old.json", b"old")
    (tmp_path / replaced).rename(tmp_path / "aside")
    (tmp_path / replaced).write_bytes(b"")
    with pytest.raises(UnavailableError):
        CALLS[call](store)


def test_the_check_names_the_folder(tmp_path: Path):
    (tmp_path / "objects").write_bytes(b"")
    with pytest.raises(InvalidRequestError, match="objects/pending can hold no objects"):
        LocalStore(tmp_path / "objects" / "pending").check()


def test_a_key_that_has_another_as_its_folder_is_still_a_wrong_key(tmp_path: Path):
    store = LocalStore(tmp_path / "pending")
    store.create("lab/x", b"")
    with pytest.raises(InvalidRequestError):
        store.create("lab/x/y", b"")
    with pytest.raises(ObjectNotFoundError):
        store.get("lab/x/y")
