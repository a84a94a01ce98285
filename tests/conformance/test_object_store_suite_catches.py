"""The suite of object stores is a law only if breaking it shows: one broken store for each rule."""

from __future__ import annotations

import time

import pytest

from qdepot.adapters.object_stores.memory import MemoryStore
from qdepot.errors import QDepotError
from qdepot.ports.object_store import ObjectExistsError, ObjectInfo, ObjectNotFoundError
from qdepot.testing.object_store import ObjectStoreConformance


class TellsAnotherSize(MemoryStore):
    def create(self, key, data):
        return ObjectInfo(key=key, size_bytes=super().create(key, data).size_bytes + 1)


class LosesEmptyObjects(MemoryStore):
    def get(self, key):
        return super().get(key) or super().get("elsewhere")


class TakesBytesAlone(MemoryStore):
    def replace(self, key, data):
        if isinstance(data, memoryview):
            raise TypeError(data)
        return super().replace(key, data)


class ReadsFilesFromTheirBeginning(MemoryStore):
    def create(self, key, data):
        if not isinstance(data, bytes):
            data.seek(0)
        return super().create(key, data)


class Overwrites(MemoryStore):
    def create(self, key, data):
        return self.replace(key, data)


class OverwritesWithFiles(MemoryStore):
    def create(self, key, data):
        return super().create(key, data) if isinstance(data, bytes) else self.replace(key, data)


class TakesEqualContentForNew(MemoryStore):
    def create(self, key, data):
        try:
            return super().create(key, data)
        except ObjectExistsError:
            if self.get(key) != data:
                raise
            return self.head(key)


class LooksBeforeItWrites(MemoryStore):
    def create(self, key, data):
        if key in self._objects:
            raise ObjectExistsError(key)
        time.sleep(0.05)
        return self.replace(key, data)


class LooksBeforeItWritesMany(MemoryStore):
    def create_many(self, objects):
        free = [key not in self._objects for key, _ in objects]
        time.sleep(0.05)
        for is_free, (key, data) in zip(free, objects, strict=True):
            if is_free:
                self.replace(key, data)
        return free


class StopsAtTheFirstTakenKey(MemoryStore):
    def create_many(self, objects):
        answers = []
        for key, data in objects:
            answers.append(key not in self._objects and all(answers))
            if answers[-1]:
                self.create(key, data)
        return answers


class WritesTheLastOfEqualKeys(MemoryStore):
    def create_many(self, objects):
        super().create_many(list(dict(objects).items()))
        return [True, False][: len(objects)]


class WritesUntilTheBadKey(MemoryStore):
    def create_many(self, objects):
        return [bool(self.create(key, data)) for key, data in objects]


class RefusesToReplace(MemoryStore):
    def replace(self, key, data):
        return self.create(key, data)


class ReplacesInTwoSteps(MemoryStore):
    def replace(self, key, data):
        self._objects[key] = bytes(data)[: len(data) // 2]
        time.sleep(0.001)
        return super().replace(key, data)


class FindsFolders(MemoryStore):
    def head(self, key):
        try:
            return super().head(key)
        except ObjectNotFoundError:
            if any(self.scan(f"{key}/")):
                return ObjectInfo(key=key, size_bytes=0)
            raise


class TakesLengthForEnd(MemoryStore):
    def get_range(self, key, *, start, length):
        return self.get(key)[start:length]


class FailsBehindTheEnd(MemoryStore):
    def get_range(self, key, *, start, length):
        if start >= len(self.get(key)):
            raise QDepotError("416")
        return super().get_range(key, start=start, length=length)


class ScansByFolder(MemoryStore):
    def scan(self, prefix=""):
        folder = f"{prefix.rstrip('/')}/" if prefix else ""
        return super().scan(folder)


class ScansOnePage(MemoryStore):
    def scan(self, prefix=""):
        return iter(list(super().scan(prefix))[:1000])


class ScansEachObjectTwice(MemoryStore):
    def scan(self, prefix=""):
        yield from super().scan(prefix)
        yield from super().scan(prefix)


class CleansPrefixes(MemoryStore):
    def scan(self, prefix=""):
        return super().scan(prefix.replace("./", "").replace("//", "/").lstrip("/."))


class RemembersDeletedKeys(MemoryStore):
    def delete(self, keys):
        for key in keys:
            if key in self._objects:
                self._objects[key] = b""


class CannotDeleteWhatIsNotThere(MemoryStore):
    def delete(self, keys):
        for key in keys:
            self.get(key)
        super().delete(keys)


class DeletesFolders(MemoryStore):
    def delete(self, keys):
        super().delete([info.key for key in keys for info in self.scan(key)])


class TakesNoDots(MemoryStore):
    def create(self, key, data):
        if key.startswith("."):
            raise QDepotError(key)
        return super().create(key, data)


class TakesAnyKey(MemoryStore):
    def head(self, key):
        return ObjectInfo(key=key, size_bytes=len(self._objects[key])) if key in self._objects else self.missing(key)

    def missing(self, key):
        raise ObjectNotFoundError(key)


class LeavesTraces(MemoryStore):
    def check(self):
        self.replace("check", b"")


CAUGHT = [
    (TellsAnotherSize, "test_a_created_object_is_read_back", ()),
    (LosesEmptyObjects, "test_all_bytes_and_none_are_kept", ()),
    (TakesBytesAlone, "test_any_buffer_is_taken", (memoryview,)),
    (ReadsFilesFromTheirBeginning, "test_a_file_is_read_from_its_position_to_its_end", (10,)),
    (OverwritesWithFiles, "test_a_large_file_does_not_replace_an_object", ()),
    (Overwrites, "test_a_taken_key_is_refused_and_keeps_its_content", ()),
    (TakesEqualContentForNew, "test_a_taken_key_is_refused_and_keeps_its_content", ()),
    (LooksBeforeItWrites, "test_of_racing_creators_exactly_one_wins", ()),
    (LooksBeforeItWritesMany, "test_racing_batches_share_the_keys_out", ()),
    (StopsAtTheFirstTakenKey, "test_of_many_those_with_free_keys_are_written", ()),
    (WritesTheLastOfEqualKeys, "test_of_equal_keys_in_one_call_the_first_is_written", ()),
    (WritesUntilTheBadKey, "test_many_with_a_bad_key_write_nothing", ()),
    (RefusesToReplace, "test_replace_writes_in_both_cases", ()),
    (ReplacesInTwoSteps, "test_a_reader_never_sees_half_an_object", ()),
    (FindsFolders, "test_what_is_not_there_is_not_found", ()),
    (TakesLengthForEnd, "test_a_range_ends_where_the_object_ends", (4, 3, b"456")),
    (FailsBehindTheEnd, "test_a_range_ends_where_the_object_ends", (10, 1, b"")),
    (FailsBehindTheEnd, "test_a_range_of_nothing_is_empty", ()),
    (ScansByFolder, "test_a_scan_gives_all_keys_with_the_prefix", ()),
    (ScansEachObjectTwice, "test_a_scan_gives_all_keys_with_the_prefix", ()),
    (CleansPrefixes, "test_a_prefix_of_no_key_finds_nothing", ("../",)),
    (ScansOnePage, "test_a_scan_finds_more_than_a_page", ()),
    (RemembersDeletedKeys, "test_deleted_objects_are_gone_and_their_keys_free", ()),
    (CannotDeleteWhatIsNotThere, "test_deleting_may_be_repeated", ()),
    (DeletesFolders, "test_a_folder_is_no_object_to_delete", ()),
    (TakesNoDots, "test_every_allowed_key_is_kept", (".hidden",)),
    (TakesAnyKey, "test_a_key_that_could_escape_or_collide_is_refused", ("../a",)),
    (LeavesTraces, "test_a_check_passes_and_leaves_nothing", ()),
]


@pytest.mark.parametrize(("broken", "test", "arguments"), CAUGHT, ids=lambda value: getattr(value, "__name__", None))
def test_a_broken_store_fails_and_a_sound_one_passes(broken, test, arguments):
    run = getattr(ObjectStoreConformance(), test)
    run(MemoryStore(), *arguments)
    with pytest.raises((AssertionError, pytest.fail.Exception, QDepotError, TypeError)):
        run(broken(), *arguments)


def test_every_rule_of_the_suite_has_a_store_that_breaks_it():
    rules = {name for name in vars(ObjectStoreConformance) if name.startswith("test_")}
    assert rules - {test for _, test, _ in CAUGHT} == {"test_of_no_objects_none_is_written"}
