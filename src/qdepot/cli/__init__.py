"""The command qdepot."""
