"""What an order must keep before it becomes a job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from qdepot.domain.backend import BackendInfo
from qdepot.domain.fitting import check_count, check_fits
from qdepot.errors import (
    InvalidRequestError,
    QDepotError,
    ResourceLimitError,
    UnavailableError,
)
from qdepot.ports.clock import Clock
from qdepot.ports.compute_pool import ComputePool, Limits, TaskHandle
from qdepot.ports.operations import check_task
from qdepot.services.backends import Backends
from qdepot.services.orders import JobOrder, SubmitLimits


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
        limits: What this service accepts.
        check_limits: What one check may use up.
    """

    backends: Backends
    checker: ComputePool
    clock: Clock
    limits: SubmitLimits
    check_limits: Limits

    def examine(self, orders: Sequence[JobOrder], *, owner: str) -> list[Accepted | QDepotError]:
        """Check each order by its figures, then its circuits, within the time that a caller is made to wait.

        Returns:
            Per order what it becomes, or what is wrong with it: NotFoundError (no such backend), one of the subclasses
            of InvalidRequestError (for a circuit with its place in it), or ResourceLimitError (reading the circuits
            used up more than it may).
        """
        begun = [self._begin(order, owner) for order in orders]
        deadline = self.clock.monotonic() + self.limits.check_budget_s
        return [self._finish(check, deadline) if isinstance(check, _Check) else check for check in begun]

    def _begin(self, order: JobOrder, owner: str) -> _Check | QDepotError:
        try:
            backend = self.backends.get(order.backend)
            _check_figures(order, backend, self.limits)
        except InvalidRequestError as error:
            return error
        task = check_task(
            order.program,
            options=order.options,
            backend=backend,
            max_total_shots=self.limits.max_total_shots,
            owner=owner,
            limits=self.check_limits,
        )
        try:
            return _Check(backend=backend, handle=self.checker.submit(task))
        except UnavailableError:
            return _Check(backend=backend, handle=None)

    def _finish(self, check: _Check, deadline: float) -> Accepted | QDepotError:
        """Without a checker, or without its answer in time, the job is accepted and checked on its way."""
        summary = None
        if check.handle is not None:
            try:
                summary = check.handle.result(timeout_s=max(0.0, deadline - self.clock.monotonic())).meta
            except TimeoutError:
                check.handle.cancel()
            except UnavailableError:
                pass
            except (InvalidRequestError, ResourceLimitError) as error:
                return error
        return Accepted(backend=check.backend, summary=summary)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Check:
    """A check under way."""

    backend: BackendInfo
    handle: TaskHandle | None


def _check_figures(order: JobOrder, backend: BackendInfo, limits: SubmitLimits) -> None:
    program = order.program
    check_count("circuits in a job", len(program.circuits), limits.max_circuits)
    check_fits(program, options=order.options, backend=backend)
    shots = sum(circuit.shots or program.shots or 0 for circuit in program.circuits)
    check_count("shots in a job", shots, limits.max_total_shots)
