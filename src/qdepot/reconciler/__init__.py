"""What time brings about: one file per duty, each with run_once()."""
