"""Public: conformance suites for ports, and fakes that pass them."""
