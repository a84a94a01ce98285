"""A rebuild runs no request that may never have been acknowledged, unless an operator says so."""

from __future__ import annotations

from dataclasses import replace

from qdepot.adapters.ledgers.memory import MemoryLedger
from qdepot.domain.job import Stage
from qdepot.services.rebuild_report import Finding
from support.rebuilding import rebuild
from support.world import ME, World


def test_a_job_whose_submission_nothing_proves_is_held_even_where_a_run_costs_nothing(repeatable: World):
    unproven, edited = repeatable.submit(), repeatable.submit()
    repeatable.jobs().edit(edited.id, caller=ME, name="seen by its owner")
    ledger = MemoryLedger(repeatable.clock)
    report = rebuild(repeatable, ledger, run_pending=False)
    assert report.counts == {Finding.HELD: 1, Finding.TO_RUN: 1}
    new = replace(repeatable, ledger=ledger)
    assert "--resubmit" in new.jobs().get(unproven.id, caller=ME).why
    assert (new.job(unproven).stage, new.job(edited).stage) == (Stage.HELD, Stage.WAITING)
