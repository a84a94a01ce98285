"""1,000 small jobs, until the last result is stored, against the loops that people write instead.

Every process has one OpenMP thread for a small circuit, ours and the partner's: more only cost time.
"""

from __future__ import annotations

import statistics

from harness.circuits import BELL, bell, tilted
from harness.figures import interleaved, show, spread, timed
from harness.jobs import Service, sampler_body, submit_separately
from harness.openmp import with_threads
from harness.service import service
from qiskit import transpile
from qiskit_aer import AerSimulator

JOBS = 1000
SHOTS = 1024
CLIENTS = 16
ROUNDS = 5
OF_THE_IDIOM = 20


def main() -> None:
    print(__doc__)
    circuit, simulator = bell(), AerSimulator()
    same = [sampler_body(BELL, shots=SHOTS)] * JOBS
    different = [sampler_body(tilted(number / JOBS), shots=SHOTS) for number in range(JOBS)]
    with service() as url:

        def loop() -> None:
            for _ in range(JOBS):
                simulator.run(circuit, shots=SHOTS).result()

        def batch(bodies: list[str]) -> None:
            api = Service(url)
            api.wait_for_all(api.submit_batch(bodies))

        def separately() -> None:
            ids = submit_separately(url, same, clients=CLIENTS)
            Service(url).wait_for_all(ids)

        batch(same)
        times = interleaved(
            {
                "a loop of simulator.run(circuit).result()": loop,
                "through qdepot, one batch": lambda: batch(same),
                "through qdepot, one batch, all circuits different": lambda: batch(different),
                f"through qdepot, one by one from {CLIENTS} clients": separately,
            },
            rounds=ROUNDS,
        )
    idiom = [
        timed(lambda: AerSimulator().run(transpile(circuit, AerSimulator())).result()) for _ in range(OF_THE_IDIOM)
    ]
    times["a loop of AerSimulator().run(transpile(...)).result()"] = [seconds * JOBS for seconds in idiom]
    _report(times)


def _report(times: dict[str, list[float]]) -> None:
    for name, seconds in times.items():
        show(name, spread(seconds))
    print(f"  (the last is {OF_THE_IDIOM} turns, each taken times {JOBS})")
    loop, *through, idiom = (statistics.median(seconds) for seconds in times.values())
    for name, median in zip(list(times)[1:-1], through, strict=True):
        show(f"{name}: against the loop", f"{median / loop:9.2f} x its time")
        show(f"{name}: against transpile in the loop", f"{idiom / median:9.1f} x faster")


if __name__ == "__main__":
    with_threads(1)
    main()
