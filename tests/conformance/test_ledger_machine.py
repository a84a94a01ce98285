"""Whatever is done to a ledger, the SQL ledgers answer as the memory ledger does, step by step."""

import itertools
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from qdepot.adapters.ledgers.memory import MemoryLedger
from qdepot.adapters.ledgers.sql.opening import open_ledger
from qdepot.domain.job import TRANSITIONS, Duty, JobStatus, Stage
from qdepot.errors import GoneError, NotFoundError
from qdepot.ports.ledger import JobExistsError, JobFilter
from qdepot.testing.clock import FrozenClock
from qdepot.testing.jobs import MADE_AT, accepted, ended, job_id_of, make_job, relabelled
from qdepot.testing.ledger import every_job, validate_ledger

NUMBERS = st.integers(1, 8)
"""Few jobs, so that steps meet."""
SEVERAL = st.lists(NUMBERS, min_size=1, max_size=5)
HOLDERS = st.sampled_from(["ann", "bob"])
LEASES_S = st.sampled_from([15.0, 1.0, 60.0, 0.0])
WAITS_S = st.sampled_from([0.0, 5.0, 60.0, 15.0])
BACKENDS = ["a", "b", "c"]
PROJECTS = ["p", "q"]
FIELDS = st.fixed_dictionaries(
    {
        "project": st.sampled_from(PROJECTS),
        "backend": st.sampled_from(BACKENDS),
        "priority": st.integers(-1, 1),
        "created_at": st.integers(0, 2).map(lambda seconds: MADE_AT + timedelta(seconds=seconds)),
        "prepared": st.booleans(),
        "tags": st.lists(st.sampled_from(["x", "y"]), max_size=3).map(tuple),
        "idempotency_key_sha256": st.sampled_from([None, None, None, "k", "l"]),
        "request_key": st.sampled_from(["pending/1", "pending/2"]),
    }
)
FILTERS = st.builds(
    JobFilter,
    project=st.none() | st.sampled_from(PROJECTS),
    status=st.none() | st.frozensets(st.sampled_from(JobStatus)),
    cancelling=st.none() | st.booleans(),
    backend=st.none() | st.sampled_from(BACKENDS),
    name=st.none() | st.sampled_from(["", "n"]),
    tag=st.none() | st.sampled_from(["x", "y", "z"]),
    created_from=st.none() | st.just(MADE_AT + timedelta(seconds=1)),
    created_before=st.none() | st.just(MADE_AT + timedelta(seconds=2)),
)


def outcome_of(step):
    """What a step returns, or how it is refused."""
    try:
        return step()
    except (JobExistsError, GoneError, NotFoundError) as error:
        return type(error), dict(error.details)


class LedgerMachine(RuleBasedStateMachine):
    """Does everything twice."""

    def __init__(self, open_fresh):
        super().__init__()
        self._open_fresh = open_fresh

    @initialize(fields=st.lists(FIELDS, min_size=6, max_size=6))
    def begin(self, fields):
        self.clock = FrozenClock()
        self.model = MemoryLedger(self.clock)
        self.real = self._open_fresh(self.clock)
        self.cursors = {}
        for job in [make_job(number, **each) for number, each in enumerate(fields, start=1)]:
            self.both(lambda ledger, job=job: ledger.add([accepted(job)]))

    def teardown(self):
        try:
            validate_ledger(self.real)
        finally:
            self.real.close()

    def both(self, step):
        """Do it to both; they must agree."""
        expected = outcome_of(lambda: step(self.model))
        assert outcome_of(lambda: step(self.real)) == expected
        return expected

    def known(self, numbers):
        """The jobs of these numbers that there are."""
        return list(self.model.get_many([job_id_of(number) for number in dict.fromkeys(numbers)]).values())

    @rule(new=st.dictionaries(NUMBERS, FIELDS, min_size=1, max_size=2))
    def add(self, new):
        batch = [accepted(make_job(number, **fields)) for number, fields in new.items()]
        # A refusal names one of the jobs in the way; which of several, is not promised.
        refused = [isinstance(outcome_of(lambda each=each: each.add(batch)), tuple) for each in (self.model, self.real)]
        assert refused[0] == refused[1]

    @rule(number=NUMBERS)
    def get(self, number):
        self.both(lambda ledger: ledger.get(job_id_of(number)))

    @rule(project=st.sampled_from(PROJECTS), key=st.sampled_from(["k", "l", "m"]))
    def find(self, project, key):
        self.both(lambda ledger: ledger.find_by_idempotency_key(project=project, owner="local", key_sha256=key))

    @rule(data=st.data(), holder=HOLDERS, lease_s=LEASES_S, limit=st.integers(0, 4))
    def claim(self, data, holder, lease_s, limit):
        """What waits, mostly."""
        duties = {job.next_duty for job in self.known(range(9))} - {None}
        duty = data.draw(st.sampled_from(sorted(duties) or list(Duty)))
        backends = data.draw(st.none() | st.lists(st.sampled_from(BACKENDS), max_size=3))
        self.both(lambda ledger: ledger.claim(duty, holder=holder, lease_s=lease_s, limit=limit, backends=backends))

    @rule(duty=st.sampled_from(Duty), holder=HOLDERS, lease_s=LEASES_S, limit=st.integers(1, 4), numbers=SEVERAL)
    def claim_by_name(self, duty, holder, lease_s, limit, numbers):
        job_ids = [job_id_of(number) for number in numbers]
        duties = {job.next_duty for job in self.known(numbers[:1])} - {None}
        for each in duties or {duty}:
            self.both(
                lambda ledger, each=each: ledger.claim(
                    each, holder=holder, lease_s=lease_s, limit=limit, job_ids=job_ids
                )
            )

    @rule(holder=HOLDERS, numbers=SEVERAL, lease_s=LEASES_S)
    def renew(self, holder, numbers, lease_s):
        ids = [job_id_of(number) for number in numbers]
        self.both(lambda ledger: ledger.renew(ids, holder=holder, lease_s=lease_s))

    @rule(holder=HOLDERS, numbers=st.none() | SEVERAL)
    def release(self, holder, numbers):
        ids = None if numbers is None else [job_id_of(number) for number in numbers]
        self.both(lambda ledger: ledger.release(holder=holder, job_ids=ids))

    @rule(holder=HOLDERS, keep_lease=st.booleans(), retry_in_s=WAITS_S, data=st.data())
    def claim_and_move(self, holder, keep_lease, retry_in_s, data):
        """What duties do."""
        for duty in Duty:
            claimed = self.both(lambda ledger, duty=duty: ledger.claim(duty, holder=holder, lease_s=15, limit=1))
            self.clock.advance(data.draw(st.sampled_from([0.0, 0.0, 1.0, 15.0])))
            changes = [self.moved(job, retry_in_s=retry_in_s, data=data) for job in claimed]
            self.both(lambda ledger, changes=changes: ledger.save(changes, holder=holder, keep_lease=keep_lease))

    @rule(numbers=SEVERAL, holder=st.none() | HOLDERS, keep_lease=st.booleans(), retry_in_s=WAITS_S, data=st.data())
    def move(self, numbers, holder, keep_lease, retry_in_s, data):
        """Whoever may hold them."""
        changes = [self.moved(job, retry_in_s=retry_in_s, data=data) for job in self.known(numbers)]
        self.both(lambda ledger: ledger.save(changes, holder=holder, keep_lease=keep_lease))

    def moved(self, job, *, retry_in_s, data):
        """Some step that the table allows."""
        if job.is_final:
            return job.edited(pending_removed=data.draw(st.booleans()), retry_in_s=retry_in_s)
        status = data.draw(st.sampled_from([job.status, *sorted(TRANSITIONS[job.status])]))
        if status.is_final:
            return ended(job, status)
        stage = data.draw(st.sampled_from([Stage.WAITING, Stage.COLLECTING, Stage.HELD, Stage.IN_DOUBT]))
        return job.moved_to(status, stage, at=MADE_AT, by="machine", retry_in_s=retry_in_s)

    @rule(number=NUMBERS, lag=st.integers(0, 2), tags=st.lists(st.sampled_from(["x", "y", "z"]), max_size=2))
    def edit(self, number, lag, tags):
        """Also on the ground of a version that is no more."""
        changes = [relabelled(job, tags=tuple(tags), name="n" * (lag % 2)) for job in self.known([number])]
        changes += [change.after.edited(at=MADE_AT, by="owner", cancel_requested=lag == 0) for change in changes]
        self.both(lambda ledger: ledger.save(changes))
        if lag == 2:
            self.both(lambda ledger: ledger.save(changes))

    @rule(number=NUMBERS, holder=st.none() | HOLDERS, data=st.data())
    def edit_while_it_moves(self, number, holder, data):
        """A step that was made before an edit is saved after it."""
        seen = self.known([number])
        moves = [self.moved(job, retry_in_s=0.0, data=data) for job in seen]
        self.both(lambda ledger: ledger.save([relabelled(job, name="new", tags=("z",)) for job in seen]))
        self.both(lambda ledger: ledger.save(moves, holder=holder))

    @rule(numbers=SEVERAL, holder=st.none() | HOLDERS, keep_lease=st.booleans())
    def save_a_chain(self, numbers, holder, keep_lease):
        """Several changes of the same jobs, in turns."""
        first = [job.edited(queue_position=1, retry_in_s=5) for job in self.known(numbers)]
        second = [change.after.edited(at=MADE_AT, by="machine", why="again") for change in first]
        self.both(lambda ledger: ledger.save([*first, *second, *first], holder=holder, keep_lease=keep_lease))

    @rule(number=NUMBERS, version_behind=st.integers(0, 1))
    def delete(self, number, version_behind):
        for job in self.known([number]):
            if job.is_final:
                seen = job if not version_behind else job.edited().after
                self.both(lambda ledger, seen=seen: ledger.delete(seen, at=MADE_AT))

    @rule(wanted=FILTERS, limit=st.integers(1, 4))
    def first_page(self, wanted, limit):
        page = self.both(lambda ledger: ledger.page(wanted, limit=limit))
        if page.next_cursor:
            self.cursors[wanted] = page.next_cursor

    @rule(limit=st.integers(1, 4), data=st.data())
    def next_page(self, limit, data):
        if self.cursors:
            wanted = data.draw(st.sampled_from(sorted(self.cursors, key=repr)))
            page = self.both(lambda ledger: ledger.page(wanted, limit=limit, cursor=self.cursors[wanted]))
            if page.next_cursor:
                self.cursors[wanted] = page.next_cursor

    @rule(project=st.none() | st.sampled_from(PROJECTS))
    def count(self, project):
        self.both(lambda ledger: dict(ledger.counts(project=project)))

    @rule(request=st.sampled_from(["pending/1", "pending/2"]))
    def count_sharers(self, request):
        self.both(lambda ledger: ledger.unfinished_with_request(request))

    @rule(seconds=st.sampled_from([1.0, 5.0, 14.0, 15.0, 60.0]))
    def wait(self, seconds):
        self.clock.advance(seconds)

    @invariant()
    def jobs_and_histories_agree(self):
        if not hasattr(self, "real"):
            return
        jobs = self.both(lambda ledger: list(every_job(ledger)))
        for job in jobs:
            told = [
                [(event.to_status, event.stage, event.by, event.why) for event in ledger.events(job.id)]
                for ledger in (self.model, self.real)
            ]
            assert told[0] == told[1]


def run(open_fresh, *, max_examples):
    run_state_machine_as_test(
        lambda: LedgerMachine(open_fresh),
        settings=settings(
            max_examples=max_examples,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )


LENGTHS = [
    pytest.param(40, marks=pytest.mark.timeout(300)),
    pytest.param(400, marks=[pytest.mark.slow, pytest.mark.timeout(3000)]),
]


@pytest.mark.parametrize("max_examples", LENGTHS)
def test_sqlite_answers_as_memory_does(tmp_path, sqlite_template, max_examples):
    numbers = itertools.count()

    def open_fresh(clock):
        path = tmp_path / f"{next(numbers)}.db"
        path.write_bytes(sqlite_template)
        return open_ledger(f"sqlite:///{path}", clock=clock)

    run(open_fresh, max_examples=max_examples)


@pytest.mark.parametrize("max_examples", LENGTHS)
def test_postgres_answers_as_memory_does(empty_postgres, max_examples):
    def open_fresh(clock):
        return open_ledger(empty_postgres(), clock=clock, use_database_clock=False)

    run(open_fresh, max_examples=max_examples)
