// Writes the number 11 into the phases of five qubits, as the quantum Fourier transform of |11> has them, and reads
// it back by the inverse transform. Every shot gives 01011, so that a wrong bit order cannot hide.
OPENQASM 3.0;
include "stdgates.inc";

qubit[5] q;
bit[5] number;

// The transform of |11>: qubit k turns by 2 pi * 11 * 2^k / 32.
h q;
p(11 * pi / 16) q[0];
p(11 * pi / 8) q[1];
p(11 * pi / 4) q[2];
p(11 * pi / 2) q[3];
p(11 * pi) q[4];

// The inverse transform.
swap q[0], q[4];
swap q[1], q[3];
h q[0];
cp(-pi / 2) q[0], q[1];
h q[1];
cp(-pi / 4) q[0], q[2];
cp(-pi / 2) q[1], q[2];
h q[2];
cp(-pi / 8) q[0], q[3];
cp(-pi / 4) q[1], q[3];
cp(-pi / 2) q[2], q[3];
h q[3];
cp(-pi / 16) q[0], q[4];
cp(-pi / 8) q[1], q[4];
cp(-pi / 4) q[2], q[4];
cp(-pi / 2) q[3], q[4];
h q[4];

number = measure q;
