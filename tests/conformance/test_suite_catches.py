"""The suite of providers is tested: for each of its tests there is a provider that it must catch."""

from __future__ import annotations

import inspect
from datetime import timedelta
from typing import ClassVar

import pytest

from qdepot.adapters.system_clock import SystemClock
from qdepot.testing.provider import ProviderConformance
from support.broken_providers import BROKEN, SECRET, InHand, Sound, second


class Suite(ProviderConformance):
    """Run by hand here: pytest does not collect it."""

    __test__ = False
    secrets: ClassVar = (SECRET,)
    patience_s: ClassVar = 0.5


class Request:
    """What the suite asks of pytest's."""

    def __init__(self, provider):
        self.provider = provider

    def getfixturevalue(self, name):
        return InHand(self.provider) if name == "outside" else second(self.provider)


def run(name, provider_class, caplog):
    provider = provider_class(
        clock=SystemClock(), takes_key=True, finds_by_tag=True, visibility_delay=timedelta(seconds=0.01)
    )
    suite = Suite()
    test = getattr(suite, name)
    known = {
        "provider": provider,
        "backend": suite.find_backend(provider),
        "request": Request(provider),
        "caplog": caplog,
        "leave": lambda outside: outside.let_run(),
    }
    test(**{name: known[name] for name in inspect.signature(test).parameters})


def test_each_test_of_the_suite_has_a_provider_that_breaks_its_rule():
    names = {name for name, _ in inspect.getmembers(ProviderConformance, inspect.isfunction)}
    assert set(BROKEN) == {name for name in names if name.startswith("test_")}


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_a_sound_provider_passes(name, caplog):
    run(name, Sound, caplog)


@pytest.mark.parametrize(("name", "provider_class"), sorted(BROKEN.items()), ids=lambda it: getattr(it, "__name__", ""))
def test_a_provider_that_breaks_the_rule_is_caught(name, provider_class, caplog):
    try:
        run(name, provider_class, caplog)
    except pytest.skip.Exception:
        raise AssertionError(f"{name} was skipped") from None
    except (Exception, pytest.fail.Exception):
        return
    raise AssertionError(f"{provider_class.__name__} got through {name}")


def test_a_test_that_is_replaced_is_noticed():
    with pytest.raises(TypeError, match="replaces test_bit_0_is_rightmost"):
        type("Weak", (ProviderConformance,), {"test_bit_0_is_rightmost": lambda self: None})


def test_a_test_that_is_expected_to_fail_needs_a_reason():
    def test_bit_0_is_rightmost(self):
        raise AssertionError

    with pytest.raises(TypeError):
        type("Weak", (ProviderConformance,), {"test_bit_0_is_rightmost": pytest.mark.xfail(test_bit_0_is_rightmost)})


def test_a_test_that_is_expected_to_fail_may_say_so():
    @pytest.mark.xfail(reason="this vendor counts bits from the left")
    def test_bit_0_is_rightmost(self):
        raise AssertionError

    type("Honest", (ProviderConformance,), {"test_bit_0_is_rightmost": test_bit_0_is_rightmost})
