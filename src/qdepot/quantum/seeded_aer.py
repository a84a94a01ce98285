"""Aer with a seed for each set of parameter values.

Aer takes one seed a call and counts on from it: by 2113 from set to set and, wherever it runs shot by shot, by 1 from
shot to shot. Sets with more shots than that would share their random numbers, and so would runs whose seeds are close
to each other. Here Aer assembles all sets in one call, as ever, and executes each by itself, under a seed of its own.
That takes as long, since Aer, too, executes the sets of a call one after the other.

Noise is the exception. Aer prepares it anew for each call, which takes longer than many a set, so sets with noise share
a call where their random numbers are still distinct: where no set has more shots than seeds, or where Aer draws all
shots of a set from one final state, for which it uses one seed only.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, Future
from functools import cache
from itertools import chain
from typing import Any, TypeAlias

from qiskit_aer import AerSimulator
from qiskit_aer.backends.backend_utils import LIBRARY_DIR
from qiskit_aer.jobs import AerJob
from qiskit_aer.noise import NoiseModel

_SEEDS_PER_SET = 2113
"""Aer's distance between the seeds of two sets of a call."""

_Output: TypeAlias = dict[str, Any]
_Table: TypeAlias = list[tuple[object, list[float]]]


class SeededSimulator(AerSimulator):  # type: ignore[misc] # Aer has no types
    """Takes ``seeds`` as an option of :meth:`run`: one for each result, in order."""

    _seeds: Sequence[int]

    def _run_circuits(
        self, circuits: object, parameter_binds: object, *, seeds: Sequence[int], **run_options: object
    ) -> AerJob:
        seeded = copy.copy(self)
        seeded._seeds = seeds  # noqa: SLF001 - of its own class
        job = AerJob(
            self,
            "",
            seeded._execute_circuits_job,  # noqa: SLF001 - as above
            parameter_binds=parameter_binds,
            circuits=circuits,
            run_options=run_options,
            executor=_Here(),
        )
        job.submit()
        return job

    def _execute_circuits(self, aer_circuits: list[Any], noise_model: NoiseModel | None, config: Any) -> _Output:  # noqa: ANN401 - Aer's own
        noise = noise_model.to_dict(serializable=True) if noise_model else {}
        config.library_dir = LIBRARY_DIR
        sets = _Sets(aer_circuits, config.parameterizations)

        def execute(first: int, behind: int) -> _Output:
            circuits, config.parameterizations = sets.part(first, behind)
            config.seed_simulator = self._seeds[first]
            output: _Output = self._controller.execute(circuits, noise, config)
            return output

        if not noise:
            return _joined(execute(number, number + 1) for number in range(len(sets)))
        if config.shots <= _SEEDS_PER_SET:
            return execute(0, len(sets))
        outputs = [execute(0, 1)]
        if _is_from_final_states(outputs[0]) and len(sets) > 1:
            rest = execute(1, len(sets))
            if _is_from_final_states(rest):
                return _joined([*outputs, rest])
        return _joined(chain(outputs, (execute(number, number + 1) for number in range(1, len(sets)))))


@cache
def seeded_simulator(method: str) -> SeededSimulator:
    """The simulator for one of Aer's methods."""
    return SeededSimulator(method=method)


class _Sets:
    """The sets of a call: a circuit for each, or one circuit and a table with a row for each place of a value."""

    def __init__(self, circuits: list[Any], tables: list[_Table]) -> None:
        self._circuits = circuits
        self._table = tables[0] if tables else None

    def __len__(self) -> int:
        return len(self._table[0][1]) if self._table else len(self._circuits)

    def part(self, first: int, behind: int) -> tuple[list[Any], list[_Table]]:
        """Circuits and tables of some of the sets."""
        if not self._table:
            return self._circuits[first:behind], []
        return self._circuits, [[(place, values[first:behind]) for place, values in self._table]]


def _joined(outputs: Iterable[_Output]) -> _Output:
    """One output from several, up to the first that failed."""
    results: list[dict[str, Any]] = []
    last: _Output = {}
    for last in outputs:
        results += last["results"]
        if not last["success"]:
            break
    return {**last, "results": results}


def _is_from_final_states(output: _Output) -> bool:
    return all(result.get("metadata", {}).get("measure_sampling") for result in output["results"])


class _Here(Executor):
    """Does things at once, in the thread that asks.

    Aer hands its work to a thread of its own and waits for it, which costs up to milliseconds on a busy machine.
    """

    def submit(self, fn: Callable[..., Any], /, *args: object, **kwargs: object) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # it is raised where the result is asked for
            future.set_exception(error)
        return future
