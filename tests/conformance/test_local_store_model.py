"""A local folder and memory answer alike, whatever is done in whatever order."""

from __future__ import annotations

import io
import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from qdepot.adapters.object_stores.local import LocalStore
from qdepot.adapters.object_stores.memory import MemoryStore
from qdepot.errors import QDepotError

KEYS = st.sampled_from(["a", "b/1", "b/2", "b/12", "b/c/1", "d/e/f/g", "..."])
PREFIXES = st.sampled_from(["", "a", "b", "b/", "b/1", "b/c", "b/c/", "d/e", ".", "x", "a/"])
CONTENTS = st.binary(max_size=40)


def answer(verb):
    """What a call gives, or the kind of its refusal."""
    try:
        return verb()
    except QDepotError as error:
        return error.code


class Stores(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        self.local = LocalStore(self.root / "store")
        self.memory = MemoryStore()

    def teardown(self):
        shutil.rmtree(self.root)

    def both(self, verb):
        assert answer(lambda: verb(self.local)) == answer(lambda: verb(self.memory))

    @rule(key=KEYS, content=CONTENTS, as_file=st.booleans())
    def create(self, key, content, as_file):
        self.both(lambda store: store.create(key, io.BytesIO(content) if as_file else content))

    @rule(objects=st.lists(st.tuples(KEYS, CONTENTS), max_size=4))
    def create_many(self, objects):
        self.both(lambda store: store.create_many(objects))

    @rule(key=KEYS, content=CONTENTS)
    def replace(self, key, content):
        self.both(lambda store: store.replace(key, content))

    @rule(keys=st.lists(KEYS, max_size=3))
    def delete(self, keys):
        self.both(lambda store: store.delete(keys))

    @rule(key=KEYS, start=st.integers(0, 50), length=st.integers(0, 50))
    def read(self, key, start, length):
        self.both(lambda store: store.get(key))
        self.both(lambda store: store.head(key))
        self.both(lambda store: store.get_range(key, start=start, length=length))

    @rule(prefix=PREFIXES)
    def scan(self, prefix):
        self.both(lambda store: sorted((info.key, info.size_bytes) for info in store.scan(prefix)))

    @rule()
    def reopen(self):
        self.local = LocalStore(self.root / "store")

    @invariant()
    def no_draft_is_left(self):
        drafts = self.root / "store" / "~drafts"
        assert not drafts.exists() or not any(drafts.iterdir())


TestStores = Stores.TestCase
TestStores.settings = settings(
    max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
