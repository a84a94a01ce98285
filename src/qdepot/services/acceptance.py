"""What an order must keep before it becomes a job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from qdepot.domain.backend import BackendInfo
from qdepot.domain.fitting import check_count, check_fits
from qdepot.errors import (
    InvalidRequestError,
    QDepotError,
    ResourceLimitError,
    UnavailableError,
)
from qdepot.ports.clock import Clock
from qdepot.ports.compute_pool import ComputePool, Limits, Task, TaskHandle
from qdepot.ports.operations import check_task
from qdepot.services.backends import Backends
from qdepot.services.orders import JobOrder, ProjectLimits, SubmitLimits
from qdepot.services.verdicts import Verdicts, verdict_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """An order that may become a job.

    Attributes:
        backend: Where it goes.
        summary: What reading the circuits told; None where that took longer than the caller should wait: then the job
            is checked on its way.
    """

    backend: BackendInfo
    summary: Mapping[str, object] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """Decides whether an order may become a job, while its owner waits.

    Attributes:
        backends: Where jobs can be sent.
        checker: Reads and checks circuits in a child process.
        clock: Measures the wait.
        limits: What this service accepts of each project.
        check_limits: What one check may use up.
        verdicts: What earlier checks told.
    """

    backends: Backends
    checker: ComputePool
    clock: Clock
    limits: ProjectLimits
    check_limits: Limits
    verdicts: Verdicts = field(default_factory=Verdicts)

    def examine(self, orders: Sequence[JobOrder], *, owner: str) -> list[Accepted | QDepotError]:
        """Check each order by its figures, then its circuits, within the time that a caller is made to wait.

        Returns:
            Per order what it becomes, or what is wrong with it: NotFoundError (no such backend), one of the subclasses
            of InvalidRequestError (for a circuit with its place in it), or ResourceLimitError (reading the circuits
            used up more than it may).
        """
        under_way: dict[bytes, TaskHandle] = {}
        begun = [self._begin(order, owner, under_way) for order in orders]
        deadline = self.clock.monotonic() + self.limits.of(owner).check_budget_s
        return [self._finish(check, deadline) if isinstance(check, _Check) else check for check in begun]

    def _begin(self, order: JobOrder, owner: str, under_way: dict[bytes, TaskHandle]) -> _Check | QDepotError:
        try:
            backend = self.backends.get(order.backend)
            _check_figures(order, backend, self.limits.of(owner))
        except InvalidRequestError as error:
            return error
        task = check_task(
            order.program,
            options=order.options,
            backend=backend,
            max_total_shots=self.limits.of(owner).max_total_shots,
            owner=owner,
            limits=self.check_limits,
        )
        key = verdict_key(task)
        summary = self.verdicts.find(key) if key is not None else None
        handle = self._handle(task, key, under_way) if summary is None else None
        return _Check(backend=backend, key=key, handle=handle, summary=summary)

    def _handle(self, task: Task, key: bytes | None, under_way: dict[bytes, TaskHandle]) -> TaskHandle | None:
        """The check, begun; None if nobody can check. Equal programs of one call are checked once."""
        if key in under_way:
            return under_way[key]
        try:
            handle = self.checker.submit(task)
        except UnavailableError:
            return None
        if key is not None:
            under_way[key] = handle
        return handle

    def _finish(self, check: _Check, deadline: float) -> Accepted | QDepotError:
        """Without a checker, or without its answer in time, the job is accepted and checked on its way."""
        summary = check.summary
        if check.handle is not None:
            try:
                summary = check.handle.result(timeout_s=max(0.0, deadline - self.clock.monotonic())).meta
            except TimeoutError:
                check.handle.cancel()
            except UnavailableError:
                pass
            except (InvalidRequestError, ResourceLimitError) as error:
                return error.bare()
            else:
                self._keep(check.key, summary)
        return Accepted(backend=check.backend, summary=summary)

    def _keep(self, key: bytes | None, summary: Mapping[str, object]) -> None:
        if key is not None:
            self.verdicts.keep(key, summary)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Check:
    """A check under way, or one whose outcome is known.

    Attributes:
        backend: Where the job goes.
        key: By what the verdict is kept; None if it is not.
        handle: The check under way, if there is one.
        summary: What an earlier check of the same told.
    """

    backend: BackendInfo
    key: bytes | None
    handle: TaskHandle | None
    summary: Mapping[str, object] | None


def _check_figures(order: JobOrder, backend: BackendInfo, limits: SubmitLimits) -> None:
    program = order.program
    check_count("circuits in a job", len(program.circuits), limits.max_circuits)
    check_fits(program, options=order.options, backend=backend)
    shots = sum(circuit.shots or program.shots or 0 for circuit in program.circuits)
    check_count("shots in a job", shots, limits.max_total_shots)
