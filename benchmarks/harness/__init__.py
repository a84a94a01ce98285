"""What the benchmarks share: timing, figures, a service of its own."""
