"""The rules that every sampler's entry keeps."""

from __future__ import annotations

import pytest

from qdepot.domain.result import check_sampler_entry
from qdepot.errors import InternalError


def _entry(memory, *, sets=2, register=None):
    counts = [{"01": 3}] * sets if sets else {"01": 3}
    found = {"num_bits": 2, "counts": counts, "memory": memory if register is None else register}
    return {"shots": 3, "counts": counts, "registers": {"c": found}, "memory": memory}


@pytest.mark.parametrize(("memory", "sets"), [([["01"] * 3] * 2, 2), (["01"] * 3, 0), ([["01"] * 3], 1), (None, 2)])
def test_memory_of_the_shape_of_counts_is_right(memory, sets):
    check_sampler_entry(_entry(memory, sets=sets))


@pytest.mark.parametrize(
    ("memory", "sets"),
    [
        (["01"] * 6, 2),
        (["011"] * 2, 2),
        ([["01"] * 3], 2),
        ([["01"] * 3, ["01"] * 2], 2),
        ([["01"] * 3], 0),
        (["01"] * 2, 0),
        ("01010", 0),
    ],
)
def test_memory_of_another_shape_is_refused(memory, sets):
    with pytest.raises(InternalError, match="memory"):
        check_sampler_entry(_entry(memory, sets=sets))


def test_memory_of_each_register_is_looked_at():
    with pytest.raises(InternalError, match="memory"):
        check_sampler_entry(_entry([["01"] * 3] * 2, register=["01"] * 6))
