"""qdepot serve, qdepot config."""

from __future__ import annotations

import json
import socket
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qdepot.cli.extras import needs_server
from qdepot.cli.log_lines import set_up_log
from qdepot.errors import InvalidRequestError

if TYPE_CHECKING:
    from qdepot.config import Settings
    from qdepot.server.listening import Listening
    from qdepot.server.tls_self_signed import SelfSigned

Data = Annotated[Path | None, typer.Option(help="Folder of ledger and objects.  [default: ./qdepot-data]")]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(serve)
    app.command()(config)


@needs_server
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.  [default: 127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option(help="Port; 0 takes a free one.  [default: 8484]")] = None,
    data: Data = None,
    reconciler: Annotated[bool, typer.Option(help="Also run the jobs; if not, run `qdepot reconcile`.")] = True,
    tls_cert: Annotated[Path | None, typer.Option(help="Certificate chain (PEM): serve HTTPS.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Private key (PEM) of the certificate.")] = None,
    tls: Annotated[
        str | None,
        typer.Option(metavar="self-signed", help="Serve HTTPS with a certificate that qdepot makes."),
    ] = None,
    plain_http: Annotated[
        bool | None,
        typer.Option("--plain-http", help="Allow plain HTTP beyond this machine: a proxy does TLS."),
    ] = None,
) -> None:
    """Start the service: REST API, ledger, archive and, unless told otherwise, the reconciler."""
    from qdepot.cli.local_tokens import ensure_first_token
    from qdepot.server.serve import serve as run_server
    from qdepot.wiring import build_app, running_service

    settings = read_settings(
        host=host, port=port, data=data, tls_cert=tls_cert, tls_key=tls_key, tls=tls, plain_http=plain_http
    )
    listening = _listening(settings)
    listening.check()  # before anything is opened or started
    with running_service(settings, reconciler=reconciler) as parts:
        ensure_first_token(parts.access.tokens, settings)
        run_server(
            build_app(parts),
            listening,
            on_ready=lambda url: typer.echo(_ready_text(url, settings)),
        )


@needs_server
def config() -> None:
    """Show the settings in force; those that may be secret are hidden."""
    from qdepot.wiring.provider_settings import shown_settings

    typer.echo(json.dumps(shown_settings(read_settings()), indent=2))


def _ready_text(url: str, settings: Settings) -> str:
    return f"qdepot is ready at {url} (API: {url}/docs)\nData folder: {settings.data.absolute()}. Ctrl-C stops it."


def _listening(settings: Settings) -> Listening:
    """Where the service listens; makes the certificate if it has to make its own."""
    from qdepot.server.connections import ConnectionLimits
    from qdepot.server.forwarded import networks_of
    from qdepot.server.listening import Listening

    listening = Listening(
        host=settings.host,
        port=settings.port,
        tls_cert=settings.tls_cert,
        tls_key=settings.tls_key,
        plain_http=settings.plain_http,
        authenticated=settings.auth == "tokens",
        connections=ConnectionLimits(
            most=settings.max_connections,
            most_per_address=settings.max_connections_per_address,
            proxies=networks_of(settings.trusted_proxies),
            head_timeout_s=settings.head_timeout_s,
            body_timeout_s=settings.body_timeout_s,
        ),
    )
    if settings.tls is None:
        return listening
    if settings.tls_cert is not None or settings.tls_key is not None:
        raise InvalidRequestError(
            "there is a certificate, and --tls self-signed asks for another one",
            solution="Give --tls-cert and --tls-key, or --tls self-signed.",
        )
    made = _own_certificate(settings)
    return replace(listening, tls_cert=made.cert, tls_key=made.key)


def _own_certificate(settings: Settings) -> SelfSigned:
    from qdepot.server.gate import names_of
    from qdepot.server.tls_self_signed import self_signed

    names = names_of(settings.host, allowed_hosts=settings.allowed_hosts, public_url=settings.public_url)
    bare = {name if name.startswith("[") else name.partition(":")[0] for name in names}
    made = self_signed(settings.data.absolute() / "tls", names={*bare, socket.gethostname()})
    typer.echo(f"the certificate signs itself; SHA-256 fingerprint {made.fingerprint}")
    typer.echo(f"clients trust it by a copy of this file: QDEPOT_CA={made.cert}")
    return made


def read_settings(**given: Any) -> Settings:  # noqa: ANN401 - whatever the command line gave
    """Settings from the command line, the environment and the file, and logging set up by them."""
    from qdepot.config import Settings

    settings = Settings.read(**given)
    set_up_log(settings.log_level)
    return settings
