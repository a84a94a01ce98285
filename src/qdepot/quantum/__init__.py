"""Work on circuits, done only in child processes: the only room that imports Qiskit and Aer for it."""
