"""qdepot serve, qdepot config."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qdepot.cli.extras import needs_server

if TYPE_CHECKING:
    from qdepot.config import Settings

Data = Annotated[Path | None, typer.Option(help="Folder of ledger and objects.  [default: ./qdepot-data]")]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(serve)
    app.command()(config)


@needs_server
def serve(
    host: Annotated[str | None, typer.Option(help="Loopback address to listen on.  [default: 127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option(help="Port; 0 takes a free one.  [default: 8484]")] = None,
    data: Data = None,
    reconciler: Annotated[bool, typer.Option(help="Run the jobs, too; or leave that to `qdepot reconcile`.")] = True,
    tls_cert: Annotated[Path | None, typer.Option(help="Certificate chain (PEM): serve HTTPS.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Private key (PEM) of the certificate.")] = None,
) -> None:
    """Start the service: REST API, ledger, archive and, unless told otherwise, the reconciler."""
    from qdepot.server.serve import serve as run_server
    from qdepot.wiring import build_app, running_service

    settings = read_settings(host=host, port=port, data=data, tls_cert=tls_cert, tls_key=tls_key)
    with running_service(settings, reconciler=reconciler) as parts:
        run_server(
            build_app(parts),
            host=settings.host,
            port=settings.port,
            tls_cert=settings.tls_cert,
            tls_key=settings.tls_key,
            on_ready=lambda url: typer.echo(f"qdepot is ready at {url} (API: {url}/docs)"),
        )


@needs_server
def config() -> None:
    """Show the settings in force, secrets hidden."""
    typer.echo(json.dumps(read_settings().model_dump(mode="json"), indent=2))


def read_settings(**given: Any) -> Settings:  # noqa: ANN401 - whatever the command line gave
    """Settings from the command line, the environment and the file, and logging set up by them."""
    from qdepot.config import Settings

    settings = Settings.read(**given)
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for chatty in ("alembic", "uvicorn"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, logging.getLogger().level))
    return settings
