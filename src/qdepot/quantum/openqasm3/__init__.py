"""OpenQASM 3: the grammar's tree is executed, and what it does to qubits and bits becomes a Qiskit circuit.

All that is known when the program is read is computed at once: constants, loops over known ranges, branches on known
values, calls of subroutines. What depends on measurements becomes control flow of the circuit, whose conditions are
Boolean expressions of single classical bits: the simulator evaluates those at any width, and its integers not.
"""
