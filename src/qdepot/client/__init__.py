"""The user's client: thin shells over requests that know nothing of I/O."""
