"""The command line."""

from __future__ import annotations


def main() -> None:
    """Run the command that the process was started with, and exit with its code."""
    from qdepot.cli.app import build_app

    build_app()(prog_name="qdepot")
