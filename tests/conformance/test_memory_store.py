from __future__ import annotations

import pytest

from qdepot.adapters.object_stores.memory import MemoryStore
from qdepot.testing.object_store import ObjectStoreConformance


class TestMemoryStore(ObjectStoreConformance):
    @pytest.fixture
    def store(self):
        return MemoryStore()
