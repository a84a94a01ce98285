"""What every object store promises, as tests to inherit.

Write a class of your own with one fixture that gives a store nobody else uses::

    class TestMyStore(ObjectStoreConformance):
        @pytest.fixture
        def store(self):
            return MyStore(...)
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from qdepot.errors import InvalidRequestError
from qdepot.ports.object_store import ObjectExistsError, ObjectNotFoundError, ObjectStore

BAD_KEYS = (
    *("", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/./b", "a/.."),
    *("a b", "a\\b", "a:b", "a\n", "a\0b", "ä", "~a", "a#1", "%2e%2e/a", "C:a", "x" * 201, "a/" * 400 + "a"),
)
GOOD_KEYS = ("a", "A-Z_0.9", "deep/er/and/deeper/key.json", "...", ".hidden", "a/..b/c..", "x" * 200)
RACERS = 16


class ObjectStoreConformance:
    """Inherit it and define the fixture ``store``."""

    @pytest.fixture
    def store(self) -> ObjectStore:
        """An empty store, ready for use."""
        raise NotImplementedError("define a fixture `store`")

    def test_a_created_object_is_read_back(self, store: ObjectStore) -> None:
        """Content, size and key come back as they were given."""
        info = store.create("p/d/1.json", b"content")
        assert (info.key, info.size_bytes) == ("p/d/1.json", 7)
        assert store.get("p/d/1.json") == b"content"
        assert store.head("p/d/1.json") == info

    def test_all_bytes_and_none_are_kept(self, store: ObjectStore) -> None:
        """Any content will do, the empty one too."""
        every = bytes(range(256)) * 300
        store.create("all", every)
        store.create("none", b"")
        assert store.get("all") == every
        assert store.get("none") == b""
        assert store.head("none").size_bytes == 0

    @pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
    def test_any_buffer_is_taken(self, store: ObjectStore, kind: Callable[[bytes], bytes]) -> None:
        """Also one that lies elsewhere in memory."""
        store.create("created", kind(b"buffer"))
        store.replace("replaced", kind(b"buffer"))
        store.create_many([("many", kind(b"buffer"))])
        assert {store.get(key) for key in ("created", "replaced", "many")} == {b"buffer"}

    @pytest.mark.parametrize("size", [10, 11 * 1024 * 1024])
    def test_a_file_is_read_from_its_position_to_its_end(self, store: ObjectStore, size: int) -> None:
        """A small file and one that a store may want to send in parts."""
        content = bytes(range(251)) * (size // 251 + 1)
        for write, key in ((store.create, "created"), (store.replace, "replaced")):
            file = io.BytesIO(content)
            file.seek(3)
            assert write(key, file).size_bytes == len(content) - 3
            assert store.get(key) == content[3:]

    def test_a_large_file_does_not_replace_an_object(self, store: ObjectStore) -> None:
        """Create-only holds for what is sent in parts too."""
        store.create("big", b"first")
        with pytest.raises(ObjectExistsError):
            store.create("big", io.BytesIO(bytes(11 * 1024 * 1024)))
        assert store.get("big") == b"first"

    def test_a_taken_key_is_refused_and_keeps_its_content(self, store: ObjectStore) -> None:
        """Also for equal content."""
        store.create("k", b"first")
        for content in (b"second", b"first", b""):
            with pytest.raises(ObjectExistsError):
                store.create("k", content)
        assert store.get("k") == b"first"

    def test_of_racing_creators_exactly_one_wins(self, store: ObjectStore) -> None:
        """And what is stored is the winner's."""
        won = _race(lambda number: store.create("dir/raced", b"%d" % number * 1000))
        assert len(won) == 1
        assert store.get("dir/raced") == b"%d" % won[0] * 1000

    def test_racing_batches_share_the_keys_out(self, store: ObjectStore) -> None:
        """Each key of overlapping batches is written by exactly one of them."""
        keys = [f"dir/{number}" for number in range(5)]
        barrier = Barrier(4)

        def batch(number: int) -> list[bool]:
            barrier.wait()
            return store.create_many([(key, b"%d" % number) for key in keys])

        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(batch, range(4)))
        for at, key in enumerate(keys):
            winners = [number for number, answer in enumerate(answers) if answer[at]]
            assert len(winners) == 1
            assert store.get(key) == b"%d" % winners[0]

    def test_of_many_those_with_free_keys_are_written(self, store: ObjectStore) -> None:
        """The answers stand in the order of the objects."""
        store.create("d/1", b"old")
        assert store.create_many([("d/0", b"new"), ("d/1", b"new"), ("e/2", b"new")]) == [True, False, True]
        assert [store.get(key) for key in ("d/0", "d/1", "e/2")] == [b"new", b"old", b"new"]

    def test_of_equal_keys_in_one_call_the_first_is_written(self, store: ObjectStore) -> None:
        """A batch may race with itself; no object is torn or lost."""
        assert store.create_many([("same", b"1"), ("same", b"2")]) == [True, False]
        assert store.get("same") == b"1"

    def test_of_no_objects_none_is_written(self, store: ObjectStore) -> None:
        """An empty batch is fine."""
        assert store.create_many([]) == []
        assert _keys(store) == set()

    def test_many_with_a_bad_key_write_nothing(self, store: ObjectStore) -> None:
        """Keys are looked at before anything is written."""
        with pytest.raises(InvalidRequestError):
            store.create_many([("good", b""), ("../bad", b"")])
        assert _keys(store) == set()

    def test_replace_writes_in_both_cases(self, store: ObjectStore) -> None:
        """Whether or not there is an object."""
        assert store.replace("k", b"one").size_bytes == 3
        assert store.replace("k", b"longer").size_bytes == 6
        assert store.get("k") == b"longer"

    def test_a_reader_never_sees_half_an_object(self, store: ObjectStore) -> None:
        """While it is being replaced, either of the two contents is there as a whole."""
        contents = {bytes([letter]) * 300_000 for letter in b"ab"}
        store.replace("k", b"a" * 300_000)
        with ThreadPoolExecutor(2) as pool:
            writer = pool.submit(lambda: [store.replace("k", content) for content in [*contents] * 10])
            while not writer.done():
                assert store.get("k") in contents
            writer.result()

    def test_what_is_not_there_is_not_found(self, store: ObjectStore) -> None:
        """Neither a key that nobody wrote, nor the folder of one."""
        store.create("folder/key", b"1")
        for key in ("missing", "folder", "folder/key2", "folder/missing/key"):
            for read in (store.get, store.head, lambda key: store.get_range(key, start=0, length=1)):
                with pytest.raises(ObjectNotFoundError):
                    read(key)

    @pytest.mark.parametrize(
        ("start", "length", "expected"),
        [
            (0, 10, b"0123456789"),
            (0, 3, b"012"),
            (4, 3, b"456"),
            (8, 5, b"89"),
            (9, 1, b"9"),
            (10, 1, b""),
            (99, 9, b""),
            (0, 0, b""),
            (5, 0, b""),
        ],
    )
    def test_a_range_ends_where_the_object_ends(
        self, store: ObjectStore, start: int, length: int, expected: bytes
    ) -> None:
        """Reading behind the end gives nothing, and is no error."""
        store.create("k", b"0123456789")
        assert store.get_range("k", start=start, length=length) == expected

    def test_a_range_of_nothing_is_empty(self, store: ObjectStore) -> None:
        """Objects without content have ranges too."""
        store.create("k", b"")
        assert store.get_range("k", start=0, length=5) == b""

    def test_a_scan_gives_all_keys_with_the_prefix(self, store: ObjectStore) -> None:
        """The prefix may end anywhere; what it does not fit to is left out; sizes come along."""
        for key in ("a/1/x", "a/1/y", "a/12/x", "a/2/x", "ab/1", "b"):
            store.create(key, key.encode())
        assert _keys(store) == {"a/1/x", "a/1/y", "a/12/x", "a/2/x", "ab/1", "b"}
        assert _keys(store, "a") == {"a/1/x", "a/1/y", "a/12/x", "a/2/x", "ab/1"}
        assert _keys(store, "a/") == {"a/1/x", "a/1/y", "a/12/x", "a/2/x"}
        assert _keys(store, "a/1") == {"a/1/x", "a/1/y", "a/12/x"}
        assert _keys(store, "a/1/") == {"a/1/x", "a/1/y"}
        assert _keys(store, "a/1/x") == {"a/1/x"}
        assert {info.size_bytes for info in store.scan("a/12")} == {6}

    @pytest.mark.parametrize("prefix", ["c", "a/1/x/", "..", "../", "/", "a//", "a/..", "a/./", "~", "ä", "b/1"])
    def test_a_prefix_of_no_key_finds_nothing(self, store: ObjectStore, prefix: str) -> None:
        """Also where it could not begin any key."""
        store.create("a/1/x", b"")
        store.create("b", b"")
        assert _keys(store, prefix) == set()

    def test_a_scan_finds_more_than_a_page(self, store: ObjectStore) -> None:
        """Stores answer lists in pages of a thousand; all are asked for."""
        keys = {f"many/{number}" for number in range(1100)}
        store.create_many([(key, b"") for key in sorted(keys)])
        assert _keys(store, "many/") == keys

    def test_deleted_objects_are_gone_and_their_keys_free(self, store: ObjectStore) -> None:
        """Others stay."""
        store.create_many([("d/1", b"1"), ("d/2", b"2"), ("d/3", b"3")])
        store.delete(["d/1", "d/3"])
        assert _keys(store) == {"d/2"}
        with pytest.raises(ObjectNotFoundError):
            store.get("d/1")
        store.create("d/1", b"again")
        assert store.get("d/1") == b"again"

    def test_deleting_may_be_repeated(self, store: ObjectStore) -> None:
        """A key that is not there is fine, and so is none at all."""
        store.create("d/1", b"1")
        for _ in range(2):
            store.delete(["d/1", "d/never", "nor/this", "d/1"])
        store.delete([])
        assert _keys(store) == set()

    def test_a_folder_is_no_object_to_delete(self, store: ObjectStore) -> None:
        """What lies below it stays."""
        store.create("d/1", b"1")
        store.delete(["d"])
        assert _keys(store) == {"d/1"}

    @pytest.mark.parametrize("key", GOOD_KEYS)
    def test_every_allowed_key_is_kept(self, store: ObjectStore, key: str) -> None:
        """By every verb."""
        store.create(key, b"1")
        store.replace(key, b"2")
        assert store.get(key) == b"2"
        assert _keys(store) == {key}
        store.delete([key])
        assert _keys(store) == set()

    @pytest.mark.parametrize("key", BAD_KEYS)
    def test_a_key_that_could_escape_or_collide_is_refused(self, store: ObjectStore, key: str) -> None:
        """By every verb."""
        verbs: Sequence[Callable[[], object]] = (
            lambda: store.create(key, b""),
            lambda: store.create_many([(key, b"")]),
            lambda: store.replace(key, b""),
            lambda: store.get(key),
            lambda: store.get_range(key, start=0, length=1),
            lambda: store.head(key),
            lambda: store.delete([key]),
        )
        for verb in verbs:
            with pytest.raises(InvalidRequestError) as caught:
                verb()
            assert not isinstance(caught.value, ObjectNotFoundError | ObjectExistsError)

    def test_a_check_passes_and_leaves_nothing(self, store: ObjectStore) -> None:
        """Repeated checks do not disturb each other, nor what is stored."""
        store.create("mine", b"1")
        with ThreadPoolExecutor(4) as pool:
            for done in [pool.submit(store.check) for _ in range(8)]:
                done.result()
        assert _keys(store) == {"mine"}


def _race(attempt: Callable[[int], object]) -> list[int]:
    """Let 16 threads try the same at once; which of them were not refused."""
    barrier = Barrier(RACERS)

    def run(number: int) -> bool:
        barrier.wait()
        try:
            attempt(number)
        except ObjectExistsError:
            return False
        return True

    with ThreadPoolExecutor(RACERS) as pool:
        return [number for number, won in enumerate(pool.map(run, range(RACERS))) if won]


def _keys(store: ObjectStore, prefix: str = "") -> set[str]:
    keys = [info.key for info in store.scan(prefix)]
    assert len(keys) == len(set(keys)), "a scan gives each object once"
    return set(keys)
