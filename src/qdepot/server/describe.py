"""Write the OpenAPI document of this version: ``python -m qdepot.server.describe docs/reference/openapi.json``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from qdepot.server.app import ServerParts, build_app
from qdepot.services.backends import Backends
from qdepot.services.doubts import Doubts
from qdepot.services.health import Health
from qdepot.services.jobs import Jobs
from qdepot.services.tokens import Tokens


def openapi_text() -> str:
    """The document as it is committed."""
    # The description is made of types alone: no service is asked anything, so none has to be there.
    jobs, doubts, backends = Jobs.__new__(Jobs), Doubts.__new__(Doubts), Backends.__new__(Backends)
    tokens = Tokens.__new__(Tokens)
    health = Health(checks={})
    parts = ServerParts(jobs=jobs, doubts=doubts, backends=backends, tokens=tokens, health=health, version="")
    return json.dumps(build_app(parts).openapi(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(openapi_text(), encoding="utf-8")
