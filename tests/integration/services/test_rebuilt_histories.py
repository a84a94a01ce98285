"""Whatever happened before the ledger was lost, a rebuild brings it back, and things go on from there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from qdepot.domain.job import Duty, Job, JobStatus, Stage
from qdepot.errors import ConflictError, GoneError, QDepotError
from qdepot.services.orders import Submitted
from qdepot.testing.ledger.validate import every_job, validate_ledger
from qdepot.testing.scripted import ScriptedProvider
from support.rebuilding import history, without_ledger
from support.world import ME, Process, World, make_world, order

KEPT = [
    *("id", "project", "owner", "backend", "kind", "created_at", "num_circuits", "shots", "name", "tags", "options"),
    *("priority", "timeout_s", "request_sha256", "idempotency_key_sha256"),
]
"""Fields that every job keeps, whether or not it has ended."""
KEPT_AT_THE_END = [
    *("status", "stage", "queued_at", "running_at", "ended_at", "summary", "attempt", "provider_job_id"),
    *("vendor_status", "cancel_requested", "outcome", "failure", "result_key", "result_size_bytes", "result_sha256"),
    *("circuits_done", "why"),
]
DUTIES = [Duty.PREPARE, Duty.SUBMIT, Duty.RESCUE, Duty.POLL, Duty.COLLECT, Duty.CLEAN]
SOURCES = ["OPENQASM 3.0; a", "OPENQASM 3.0; b"]
BACKENDS = ["scripted_qpu", "free_qpu"]
PLACES = st.integers(0, 30)

ACTIONS = st.one_of(
    st.tuples(st.just("submit"), st.sampled_from(SOURCES), st.sampled_from(BACKENDS), st.sampled_from(["", "k", "l"])),
    st.tuples(st.just("batch"), st.integers(1, 4), st.sampled_from(BACKENDS), st.sampled_from(["", "k", "m"])),
    st.tuples(st.just("orphan"), st.sampled_from(BACKENDS), st.sampled_from(["", "k", "n"])),
    st.tuples(st.just("cancel"), PLACES),
    st.tuples(st.just("edit"), PLACES, st.sampled_from(["", "x", "y"])),
    st.tuples(st.just("delete"), PLACES),
    st.tuples(st.just("duty"), st.sampled_from(DUTIES)),
    st.tuples(st.just("home"), st.sampled_from([1, 2, 5, 40])),
    st.tuples(st.just("home"), st.just(3)),
    st.tuples(st.just("cloud"), st.sampled_from(["refuse", "lose_answer", "forget_all", "away"])),
)


class Life:
    """Plays actions in a world, and remembers what its owner was told."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.process: Process = world.process()
        self.ids: list[str] = []
        self.deleted: set[str] = set()

    def play(self, name: str, *arguments: object) -> None:
        self.world.clock.advance(1)
        action: Callable[..., None] = getattr(self, f"_{name}")
        action(*arguments)

    def _submit(self, source: str, backend: str, key: str) -> None:
        try:
            made = self.world.jobs().submit(order(source, backend=backend), caller=ME, idempotency_key=key or None)
        except QDepotError:
            return
        self.ids.append(made.job.id)

    def _batch(self, count: int, backend: str, key: str) -> None:
        orders = [order(f"circuit {number}", backend=backend) for number in range(count)]
        try:
            made = self.world.jobs().submit_many(orders, caller=ME, atomic=False, idempotency_key=key or None)
        except QDepotError:
            return
        self.ids += [it.job.id for it in made if isinstance(it, Submitted)]

    def _orphan(self, backend: str, key: str) -> None:
        """A process dies between the request and the row: nobody was told of a job."""
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(type(self.world.ledger), "add", _die)
            with pytest.raises((Died, QDepotError)):
                self.world.jobs().submit(
                    order(SOURCES[0], backend=backend), caller=ME, idempotency_key=f"orphan {key}" if key else None
                )

    def _cancel(self, place: int) -> None:
        self._with(place, lambda job_id: self.world.jobs().cancel(job_id, caller=ME))

    def _edit(self, place: int, name: str) -> None:
        self._with(place, lambda job_id: self.world.jobs().edit(job_id, caller=ME, name=name, tags=[name or "z"]))

    def _delete(self, place: int) -> None:
        def delete(job_id: str) -> None:
            self.world.jobs().delete(job_id, caller=ME)
            self.deleted.add(job_id)

        self._with(place, delete)

    def _with(self, place: int, act: Callable[[str], object]) -> None:
        if self.ids:
            try:
                act(self.ids[place % len(self.ids)])
            except (ConflictError, GoneError):
                return

    def _duty(self, duty: Duty) -> None:
        self.process.run(duty)

    def _home(self, seconds: int) -> None:
        self.world.bring_home(self.process, seconds=seconds)

    def _cloud(self, trouble: str) -> None:
        script = self.world.cloud.script
        setattr(script, trouble, not getattr(script, trouble))


@dataclass(slots=True, kw_only=True)
class ForgetfulCloud(ScriptedProvider):
    """Remembers of which jobs it said that it has none, long after they were sent: whoever believes it may send again.

    What then costs twice is the cloud's fault alone.
    """

    denied: set[str] = field(default_factory=set)

    def search(self, tag: str) -> str | None:
        found = ScriptedProvider.search(self, tag)
        if found is None and self.script.forget_all:
            self.denied.add(tag)
        return found


class Died(BaseException):
    """The process dies on this line."""


def _die(*_: object) -> None:
    raise Died


def a_world() -> World:
    world = make_world()
    delay = world.cloud.visibility_delay
    world.providers["scripted"] = ForgetfulCloud(clock=world.clock, visibility_delay=delay, finds_by_tag=True)
    world.providers["free"] = ScriptedProvider(clock=world.clock, name="free", paid=False, repeatable=True)
    return world


def lived(actions: list[tuple[object, ...]]) -> Life:
    life = Life(a_world())
    for name, *arguments in actions:
        life.play(str(name), *arguments)
    script = life.world.cloud.script
    script.refuse = script.lose_answer = script.forget_all = script.away = False
    life.world.clock.advance(60)
    return life


def told(world: World, job: Job) -> tuple[object, ...]:
    """What nobody may lose of a job."""
    names = [*KEPT, *KEPT_AT_THE_END] if job.is_final else KEPT
    return tuple(getattr(job, name) for name in names)


def result(world: World, job: Job) -> bytes | None:
    if job.status is not JobStatus.COMPLETED:
        return None
    return b"".join(world.jobs().result(job.id, caller=ME))


def assert_nothing_is_missing(life: Life, new: World) -> None:
    for before in every_job(life.world.ledger):
        after = new.ledger.get(before.id)
        event(f"{before.status}/{before.stage} becomes {after.status}/{after.stage}")
        assert after.is_final == before.is_final
        assert told(new, after) == told(life.world, before)
        if before.is_final:
            assert history(new.ledger, before.id) == history(life.world.ledger, before.id)
            assert result(new, after) == result(life.world, before)
        elif before.provider_job_id is not None:
            assert (after.status, after.provider_job_id) == (JobStatus.QUEUED, before.provider_job_id)
        elif before.stage in {Stage.SUBMITTING, Stage.SEARCHING, Stage.IN_DOUBT}:
            assert (after.stage, after.attempt) == (Stage.SUBMITTING, before.attempt)
    for job_id in life.deleted:
        with pytest.raises(GoneError):
            new.ledger.get(job_id)


def assert_nothing_came_of_nothing(life: Life, new: World) -> None:
    """What nobody was told of may be run where that costs nothing, and is held elsewhere."""
    known = {job.id for job in every_job(life.world.ledger)}
    for job in every_job(new.ledger):
        if job.id not in known:
            assert job.stage is (Stage.HELD if job.backend == "scripted_qpu" else Stage.WAITING)


def assert_all_goes_on(new: World) -> None:
    new.bring_home(new.process(), seconds=150)
    for job in every_job(new.ledger):
        assert job.is_final or job.stage is Stage.HELD, f"{job.status}/{job.stage}: {job.why}"
    assert isinstance(new.cloud, ForgetfulCloud)
    sent = Counter(tag for tag in new.cloud.submissions if tag not in new.cloud.denied)
    assert not [tag for tag, times in sent.items() if times > 1], "paid twice"
    attempts = Counter(tag.partition(".")[0] for tag in sent)
    assert not [job_id for job_id, times in attempts.items() if times > 1], "a paid backend got a second attempt"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(ACTIONS, min_size=15, max_size=30))
def test_whatever_happened_is_there_again_and_goes_on(actions):
    life = lived(actions)
    try:
        new, report = without_ledger(life.world)
        assert report.damaged == []
        assert report.remarks == []
        validate_ledger(new.ledger)
        assert_nothing_is_missing(life, new)
        assert_nothing_came_of_nothing(life, new)
        assert_all_goes_on(new)
        validate_ledger(new.ledger)
    finally:
        life.world.pool.close()
