"""What every ledger must do: inherit :class:`LedgerConformance` and give it a fresh ledger."""

from qdepot.testing.ledger.suite import LedgerConformance
from qdepot.testing.ledger.validate import every_job, validate_ledger

__all__ = ["LedgerConformance", "every_job", "validate_ledger"]
