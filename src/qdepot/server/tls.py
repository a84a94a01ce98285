"""HTTPS with certificate files that may be renewed while the service runs."""

from __future__ import annotations

import logging
import os
import ssl
from pathlib import Path

from qdepot.errors import InvalidRequestError

logger = logging.getLogger(__name__)

_Stamp = tuple[tuple[int, int, int], ...]


class CertificateFiles:
    """A certificate chain and its key, which each new connection gets as they are in the files at that moment.

    The files are looked at (and, if they changed, read) when a connection begins: a renewal needs neither a restart
    nor a signal, also where it swaps a symbolic link, as Kubernetes does. Files that cannot be used are logged once,
    and the last good pair stays in force; so a moment in which only one of the two is new does no harm.
    """

    def __init__(self, cert: Path, key: Path) -> None:
        """Read the files.

        Args:
            cert: Certificate chain (PEM), the service's own certificate first.
            key: Its private key (PEM), without a passphrase.

        Raises:
            InvalidRequestError: They cannot be used.
        """
        self._cert, self._key = cert, key
        self._seen = self._stamp()
        try:
            self._current = self._read()
        except (OSError, ssl.SSLError) as error:
            raise InvalidRequestError(
                f"the TLS files {cert} and {key} cannot be used: {error}",
                solution="Give a certificate chain and its private key as PEM files that this user can read, the key "
                "without a passphrase.",
            ) from error
        self._front = self._read()
        self._front.sni_callback = self._choose

    def context(self) -> ssl.SSLContext:
        """For a server: TLS 1.2 and later."""
        return self._front

    def _choose(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        """Called in the middle of each handshake, also without a server name."""
        stamp = self._stamp()
        if stamp != self._seen:
            self._renew(stamp)
        connection.context = self._current

    def _renew(self, stamp: _Stamp | None) -> None:
        self._seen = stamp
        try:
            self._current = self._read()
        except (OSError, ssl.SSLError) as error:
            logger.error(
                "tls_files_unusable", extra={"cert": str(self._cert), "key": str(self._key), "why": str(error)}
            )
        else:
            logger.info("tls_files_renewed", extra={"cert": str(self._cert)})

    def _read(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # An empty passphrase turns a prompt on the terminal, which nobody would answer, into an error.
        context.load_cert_chain(self._cert, self._key, password="")
        return context

    def _stamp(self) -> _Stamp | None:
        """What changes whenever the files do; None while one of them is missing."""
        try:
            found = [os.stat(path) for path in (self._cert, self._key)]
        except OSError:
            return None
        return tuple((file.st_ino, file.st_mtime_ns, file.st_size) for file in found)
