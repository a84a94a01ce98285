"""The image, run as strictly as a cluster would: HTTPS and tokens, PostgreSQL and S3, and only a cron to run jobs."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme

import qdepot
from qdepot.domain.token import TokenText
from support.engine import Box, Engine, Stores, free_port, open_folder, running_stores

pytestmark = [pytest.mark.containers, pytest.mark.timeout(2400)]

BELL = """OPENQASM 3.0; include "stdgates.inc"; qubit[2] q; bit[2] c;
h q[0]; cx q[0], q[1]; c = measure q;"""
TLS = "/etc/qdepot-tls"


@pytest.fixture(scope="module")
def authority() -> Iterator[tuple[Path, Path]]:
    """The authority's certificate, and the folder that a Secret would be."""
    with open_folder() as folder:
        yield secret_in(folder)


def secret_in(folder: Path) -> tuple[Path, Path]:
    authority = trustme.CA()
    issued = authority.issue_cert("localhost", "127.0.0.1")
    (folder / "tls.crt").write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    (folder / "tls.key").write_bytes(issued.private_key_pem.bytes())
    (folder / "tls.key").chmod(0o640)  # for the group 0
    ca = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(ca))
    return ca, folder


@pytest.fixture(scope="module")
def token() -> str:
    return TokenText.new().revealed


def box_for(stores: Stores, *, engine: Engine, image: str, secret: Path, token: str) -> Box:
    settings = {
        **stores.settings(),
        "QDEPOT_HOST": "127.0.0.1",  # the network is the machine's
        "QDEPOT_PORT": str(free_port()),
        "QDEPOT_TLS_CERT": f"{TLS}/tls.crt",
        "QDEPOT_TLS_KEY": f"{TLS}/tls.key",
        "QDEPOT_ADMIN_TOKEN": token,
    }
    return Box(engine=engine, image=image, environment=settings, mounts={TLS: secret})


def tell(capsys, figure: str) -> None:
    """Show what was measured."""
    with capsys.disabled():
        sys.stdout.write(f"\n{figure}\n")


def url_of(box: Box) -> str:
    return f"https://127.0.0.1:{box.environment['QDEPOT_PORT']}"


@contextmanager
def served(box: Box, authority: Path, token: str) -> Iterator[qdepot.Client]:
    """A service that runs no jobs, and a client that has nothing but its URL and the token."""
    with box.started("serve", "--no-reconciler") as service:
        box.wait_until_ready(service)
        with qdepot.Client(url_of(box), token, ca=authority) as client:
            yield client


def test_only_the_cron_brings_a_job_home_and_a_new_client_finds_it_after_a_restart(engine, image, authority, token):
    ca, secret = authority
    with open_folder() as folder:
        with running_stores(folder) as stores:
            box = box_for(stores, engine=engine, image=image, secret=secret, token=token)
            with served(box, ca, token) as client:
                job = client.submit(BELL, backend="aer", shots=100, name="from before")
                assert job.status() == "CREATED"
                cron = box.once("reconcile", "--once", "--longest", "200s")
                assert "1 COMPLETED" in cron.stdout, cron.stdout + cron.stderr
                before = job.result()[0].counts
        with running_stores(folder) as stores:
            box = box_for(stores, engine=engine, image=image, secret=secret, token=token)
            with served(box, ca, token) as client:
                [found] = client.job_answers()
                assert (found.id, found.name) == (job.id, "from before")
                counts = client.job(found.id).result()[0].counts
    assert counts == before
    assert set(counts) <= {"00", "11"}
    assert sum(counts.values()) == 100


@pytest.fixture(scope="module")
def box(stores, engine, image, authority, token) -> Box:
    return box_for(stores, engine=engine, image=image, secret=authority[1], token=token)


def test_without_a_token_nothing_is_told(box, authority):
    with box.started("serve", "--no-reconciler") as service:
        box.wait_until_ready(service)
        with qdepot.Client(url_of(box), ca=authority[0]) as client, pytest.raises(qdepot.QDepotError, match="token"):
            list(client.jobs())


def test_a_service_with_a_reconciler_simulates_in_there(box, authority, token):
    with box.started() as service:
        box.wait_until_ready(service)
        with qdepot.Client(url_of(box), token, ca=authority[0]) as client:
            counts = client.submit(BELL, backend="aer", shots=100).result(timeout_s=120)[0].counts
    assert sum(counts.values()) == 100


def test_only_data_and_temporary_files_can_be_written(box):
    with box.started() as service:
        box.wait_until_ready(service)
        for place in ("/x", "/opt/qdepot/x", "/etc/qdepot/x", "/var/x"):
            assert box.inside(service, "touch", place, check=False).returncode, place
        for place in ("/tmp/x", "/var/lib/qdepot/x"):
            box.inside(service, "touch", place)
        user = box.inside(service, "id", "-u").stdout.strip()
        assert int(user) >= 1_000_000_000
        capabilities = box.inside(service, "grep", "CapEff", "/proc/1/status").stdout
        assert int(capabilities.split()[1], 16) == 0


@pytest.mark.parametrize("arguments", [("serve",), ("reconcile", "--every", "1s")])
def test_sigterm_ends_each_role_well(box, engine, capsys, arguments):
    with box.started(*arguments) as name:
        if arguments[0] == "serve":
            box.wait_until_ready(name)
        else:
            deadline = time.monotonic() + 60
            while "reconciling" not in engine.run("logs", name).stdout:
                assert time.monotonic() < deadline
                time.sleep(0.1)
        begun = time.monotonic()
        engine.run("stop", "--time=60", name)
        took = time.monotonic() - begun
        state = engine.run("inspect", "--format={{.State.ExitCode}}", name).stdout.strip()
    assert state == "0"
    assert took < 60  # nobody had to be killed
    tell(capsys, f"{arguments[0]}: SIGTERM to end {took:.1f} s")


def test_the_image_says_how_it_is_and_checks_its_own_health(box, engine, image):
    known = engine.image(image)
    config = known["Config"]
    assert config["User"] == "10001:0"
    assert config["Entrypoint"][:3] == ["dumb-init", "--single-child", "--"]
    assert config["Labels"]["org.opencontainers.image.title"] == "qdepot"
    check = (config.get("Healthcheck") or known["Healthcheck"])["Test"]  # as docker, or podman, says it
    assert check == ["CMD", "qdepot", "health"]
    with box.started() as service:
        box.wait_until_ready(service)
        begun = time.monotonic()
        assert box.inside(service, *check[1:]).stdout == '{"status":"ok"}\n'
        assert time.monotonic() - begun < 10  # the time that the image gives it


def test_the_image_alone_serves_nobody_in_the_clear(engine, image):
    done = Box(engine=engine, image=image, environment={}, mounts={}).once(check=False)
    assert done.returncode == 2
    assert "without HTTPS" in done.stderr


def test_orphans_are_buried(box):
    """The first process reaps what a child of a child leaves behind."""
    with box.started("serve", "--no-reconciler") as service:
        box.wait_until_ready(service)
        box.inside(service, "sh", "-c", "(sleep 0.1 &) ; exit 0")
        deadline = time.monotonic() + 30
        count = "grep -l '^State:.Z' /proc/[0-9]*/status | wc -l"
        while box.inside(service, "sh", "-c", count).stdout.strip() != "0":
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_the_size_is_told(engine, image, capsys):
    size = engine.image(image)["Size"]
    tell(capsys, f"{image}: {size / 1e6:.0f} MB")
    assert size < 1e9
