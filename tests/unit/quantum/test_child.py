from __future__ import annotations

import pytest

from qdepot.quantum import child
from qdepot.quantum.worker import named
from qdepot.testing import drill


@pytest.mark.parametrize("place", [*child.TABLE.operations.values(), child.TABLE.preload, *drill.OPERATIONS.values()])
def test_what_a_table_names_exists(place):
    assert callable(named(place))


def test_children_of_a_service_have_no_drill_operations():
    assert not child.TABLE.operations.keys() & drill.OPERATIONS.keys()
