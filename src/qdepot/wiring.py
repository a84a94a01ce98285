"""The only file that names concrete adapters: puts a service together from its settings."""
