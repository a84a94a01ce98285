"""Manifests as `kubectl kustomize` puts them together, where there is a kubectl."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
import yaml

from support.manifests import KUBERNETES


@cache
def _rendered(overlay: str) -> list[dict[str, Any]]:
    done = subprocess.run(
        ["kubectl", "kustomize", str(KUBERNETES / "overlays" / overlay)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


@pytest.fixture
def rendered() -> Callable[[str], list[dict[str, Any]]]:
    """The objects of an overlay."""
    if shutil.which("kubectl") is None:
        pytest.skip("no kubectl, so that what kustomize makes of the manifests was not looked at")
    return _rendered
