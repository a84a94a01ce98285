"""What we need from outside: one Protocol a file. The docstrings are the contract."""
