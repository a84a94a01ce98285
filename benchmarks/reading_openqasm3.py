"""Reading OpenQASM 3: plain text, which a recogniser reads, and text that needs the grammar; against Qiskit.

The plain text has 15,000 gates, one a line. The other is written as people write it, with constants, loops, subroutines
and branches on measurements, and stands for about as many gates. Qiskit's importer reads the plain text alone. Figures
are processor time.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable

from harness.figures import show
from qiskit import qasm3

from qdepot.quantum.openqasm3.reader import read_openqasm3
from qdepot.quantum.openqasm3.syntax import warm_up

GATES = 15_000
QUBITS = 20
ROUNDS = 5


def plain() -> str:
    rng = random.Random(1)
    lines = [f'OPENQASM 3.0; include "stdgates.inc"; qubit[{QUBITS}] q; bit[{QUBITS}] c;']
    for _ in range(GATES):
        a, b = rng.sample(range(QUBITS), 2)
        lines.append(
            rng.choice(
                [f"h q[{a}];", f"cx q[{a}], q[{b}];", f"rx({rng.random():.6f}) q[{a}];", f"rz(-pi/{a + 1}) q[{b}];"]
            )
        )
    return "\n".join([*lines, "c = measure q;"])


def as_people_write_it() -> str:
    rounds = GATES // (3 * QUBITS)
    return f"""OPENQASM 3.0; include "stdgates.inc";
const int n = {QUBITS};
qubit[n] q; bit[n] c; bit flag;
def layer(int k, qubit[n] r) {{
  for int i in [0:n-1] {{ rx(pi * (i + k) / n) r[i]; }}
  for int i in [0:n-2] {{ cx r[i], r[i+1]; }}
}}
for int k in [1:{rounds}] {{ layer(k, q); rz(pi / k) q; h q[0]; }}
flag = measure q[0];
if (flag == 1 && c == 0) {{ x q[1]; }}
c = measure q;
"""


def seconds(action: Callable[[], object]) -> float:
    begin = time.process_time()
    action()
    return time.process_time() - begin


def main() -> None:
    print(__doc__)
    warm_up()
    simple, rich = plain(), as_people_write_it()
    actions: dict[str, Callable[[], object]] = {
        f"{GATES} gates of plain text": lambda: read_openqasm3(simple.encode()),
        f"{len(read_openqasm3(rich.encode())[0].data)} gates from {len(rich.splitlines())} lines with loops and a "
        "subroutine": lambda: read_openqasm3(rich.encode()),
        f"{GATES // 15} gates of plain text in Qiskit's importer, times 15": lambda: qasm3.loads(
            "\n".join([*simple.splitlines()[: GATES // 15], "c = measure q;"])
        ),
    }
    times: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(ROUNDS):
        for name, action in actions.items():
            times[name].append(seconds(action) * (15 if "importer" in name else 1))
    for name, found in times.items():
        show(name, f"{statistics.median(found) * 1e3:9.0f} ms")


if __name__ == "__main__":
    main()
