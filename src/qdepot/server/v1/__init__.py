"""Version 1 of our own REST API."""
