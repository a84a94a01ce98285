from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from typer.testing import CliRunner

from qdepot.cli.app import build_app
from qdepot.cli.session import Session
from support.fake_api import BELL, BELL2, FakeApi


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch, tmp_path):
    monkeypatch.delenv("QDEPOT_URL", raising=False)
    monkeypatch.delenv("QDEPOT_TOKEN", raising=False)
    monkeypatch.setattr("qdepot.client.courier.time.sleep", lambda _: None)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def api():
    return FakeApi()


@pytest.fixture
def run(api) -> Callable[..., Ended]:
    """Run a command to its end, as from a pipe."""
    runner = CliRunner()

    def to_its_end(*arguments: str, stdin: str | bytes | None = None) -> Ended:
        done = runner.invoke(build_app(), list(arguments), input=stdin, obj=Session(transport=api.transport()))
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Ended(done.exit_code, done.stdout, done.stderr)

    return to_its_end


@pytest.fixture
def files(tmp_path):
    """Two circuits to hand in."""
    (tmp_path / "bell.qasm").write_text(BELL)
    (tmp_path / "bell2.qasm").write_text(BELL2)
    return "bell.qasm", "bell2.qasm"


@pytest.fixture
def job_id(run, files) -> str:
    """A job that was submitted."""
    return run("submit", files[0]).out.strip()
