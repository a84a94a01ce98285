"""Programs of the tests that run as a user without privileges, although the tests themselves may run as root."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

_NOBODY = "65534"
_READ = "dac_read_search"
_READS_ALL_FILES = [f"--{kind}=-all,+{_READ}" for kind in ("inh-caps", "ambient-caps", "bounding-set")]
"""The one privilege of a user for whom the Python installation is closed otherwise. It has nothing to do with other
processes."""

_CAN_START_PYTHON = """
import subprocess, sys
subprocess.run([sys.executable, "-c", "import qdepot.quantum.walls, support.burglary"], check=True)
"""


def run(*arguments: str, as_root_too: bool = False) -> str:
    """What ``python ARGUMENTS`` prints, as this user or, if that is root, as one without privileges.

    Args:
        as_root_too: Stay root.
    """
    command = [*([] if as_root_too or os.geteuid() != 0 else _dropping()), sys.executable, *arguments]
    told = subprocess.run(command, capture_output=True, text=True, env=_environment(), cwd="/", timeout=300)
    assert told.returncode == 0, told.stderr
    return told.stdout


def _dropping() -> list[str]:
    """A command in front of a program that lets it run as nobody; skips the test where there is none that works."""
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("NOT TRIED AS AN ORDINARY USER: setpriv (util-linux) is not installed")
    nobody = [setpriv, "--reuid", _NOBODY, "--regid", _NOBODY, "--clear-groups"]
    failures = []
    for command in ([*nobody, "--bounding-set=-all"], [*nobody, *_READS_ALL_FILES]):
        tried = subprocess.run(
            [*command, sys.executable, "-c", _CAN_START_PYTHON],
            capture_output=True,
            text=True,
            env=_environment(),
            cwd="/",
        )
        if tried.returncode == 0:
            return command
        failures.append(tried.stderr.strip().splitlines()[-1:])
    pytest.skip(f"NOT TRIED AS AN ORDINARY USER: one cannot run {sys.executable} here: {failures}")


def _environment() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[1]), "PYTHONDONTWRITEBYTECODE": "1"}
