"""Who holds leases for a data folder."""

from __future__ import annotations

from qdepot.adapters.data_folder import lock_folder


def test_whoever_takes_a_folder_again_has_the_name_that_it_had_before(tmp_path):
    first = lock_folder(tmp_path)
    assert first is not None
    first.release()
    again = lock_folder(tmp_path)
    assert again is not None
    assert again.holder == first.holder
    again.release()


def test_services_with_folders_of_their_own_never_share_a_name(tmp_path):
    locks = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        locks.append(lock_folder(tmp_path / name))
    assert locks[0].holder != locks[1].holder
    for lock in locks:
        lock.release()


def test_a_folder_is_taken_once(tmp_path):
    first = lock_folder(tmp_path)
    assert lock_folder(tmp_path) is None
    first.release()
