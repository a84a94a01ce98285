"""qdepot health."""

from __future__ import annotations

import http.client
import ssl
from typing import TYPE_CHECKING, Annotated

import typer

from qdepot.cli.extras import needs_server
from qdepot.cli.server import Data, read_settings
from qdepot.errors import UnavailableError

if TYPE_CHECKING:
    from qdepot.config import Settings

_TIMEOUT_S = 5.0
_NEAREST = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - looked up, not listened on


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(health)


@needs_server
def health(
    ready: Annotated[bool, typer.Option("--ready", help="Also ask whether it can take and run jobs.")] = False,
    port: Annotated[int | None, typer.Option(help="Port it listens on.  [default: 8484]")] = None,
    data: Data = None,
) -> None:
    """Ask the service of this machine or container whether it is well; exit code 0 if it is."""
    settings = read_settings(port=port, data=data)
    status, answer = _asked(settings, "/readyz" if ready else "/healthz")
    typer.echo(answer)
    if status != http.client.OK:
        raise UnavailableError(f"the service answers {status}", solution="The answer names what is not well.")


def _asked(settings: Settings, path: str) -> tuple[int, str]:
    host = _NEAREST.get(settings.host.strip("[]"), settings.host)
    connection = _connection(settings, host)
    try:
        connection.request("GET", path, headers={"Host": "localhost"})
        response = connection.getresponse()
        return response.status, response.read().decode()
    except (OSError, http.client.HTTPException) as error:
        raise UnavailableError(
            f"no service answers at {host}, port {settings.port}: {error}",
            solution="Start one with `qdepot serve`; this command reads the same settings.",
        ) from error
    finally:
        connection.close()


def _connection(settings: Settings, host: str) -> http.client.HTTPConnection:
    if settings.tls is None and settings.tls_cert is None:
        return http.client.HTTPConnection(host, settings.port, timeout=_TIMEOUT_S)
    # The certificate is for the names that others use. No secret is sent, and nobody is between this and loopback.
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return http.client.HTTPSConnection(host, settings.port, timeout=_TIMEOUT_S, context=context)
