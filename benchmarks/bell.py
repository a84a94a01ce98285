"""A Bell job's way on an idle service, from the submit to COMPLETED and stored, against a bare Aer run."""

from __future__ import annotations

import statistics

from harness.circuits import bell
from harness.figures import interleaved, show, spread
from harness.service import service
from qiskit_aer import AerSimulator

from qdepot import Client

ROUNDS = 60


def main() -> None:
    print(__doc__)
    circuit, simulator = bell(), AerSimulator()
    with service() as url:
        client = Client(url)

        def through_qdepot() -> None:
            client.submit(circuit, shots=1024).wait()

        through_qdepot()
        times = interleaved(
            {
                "bare AerSimulator().run(circuit).result()": lambda: simulator.run(circuit, shots=1024).result(),
                "through qdepot: submit, run, stored, COMPLETED": through_qdepot,
            },
            rounds=ROUNDS,
        )
    for name, seconds in times.items():
        show(name, spread(seconds))
    bare, whole = (statistics.median(seconds) for seconds in times.values())
    show("difference of the medians", f"{(whole - bare) * 1e3:9.2f} ms")


if __name__ == "__main__":
    main()
