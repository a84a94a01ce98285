from __future__ import annotations

import pytest

from qdepot.adapters.object_stores.local import LocalStore
from qdepot.testing.object_store import ObjectStoreConformance


class TestLocalStore(ObjectStoreConformance):
    @pytest.fixture
    def store(self, tmp_path):
        return LocalStore(tmp_path / "new" / "store")
