"""A ledger that is not the archive's, or no longer there, is told of before anybody relies on it."""

from __future__ import annotations

import os
import shutil
from contextlib import closing
from pathlib import Path

import pytest

from qdepot.adapters.ledgers.memory import MemoryLedger
from qdepot.adapters.ledgers.sql.opening import open_ledger
from qdepot.errors import UnavailableError
from qdepot.services.lost_ledger import warning_about
from qdepot.testing.clock import FrozenClock
from qdepot.testing.jobs import accepted, make_job
from support.rebuilding import ended
from support.world import ME, World


def test_an_empty_ledger_beside_a_full_archive_is_told_of_with_what_to_do(world: World):
    assert warning_about(MemoryLedger(world.clock), world.archive) is None  # a new installation
    ended(world)
    assert warning_about(world.ledger, world.archive) is None
    warning = warning_about(MemoryLedger(world.clock), world.archive)
    assert warning is not None
    assert "qdepot ledger rebuild" in warning


def test_a_ledger_whose_only_job_was_deleted_is_not_taken_for_a_lost_one(world: World):
    job = ended(world)
    world.jobs().delete(job.id, caller=ME)
    assert warning_about(MemoryLedger(world.clock), world.archive) is None


def test_an_archive_that_does_not_answer_keeps_nobody_from_starting(world: World, monkeypatch):
    def away(*_args):
        raise UnavailableError("away")

    monkeypatch.setattr(type(world.completed), "scan", away)
    assert warning_about(MemoryLedger(world.clock), world.archive) is None


def _removed(path: Path) -> None:
    path.unlink()


def _restored(path: Path) -> None:
    copy = path.with_suffix(".copy")
    shutil.copy(path, copy)
    os.replace(copy, path)


@pytest.mark.parametrize("change", [_removed, _restored], ids=["removed", "restored from a backup"])
def test_nothing_is_acknowledged_of_a_ledger_whose_file_is_another_one(tmp_path, change):
    path = tmp_path / "ledger.db"
    with closing(open_ledger(f"sqlite:///{path}", clock=FrozenClock())) as ledger:
        ledger.add([accepted(make_job(1))])
        change(path)
        for call in (lambda: ledger.add([accepted(make_job(2))]), ledger.check):
            with pytest.raises(UnavailableError, match=r"ledger\.db") as caught:
                call()
            assert "qdepot ledger rebuild" in caught.value.solution
