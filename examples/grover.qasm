// Grover's search among eight values, two rounds. The marked value is 6: it prints as 110 (bit 0 is the
// rightmost character) and comes out with probability 0.945.
OPENQASM 3.0;
include "stdgates.inc";

qubit[3] q;
bit[3] found;

h q;

// Round 1, oracle: flips the sign of |110>.
x q[0];
h q[2];
ccx q[0], q[1], q[2];
h q[2];
x q[0];
// Round 1, diffusion: reflects about the mean.
h q;
x q;
h q[2];
ccx q[0], q[1], q[2];
h q[2];
x q;
h q;

// Round 2, oracle.
x q[0];
h q[2];
ccx q[0], q[1], q[2];
h q[2];
x q[0];
// Round 2, diffusion.
h q;
x q;
h q[2];
ccx q[0], q[1], q[2];
h q[2];
x q;
h q;

found = measure q;
