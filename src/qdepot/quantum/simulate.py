"""Running all circuits of an order, and packing what came of them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from qdepot.domain.program import ProgramKind
from qdepot.domain.seeds import random_seed, seed_of_circuit
from qdepot.ports.compute_pool import Payload
from qdepot.quantum import engine, estimate, exact_sampling
from qdepot.quantum.bits import Wording
from qdepot.quantum.blame import circuit_blamed
from qdepot.quantum.check import Checked, checked, summary
from qdepot.quantum.compact import compacted
from qdepot.quantum.devices import Device, device, noise_for
from qdepot.quantum.methods import AUTOMATIC, chosen_method
from qdepot.quantum.order import Order
from qdepot.quantum.parameters import flat_columns
from qdepot.quantum.sample import Entry, aer_samples, sampler_entry
from qdepot.quantum.survey import surveyed
from qdepot.quantum.transpile import Prepared
from qdepot.quantum.understood import Ready, ready
from qdepot.quantum.versions import package_versions

_DIGITS = 6

_ONLY_AER = "aer"

_How = dict[str, object]
"""How a circuit was run, for its metadata."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ran:
    """One circuit's result, with what went with it; ``prepared`` is None where that cannot be written."""

    index: int
    entry: Entry
    prepared: bytes | None
    metadata: dict[str, object]


def simulated(order: Order) -> Payload:
    """Check, prepare and run an order.

    Raises:
        InvalidProgramError: As :func:`~qdepot.quantum.check.checked`.
        UnsupportedProgramError: As there; or Aer cannot run it.
        MemoryLimitExceededError: A state does not fit into memory.
    """
    started = time.perf_counter()
    found = checked(order)
    read_s = time.perf_counter() - started
    about, packages = summary(found), package_versions()  # nothing that may fail stands between a result and its user
    seed = random_seed() if order.options.seed is None else order.options.seed
    on = None if order.device is None else device(order.device)
    ran = []
    for circuit in found:
        with circuit_blamed(circuit.index):
            ran.append(_run(circuit, order, on=on, seed=seed_of_circuit(seed, circuit.index)))
    calibration, left_out = _calibration(on)
    metadata = {
        "packages": packages,
        "seed": seed,
        "method": ", ".join(sorted({str(each.metadata["method"]) for each in ran})),
        "device": None if on is None else _about(on, calibration),
        **left_out,
        "times": {"read_s": round(read_s, _DIGITS), "total_s": round(time.perf_counter() - started, _DIGITS)},
    }
    return Payload(meta={"metadata": metadata, "summary": about}, parts={**_parts(ran), **calibration})


def _run(circuit: Checked, order: Order, *, on: Device | None, seed: int) -> _Ran:
    started = time.perf_counter()
    fit = ready(circuit.source, method=circuit.method, level=order.options.optimization_level, on=order.device)
    prepared_at = time.perf_counter()
    run = _sampled if order.kind is ProgramKind.SAMPLER else _estimated
    entry, how = run(circuit, fit, order, on=on, seed=seed)
    metadata = {
        "seed": seed,
        **how,
        "optimization_level": fit.prepared.optimization_level,
        "times": {
            "prepare_s": round(prepared_at - started, _DIGITS),
            "run_s": round(time.perf_counter() - prepared_at, _DIGITS),
        },
    }
    name = _prepared_name(circuit.index)
    copy, left_out = _by_product(name, lambda: fit.qpy_bytes)
    metadata.update(left_out)
    entry.document["metadata"] = metadata
    return _Ran(index=circuit.index, entry=entry, prepared=copy.get(name), metadata=metadata)


def _sampled(circuit: Checked, fit: Ready, order: Order, *, on: Device | None, seed: int) -> tuple[Entry, _How]:
    memory = order.options.memory
    wording = Wording(circuit.reading.registers)
    found = fit.distribution if _may_be_drawn(order) else None
    if found is not None and found.is_worth_it(shots=circuit.shots):
        values = _values(circuit).of(fit.prepared.circuit)
        shots = exact_sampling.Shots(number=circuit.shots, memory=memory, seed=seed)
        samples = exact_sampling.drawn(found, values.columns, shots, sets=values.sets, wording=wording)
        return sampler_entry(circuit, samples, memory=memory), {
            "method": exact_sampling.METHOD,
            "sampling": exact_sampling.NAME,
        }
    experiments, method = _simulated(circuit, fit.prepared, order, on=on, seed=seed)
    samples = aer_samples(experiments, wording, shots=circuit.shots, memory=memory)
    return sampler_entry(circuit, samples, memory=memory), {"method": method, "sampling": "aer"}


def _may_be_drawn(order: Order) -> bool:
    """Whether nobody asked for a simulator of a certain kind."""
    return order.device is None and chosen_method(order) == AUTOMATIC and order.options.sampling != _ONLY_AER


def _simulated(
    circuit: Checked, fit: Prepared, order: Order, *, on: Device | None, seed: int
) -> tuple[list[engine.Experiment], str]:
    keeps_all = on is None and not circuit.source.survey.has_control_flow
    compact = None if keeps_all else compacted(fit.circuit, surveyed(fit.circuit).qubits)
    runs = fit.circuit if compact is None else compact.circuit
    settings = engine.Settings(
        method=fit.method,
        seed=seed,
        shots=circuit.shots,
        memory=order.options.memory,
        threads=engine.useful_threads(runs, threads=order.threads, shots=circuit.shots),
        memory_mb=order.memory_mb,
        noise=None if on is None or compact is None else noise_for(on, compact),
        truncate=keeps_all,
    )
    experiments = engine.run(runs, _values(circuit), settings)
    return experiments, engine.method_used(experiments, settings)


def _estimated(circuit: Checked, fit: Ready, order: Order, *, on: Device | None, seed: int) -> tuple[Entry, _How]:
    ran = fit.prepared.circuit
    active = surveyed(ran).qubits
    sums = estimate.pauli_sums(circuit, fit.prepared, active=active)
    compact = compacted(ran, active)
    runs = estimate.with_expectation_values(compact, sums)
    settings = engine.Settings(
        method=fit.prepared.method,
        seed=seed,
        threads=engine.useful_threads(runs, threads=order.threads, shots=1),
        memory_mb=order.memory_mb,
        noise=noise_for(on, compact) if on is not None and compact.qubits else None,
        truncate=False,
    )
    experiments = engine.run(runs, _values(circuit), settings) if estimate.has_products(sums) else []
    entry = estimate.estimator_entry(circuit, experiments, sums, seed=seed)
    return entry, {
        "method": engine.method_used(experiments, settings),
        "target_precision": circuit.precision,
        "values": "drawn from a normal distribution" if circuit.precision else "exact",
    }


def _values(circuit: Checked) -> engine.Values:
    return engine.Values(sets=circuit.values.size, columns=flat_columns(circuit.reading.circuit, circuit.values))


def _by_product(name: str, make: Callable[[], bytes]) -> tuple[dict[str, bytes], dict[str, object]]:
    """A file that goes with a result, or the reason why there is none: no result is lost for it."""
    try:
        return {name: make()}, {}
    except Exception as error:
        return {}, {"left_out": {name: f"{type(error).__name__}: {str(error)[:200]}"}}


def _calibration(on: Device | None) -> tuple[dict[str, bytes], dict[str, object]]:
    if on is None or on.calibration is None:
        return {}, {}
    return _by_product(f"calibration/{on.name}.json", on.calibration_bytes)


def _prepared_name(index: int) -> str:
    return f"prepared/{index}.qpy"


def _parts(ran: list[_Ran]) -> dict[str, bytes]:
    document = {"results": [each.entry.document for each in ran]}
    parts = {"result.json": json.dumps(document, separators=(",", ":"), allow_nan=False).encode()}
    for each in ran:
        if each.prepared is not None:
            parts[_prepared_name(each.index)] = each.prepared
        parts.update(each.entry.members)
    return parts


def _about(on: Device, calibration: Mapping[str, bytes]) -> dict[str, object]:
    return {
        "name": on.name,
        "num_qubits": on.num_qubits,
        "calibration": next(iter(calibration), None),
        "last_update_date": (on.calibration or {}).get("last_update_date"),
    }
