"""Started by module name: the supervisor whose children work on circuits.

``python -m qdepot.quantum.child CONTROL_FD SERVICE_PID SANDBOX``
"""

from __future__ import annotations

from qdepot.quantum.supervisor import main
from qdepot.quantum.worker import Table

TABLE = Table(
    operations={
        "check": "qdepot.quantum.operations:check",
        "simulate": "qdepot.quantum.operations:simulate",
        "simulate_together": "qdepot.quantum.operations:simulate_together",
        "describe": "qdepot.quantum.operations:describe",
    },
    preload="qdepot.quantum.operations:preload",
)
"""What children of a service can do."""

if __name__ == "__main__":
    main(TABLE)
