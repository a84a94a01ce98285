"""A compute pool on the workers of a Dask cluster. Import it only where one is configured: it needs ``distributed``."""
