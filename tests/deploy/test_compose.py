"""The compose file and the units of systemd name what there is. They were not started by these tests."""

from __future__ import annotations

import configparser
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from qdepot.cli.app import build_app
from qdepot.config import Settings

ROOT = Path(__file__).parents[2]
UNITS = sorted((ROOT / "deploy" / "systemd").iterdir())


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "compose.yaml").read_text())


def is_setting(name: str) -> bool:
    model: Any = Settings
    for part in name.removeprefix("QDEPOT_").lower().split("__"):
        if part not in model.model_fields:
            return False
        model = model.model_fields[part].annotation
    return True


def own(compose) -> dict[str, dict[str, Any]]:
    return {name: part for name, part in compose["services"].items() if name not in {"postgres", "s3"}}


def test_every_variable_of_a_container_is_a_setting(compose):
    names = {name for part in own(compose).values() for name in part["environment"]}
    assert len(names) > 8
    assert [name for name in names if not is_setting(name)] == []
    assert not is_setting("QDEPOT_STORE__NONSENSE")


def test_every_command_is_one(compose):
    known = typer.main.get_command(build_app()).commands
    for part in own(compose).values():
        words = part["command"]
        words = shlex.split(words[0])[shlex.split(words[0]).index("qdepot") + 1 :] if len(words) == 1 else words
        options = {
            option for parameter in known[words[0]].params for option in (*parameter.opts, *parameter.secondary_opts)
        }
        assert {word for word in words if word.startswith("--")} <= options


def test_own_containers_write_nowhere_and_may_nothing(compose):
    for name, part in own(compose).items():
        assert part["read_only"] is True, name
        assert part["cap_drop"] == ["ALL"], name
        assert part["security_opt"] == ["no-new-privileges:true"], name


def test_one_port_is_published_and_on_loopback(compose):
    published = {name: part["ports"] for name, part in compose["services"].items() if "ports" in part}
    assert published == {"service": ["${QDEPOT_BIND:-127.0.0.1}:8484:8484"]}


def test_what_must_be_filled_in_is_in_the_example(compose):
    text = (ROOT / "compose.yaml").read_text()
    needed = set(re.findall(r"\$\{(\w+):\?", text))
    offered = set(re.findall(r"^#?(\w+)=", (ROOT / "deploy" / "compose" / "example.env").read_text(), re.MULTILINE))
    assert needed
    assert set(re.findall(r"\$\{(\w+)", text)) == offered
    assert needed <= offered
    assert "/.env" in (ROOT / ".gitignore").read_text().split()


def test_every_volume_and_service_that_is_named_is_there(compose):
    for name, part in compose["services"].items():
        assert {volume.split(":")[0] for volume in part.get("volumes", [])} <= set(compose["volumes"]), name
        assert set(part.get("depends_on", {})) <= set(compose["services"]), name
        for other in part.get("depends_on", {}):
            assert "healthcheck" in compose["services"][other], other


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_can_be_read_and_starts_what_there_is(path):
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # systemd's names have capitals
    unit.read(path)
    assert unit["Unit"]["Description"]
    if path.suffix == ".timer":
        assert path.with_suffix(".service").exists()
        return
    command = shlex.split(unit["Service"]["ExecStart"])
    assert command[0] == "/opt/qdepot/bin/qdepot"
    assert command[1] in typer.main.get_command(build_app()).commands
    assert unit["Service"]["NoNewPrivileges"] == "yes"
