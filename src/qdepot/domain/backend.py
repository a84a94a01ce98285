"""What a backend is and can do, as data."""

from __future__ import annotations

from dataclasses import dataclass, field

from qdepot.domain.program import ProgramFormat, ProgramKind


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendInfo:
    """One machine or simulator that jobs can be sent to.

    Attributes:
        name: Unique within a service; what users write in ``backend``.
        provider: Name of the provider that offers it.
        description: One sentence for people.
        num_qubits: Largest register; None where only memory limits it.
        max_shots: Most shots in one execution of one circuit.
        max_circuits: Most circuits in one job; None: no limit of its own.
        kinds: Program kinds it runs.
        formats: Program formats it takes. The service converts nothing on the way to a simulator of its own.
        simulator: True for a simulator, False for quantum hardware.
        online: False while jobs sent to it would only wait.
        paid: True where a run costs money: then it is never repeated on its own.
        repeatable: A job that got lost may be given to it again without harm.
        runs_here: Jobs live and die with the process that submitted them (a simulator in child processes): that
            process keeps their leases while they run, and a job whose process is gone is lost.
        takes_key: Submitting twice with the same tag yields the same job.
        finds_by_tag: The provider can be searched by tag.
        visibility_delay_s: How long a submitted job may stay invisible to that search.
        queue_length: Jobs waiting there, where known.
        options: Names of the options it understands.
        properties: Further facts for people (basis gates, method, calibration date ...); plain JSON data.
    """

    name: str
    provider: str
    description: str = ""
    num_qubits: int | None = None
    max_shots: int = 1_000_000
    max_circuits: int | None = None
    kinds: frozenset[ProgramKind] = frozenset({ProgramKind.SAMPLER})
    formats: frozenset[ProgramFormat] = frozenset(ProgramFormat)
    simulator: bool = False
    online: bool = True
    paid: bool = False
    repeatable: bool = False
    runs_here: bool = False
    takes_key: bool = False
    finds_by_tag: bool = False
    visibility_delay_s: float = 0.0
    queue_length: int | None = None
    options: frozenset[str] = frozenset()
    properties: dict[str, object] = field(default_factory=dict)
