from __future__ import annotations

import errno
import io
import os
import resource
import signal
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from qdepot.adapters.object_stores import drafts
from qdepot.adapters.object_stores.local import LocalStore
from qdepot.errors import InvalidRequestError, UnavailableError

WRITER = """
import sys
from pathlib import Path
from qdepot.adapters.object_stores.local import LocalStore

class Slow:
    sent = 0
    def read(self, size):
        if self.sent == 3:
            print("writing", flush=True)
            sys.stdin.read()
        self.sent += 1
        return bytes(1000)

LocalStore(Path(sys.argv[1])).create("d/slow", Slow())
"""
RACER = """
import sys
from pathlib import Path
from qdepot.adapters.object_stores.local import LocalStore
from qdepot.ports.object_store import ObjectExistsError

store = LocalStore(Path(sys.argv[1]))
won = []
for number in range(40):
    try:
        store.create(f"day/{number}", sys.argv[2].encode())
        won.append(str(number))
    except ObjectExistsError:
        pass
print(*won)
"""


@pytest.fixture
def store(tmp_path):
    return LocalStore(tmp_path / "store")


@pytest.fixture
def slow_writer(store):
    """A process that has written a part of an object and waits."""
    command = [sys.executable, "-c", WRITER, str(store.folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"writing\n"
        yield process
        process.kill()


@pytest.fixture
def calls(monkeypatch):
    """What was asked of the disk, in order."""
    made = []

    def spied(name, describe):
        real = getattr(os, name)

        def call(*args, **kwargs):
            made.append((name, *describe(*args)))
            return real(*args, **kwargs)

        monkeypatch.setattr(drafts.os, name, call)

    spied("fsync", lambda fd: [Path(os.readlink(f"/proc/self/fd/{fd}"))])
    spied("link", lambda _draft, path: [path])
    spied("replace", lambda _draft, path: [path])
    return made


def in_drafts(call):
    return call[0] == "fsync" and call[1].parent.name == "~drafts"


def drafts_of(store):
    return list((store.folder / "~drafts").iterdir())


def test_content_is_synced_before_it_has_a_name_and_the_name_after(store, calls):
    for verb in (store.create, store.replace):
        calls.clear()
        verb("p/day/k", b"content")
        folder = store.folder / "p" / "day"
        content = next(at for at, call in enumerate(calls) if in_drafts(call))
        named = next(at for at, call in enumerate(calls) if call[0] in {"link", "replace"})
        assert content < named
        assert ("fsync", folder) in calls[named:]
        store.delete(["p/day/k"])


def test_many_are_synced_before_any_has_a_name_and_their_folder_once(store, calls):
    store.create_many([(f"day/{number}", b"content") for number in range(50)])
    kinds = ["synced" if in_drafts(call) else call[0] for call in calls if call[1] != store.folder]
    assert [kind for kind in kinds if kind in {"synced", "link"}] == ["synced"] * 50 + ["link"] * 50
    assert calls.count(("fsync", store.folder / "day")) == 1
    assert calls[-1] == ("fsync", store.folder / "day")


def test_every_new_folder_is_synced_into_its_parent_once(tmp_path, calls):
    store = LocalStore(tmp_path / "new" / "store")
    store.create("p/day/1", b"")
    for folder in (tmp_path, tmp_path / "new", tmp_path / "new" / "store", store.folder / "p"):
        assert ("fsync", folder) in calls
    calls.clear()
    store.create("p/day/2", b"")
    assert [call[0] for call in calls] == ["fsync", "link", "fsync"]


def test_a_folder_that_another_process_made_is_synced_too(store, calls):
    (store.folder / "p" / "day").mkdir(parents=True)
    store.create("p/day/1", b"")
    assert {("fsync", store.folder), ("fsync", store.folder / "p")} <= set(calls)


def test_whoever_is_refused_knows_that_the_object_is_on_the_disk(store, calls):
    store.create("day/1", b"")
    calls.clear()
    assert store.create_many([("day/1", b"")]) == [False]
    assert ("fsync", store.folder / "day") in calls


def test_a_deletion_is_synced(store, calls):
    store.create_many([("d/1", b""), ("d/2", b""), ("e/1", b"")])
    calls.clear()
    store.delete(["d/1", "d/2", "e/1", "f/1"])
    assert sorted(calls) == [("fsync", store.folder / "d"), ("fsync", store.folder / "e")]


def test_a_full_disk_leaves_neither_a_torn_object_nor_a_draft(store, monkeypatch):
    store.create("d/old", b"old")
    real = os.write

    def write(fd, data):
        if len(data) <= 4096:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(fd, data[:4096])

    monkeypatch.setattr(drafts.os, "write", write)
    for attempt in (
        lambda: store.create("d/new", bytes(10_000)),
        lambda: store.create("d/new", io.BytesIO(bytes(10_000))),
        lambda: store.replace("d/old", bytes(10_000)),
        lambda: store.create_many([("d/new", bytes(10_000)), ("d/newer", b"")]),
        store.check,
    ):
        with pytest.raises(UnavailableError, match="No space left") as caught:
            attempt()
        assert "Make room" in caught.value.solution
    monkeypatch.undo()
    assert [info.key for info in store.scan()] == ["d/old"]
    assert store.get("d/old") == b"old"
    assert drafts_of(store) == []


def test_on_a_really_full_disk_too(tmp_path):
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(tmp_path)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("a small file system cannot be mounted here: run as root")
    try:
        store = LocalStore(tmp_path / "store")
        with pytest.raises(UnavailableError) as caught:
            store.create_many([(f"d/{number}", bytes(200_000)) for number in range(10)])
        assert "Make room" in caught.value.solution
        assert all(len(store.get(info.key)) == 200_000 for info in store.scan())
        assert drafts_of(store) == []
        store.delete([info.key for info in store.scan()])
        store.create("d/again", bytes(200_000))
        store.check()
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


@pytest.mark.parametrize("name", ["fsync", "link"])
def test_a_failing_disk_is_told_and_nothing_is_left(store, monkeypatch, name):
    store.create("d/old", b"old")

    def fail(*args, **kwargs):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(drafts.os, name, fail)
    with pytest.raises(UnavailableError, match="Input/output"):
        store.create("d/new", b"")
    monkeypatch.undo()
    assert drafts_of(store) == []
    store.create("d/new", b"")


def test_what_a_killed_writer_left_is_never_seen_and_cleared_up(store, slow_writer):
    slow_writer.send_signal(signal.SIGKILL)
    slow_writer.wait()
    assert list(store.scan()) == []
    [draft] = drafts_of(store)
    store.check()
    assert drafts_of(store) == [draft], "so young a draft may not be locked yet"
    os.utime(draft, (0, 0))
    store.check()
    assert drafts_of(store) == []


def test_the_draft_of_a_slow_writer_stays(store, slow_writer):
    [draft] = drafts_of(store)
    os.utime(draft, (0, 0))
    store.check()
    assert drafts_of(store) == [draft]


def test_of_racing_processes_one_wins_each_key(store):
    def race(name):
        command = [sys.executable, "-c", RACER, str(store.folder), name]
        return subprocess.run(command, capture_output=True, check=True, text=True).stdout.split()

    with ThreadPoolExecutor(3) as pool:
        won = dict(zip("xyz", pool.map(race, "xyz"), strict=True))
    assert sorted(int(number) for numbers in won.values() for number in numbers) == list(range(40))
    for name, numbers in won.items():
        assert all(store.get(f"day/{number}") == name.encode() for number in numbers)


def test_objects_are_the_owners_alone(store):
    store.create("p/day/k", b"secret")
    path = store.folder / "p" / "day" / "k"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert all(stat.S_IMODE(folder.stat().st_mode) == 0o700 for folder in path.parents[:3])


def test_strangers_files_are_no_objects(store):
    store.create("k", b"")
    for name in ("a b.txt", "~note", "note~", "lost+found"):
        (store.folder / name).write_text("x")
    (store.folder / "out").symlink_to("/etc")
    assert [info.key for info in store.scan()] == ["k"]


def test_a_key_below_another_key_is_refused(store):
    store.create("a", b"")
    for verb in (store.create, store.replace):
        with pytest.raises(InvalidRequestError, match="the key of another object"):
            verb("a/b", b"")
    store.create("d/e", b"")
    with pytest.raises(InvalidRequestError):
        store.replace("d", b"")


def test_a_folder_that_vanished_is_made_again(store):
    store.create("p/day/1", b"")
    (store.folder / "p" / "day" / "1").unlink()
    (store.folder / "p" / "day").rmdir()
    store.create("p/day/2", b"2")
    assert store.get("p/day/2") == b"2"


def test_more_objects_than_a_process_may_open_files_are_created(store):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        assert all(store.create_many([(f"d/{number}", b"") for number in range(400)]))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_store_below_a_file_says_so(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidRequestError):
        LocalStore(tmp_path / "file").check()
