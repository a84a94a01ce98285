"""HTTPS by real connections: certificates that are renewed, broken, or of one's own making."""

from __future__ import annotations

import logging
import os
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography import x509

import qdepot
from qdepot.errors import InvalidRequestError, UnavailableError
from qdepot.server.serve import WebServer
from qdepot.server.tls import CertificateFiles
from qdepot.server.tls_self_signed import self_signed
from support.serving import address_of, served
from support.web import Bench

LOGGER = "qdepot.server.tls"


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


class Secret:
    """A folder as Kubernetes mounts a Secret: links to a folder that is swapped as a whole."""

    def __init__(self, folder: Path, authority: trustme.CA) -> None:
        self.folder, self.authority, self.count = folder, authority, 0
        folder.mkdir()
        self.renew()
        for name in ("tls.crt", "tls.key"):
            (folder / name).symlink_to(Path("..data") / name)

    @property
    def files(self) -> dict[str, Path]:
        return {"tls_cert": self.folder / "tls.crt", "tls_key": self.folder / "tls.key"}

    def renew(self, *, broken: bool = False) -> int:
        """Swap in a new certificate; its serial number."""
        certificate = self.authority.issue_cert("localhost", "127.0.0.1")
        self.count += 1
        data = self.folder / f"..data_{self.count}"
        data.mkdir()
        chain = b"".join(blob.bytes() for blob in certificate.cert_chain_pems)
        (data / "tls.crt").write_bytes(chain[:100] if broken else chain)
        (data / "tls.key").write_bytes(certificate.private_key_pem.bytes())
        (self.folder / "new").symlink_to(data.name)
        (self.folder / "new").rename(self.folder / "..data")
        return x509.load_pem_x509_certificate(chain).serial_number


@pytest.fixture
def secret(tmp_path: Path, authority: trustme.CA) -> Secret:
    return Secret(tmp_path / "secret", authority)


@pytest.fixture
def server(bench: Bench, secret: Secret) -> Iterator[WebServer]:
    with served(bench.app, **secret.files) as server:
        yield server


def connect(server: WebServer, context: ssl.SSLContext, *, name: str = "localhost") -> ssl.SSLSocket:
    return context.wrap_socket(socket.create_connection(address_of(server), timeout=30), server_hostname=name)


def serial(connection: ssl.SSLSocket) -> int:
    return int(connection.getpeercert()["serialNumber"], 16)  # type: ignore[arg-type,index]


def answers(connection: ssl.SSLSocket) -> bool:
    connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return connection.recv(1000).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])  # with and without a server name in the handshake
def test_new_connections_get_the_renewed_certificate_and_old_ones_go_on(server, secret, trusting, name):
    with connect(server, trusting, name=name) as old:
        before = serial(old)
        renewed = secret.renew()
        with connect(server, trusting, name=name) as new:
            assert serial(new) == renewed != before
            assert answers(new)
        assert answers(old)


def test_files_that_are_written_over_in_place_are_seen_too(bench, authority, trusting, tmp_path):
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"

    def write() -> None:
        issued = authority.issue_cert("localhost")
        cert.write_bytes(issued.cert_chain_pems[0].bytes())
        key.write_bytes(issued.private_key_pem.bytes())

    write()
    with served(bench.app, tls_cert=cert, tls_key=key) as server:
        with connect(server, trusting) as connection:
            before = serial(connection)
        write()
        with connect(server, trusting) as connection:
            assert serial(connection) != before


def test_a_broken_renewal_keeps_the_old_certificate_and_is_logged_once(server, secret, trusting, caplog):
    with connect(server, trusting) as connection:
        before = serial(connection)
    with caplog.at_level(logging.INFO, LOGGER):
        secret.renew(broken=True)
        for _ in range(3):
            with connect(server, trusting) as connection:
                assert serial(connection) == before
        assert [record.message for record in caplog.records if record.name == LOGGER] == ["tls_files_unusable"]
        mended = secret.renew()
        with connect(server, trusting) as connection:
            assert serial(connection) == mended


def test_files_that_are_gone_for_a_moment_do_no_harm(server, secret, trusting):
    with connect(server, trusting) as connection:
        before = serial(connection)
    (secret.folder / "tls.key").rename(secret.folder / "away")
    with connect(server, trusting) as connection:
        assert serial(connection) == before
    (secret.folder / "away").rename(secret.folder / "tls.key")
    renewed = secret.renew()
    with connect(server, trusting) as connection:
        assert serial(connection) == renewed


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_1_2_and_1_3_are_spoken(server, trusting, version):
    trusting.minimum_version = trusting.maximum_version = version
    with connect(server, trusting) as connection:
        assert connection.version() == version.name.replace("v1_", "v1.")


def test_nothing_older_is_spoken(server, secret, trusting):
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        trusting.minimum_version = trusting.maximum_version = ssl.TLSVersion.TLSv1_1
    trusting.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        connect(server, trusting)
    assert CertificateFiles(*secret.files.values()).context().minimum_version == ssl.TLSVersion.TLSv1_2


def test_a_key_with_a_passphrase_is_refused_without_a_prompt(secret, tmp_path):
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_private_key(secret.files["tls_key"].read_bytes(), None)
    locked = tmp_path / "locked.pem"
    locked.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"word"),
        )
    )
    with pytest.raises(InvalidRequestError, match="cannot be used"):
        CertificateFiles(secret.files["tls_cert"], locked)


class TestOfOnesOwnMaking:
    NAMES = ("localhost", "127.0.0.1", "[::1]", "lab.example")

    @pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "lab.example"])
    def test_who_trusts_the_file_may_use_each_of_its_names(self, bench, tmp_path, name):
        made = self_signed(tmp_path / "tls", names=self.NAMES)
        context = ssl.create_default_context(cafile=str(made.cert))
        context.verify_flags |= ssl.VERIFY_X509_STRICT  # as Python does from 3.13 on
        with (
            served(bench.app, tls_cert=made.cert, tls_key=made.key) as server,
            connect(server, context, name=name) as c,
        ):
            assert answers(c)
            shown = x509.load_der_x509_certificate(c.getpeercert(binary_form=True))  # type: ignore[arg-type]
        from cryptography.hazmat.primitives.hashes import SHA256

        assert shown.fingerprint(SHA256()).hex(":").upper() == made.fingerprint

    def test_a_client_trusts_it_by_its_file_and_still_trusts_others(self, bench, tmp_path, authority, monkeypatch):
        made = self_signed(tmp_path / "tls", names=self.NAMES)
        authority.cert_pem.write_to_path(str(tmp_path / "other.pem"))
        with served(bench.app, tls_cert=made.cert, tls_key=made.key) as server:
            with qdepot.Client(server.url, ca=made.cert) as client:
                assert client.version().api_version
            with qdepot.Client(server.url, ca=tmp_path / "other.pem") as client, pytest.raises(UnavailableError):
                client.version()
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "other.pem"))
        monkeypatch.setenv("QDEPOT_CA", str(made.cert))
        issued = Secret(tmp_path / "issued", authority)
        with served(bench.app, **issued.files) as server, qdepot.Client(server.url) as client:
            assert client.version().api_version

    def test_a_file_that_holds_no_certificate_is_named(self, tmp_path):
        for wrong in (tmp_path / "missing.pem", tmp_path):
            with pytest.raises(InvalidRequestError, match=str(wrong)):
                qdepot.Client("https://localhost:1", ca=wrong)

    def test_other_names_and_those_who_do_not_trust_it_are_refused(self, bench, tmp_path):
        made = self_signed(tmp_path / "tls", names=self.NAMES)
        with served(bench.app, tls_cert=made.cert, tls_key=made.key) as server:
            for context, name in (
                (ssl.create_default_context(cafile=str(made.cert)), "evil.example"),
                (ssl.create_default_context(), "localhost"),
            ):
                with pytest.raises(ssl.SSLCertVerificationError):
                    connect(server, context, name=name)

    def test_only_the_owner_can_read_the_key(self, tmp_path):
        before = os.umask(0)
        try:
            made = self_signed(tmp_path / "tls", names=self.NAMES)
        finally:
            os.umask(before)
        assert made.key.stat().st_mode & 0o777 == 0o600
        assert sorted(path.name for path in (tmp_path / "tls").iterdir()) == ["cert.pem", "key.pem"]

    def test_it_is_kept(self, tmp_path):
        made = self_signed(tmp_path, names=self.NAMES)
        assert self_signed(tmp_path, names=reversed(self.NAMES)).fingerprint == made.fingerprint

    @pytest.mark.parametrize("spoilt", ["names", "time", "key", "certificate"])
    def test_it_is_made_anew_when_it_does_not_serve_any_more(self, tmp_path, spoilt):
        made = self_signed(tmp_path, names=self.NAMES)
        now, names = datetime.now(UTC), self.NAMES
        if spoilt == "names":
            names = (*names, "another.example")
        elif spoilt == "time":
            now += timedelta(days=340)
        else:
            (made.key if spoilt == "key" else made.cert).write_text("nonsense")
        again = self_signed(tmp_path, names=names, now=now)
        assert again.fingerprint != made.fingerprint
        CertificateFiles(again.cert, again.key)
