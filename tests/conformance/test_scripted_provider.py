"""The scripted cloud in memory keeps the contract, whatever it can and cannot do."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from qdepot.adapters.system_clock import SystemClock
from qdepot.testing.provider import ProviderConformance
from qdepot.testing.scripted import BulkScriptedProvider, ScriptedProvider
from support.broken_providers import InHand


class OnPaper(ProviderConformance):
    @pytest.fixture
    def provider(self):
        return ScriptedProvider(clock=SystemClock())

    @pytest.fixture
    def second_provider(self, provider):
        # what `replace` does not name is shared: the jobs of the cloud
        return replace(provider)

    @pytest.fixture
    def outside(self, provider):
        return InHand(provider)


class TestThatCanDoNothingMore(OnPaper):
    pass


class TestThatTakesAKey(OnPaper):
    @pytest.fixture
    def provider(self):
        return ScriptedProvider(clock=SystemClock(), takes_key=True)


class TestThatIsSearchedByTag(OnPaper):
    @pytest.fixture
    def provider(self):
        return ScriptedProvider(clock=SystemClock(), finds_by_tag=True, visibility_delay=timedelta(seconds=0.01))


class TestThatIsAskedInBulk(OnPaper):
    @pytest.fixture
    def provider(self):
        return BulkScriptedProvider(clock=SystemClock(), takes_key=True)
