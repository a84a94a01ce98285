"""What the tests of the suite share: fixtures to override, programs, patience."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import pytest

from qdepot.domain.backend import BackendInfo
from qdepot.domain.program import Circuit, Program, ProgramFormat, ProgramKind
from qdepot.ports.provider import Provider, ProviderStatus, RawResult, Submission
from qdepot.testing.provider.outside import Ability, Outside

LAST = frozenset({ProviderStatus.DONE, ProviderStatus.FAILED, ProviderStatus.CANCELLED})

_CIRCUIT = """OPENQASM 3.0;
include "stdgates.inc";
qubit[{width}] q;
bit[{width}] c;
{flips}c = measure q;
"""


class Bench:
    """Fixtures and helpers; what a plugin's author may override.

    Attributes:
        abilities: What the fixture ``outside`` can do.
        backend_name: The backend under test; None: the first that the provider offers.
        secrets: Words that must never be shown.
        unknown_id: What is no job's id.
        patience_s: How long a job may take to end.
        pause_s: Between two looks at a job.
    """

    abilities: ClassVar[frozenset[Ability]] = frozenset(Ability)
    backend_name: ClassVar[str | None] = None
    secrets: ClassVar[Sequence[str]] = ()
    unknown_id: ClassVar[str] = "no-such-job"
    patience_s: ClassVar[float] = 60.0
    pause_s: ClassVar[float] = 0.005

    def __init_subclass__(cls) -> None:
        """Refuse to be weakened in silence: a test may be expected to fail, with a reason, but not be replaced."""
        super().__init_subclass__()
        for name, test in vars(cls).items():
            inherited = name.startswith("test_") and any(name in vars(base) for base in cls.__mro__[1:])
            if inherited and not _is_expected_to_fail(test):
                raise TypeError(f"{cls.__name__} replaces {name}; mark it xfail with a reason instead")

    @pytest.fixture
    def provider(self) -> Iterator[Provider]:
        """A provider that is ready to take jobs, closed after the test."""
        raise NotImplementedError("write a fixture named provider")

    @pytest.fixture
    def second_provider(self) -> Iterator[Provider]:
        """Another object for the same account, as another process has it; not asked for where jobs run here."""
        raise NotImplementedError("write a fixture named second_provider")

    @pytest.fixture
    def outside(self) -> Outside:
        """The vendor's side, with the declared abilities."""
        raise NotImplementedError("write a fixture named outside, or declare abilities = frozenset()")

    @pytest.fixture
    def backend(self, provider: Provider) -> BackendInfo:
        """The backend under test."""
        return self.find_backend(provider)

    def find_backend(self, provider: Provider) -> BackendInfo:
        """The backend under test, as this provider describes it."""
        return next(it for it in provider.backends() if self.backend_name in {None, it.name})

    def needs(self, *abilities: Ability) -> None:
        """Skip the test where one of these is not declared."""
        for ability in abilities:
            if ability not in self.abilities:
                pytest.skip(f"declared as missing: {ability.value}")

    def reach_outside(self, request: pytest.FixtureRequest, *abilities: Ability) -> Outside:
        """The vendor's side; skips the test where it cannot do what is needed."""
        self.needs(*abilities)
        outside: Outside = request.getfixturevalue("outside")
        return outside

    def circuit(self, bits: str, *, shots: int | None = None) -> Circuit:
        """A circuit whose one outcome is ``bits``, bit 0 rightmost. Override for backends that take no OpenQASM 3."""
        flips = "".join(f"x q[{place}];\n" for place, bit in enumerate(reversed(bits)) if bit == "1")
        source = _CIRCUIT.format(width=len(bits), flips=flips).encode()
        return Circuit(format=ProgramFormat.OPENQASM3, source=source, shots=shots)

    def submission(
        self,
        backend: BackendInfo,
        *circuits: Circuit,
        shots: int = 20,
        tag: str | None = None,
        options: Mapping[str, object] | None = None,
    ) -> Submission:
        """A job of its own; without circuits one whose outcome is 001."""
        job_id = str(uuid.uuid4())
        program = Program(kind=ProgramKind.SAMPLER, circuits=circuits or (self.circuit("001"),), shots=shots)
        return Submission(
            tag=tag or f"{job_id}.1", job_id=job_id, backend=backend.name, program=program, options=options or {}
        )

    def entries(self, raw: RawResult) -> list[dict[str, Any]]:
        """The entries of the result document. Override for a provider whose format is its vendor's."""
        assert raw.format == "qdepot", "override entries() to read this format"
        document = json.loads(bytes(raw.document))
        entries: list[dict[str, Any]] = document["results"]
        return entries

    def status_at_end(self, provider: Provider, job_id: str) -> ProviderStatus:
        """Wait until the provider reports an end, and say which."""
        self.wait_until(lambda: provider.status(job_id).status in LAST)
        return provider.status(job_id).status

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Return as soon as ``condition`` holds.

        Raises:
            AssertionError: It still does not after :attr:`patience_s`.
        """
        give_up_at = time.monotonic() + self.patience_s
        while not condition():
            assert time.monotonic() < give_up_at, "this never came true"
            time.sleep(self.pause_s)


def _is_expected_to_fail(test: object) -> bool:
    marks = getattr(test, "pytestmark", [])
    return any(mark.name == "xfail" and mark.kwargs.get("reason") for mark in marks)
