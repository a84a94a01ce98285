from datetime import timedelta

import pytest

from qdepot.testing.clock import FrozenClock


def test_time_stands_still_by_itself():
    clock = FrozenClock()
    assert (clock.now(), clock.monotonic(), clock.boot_id()) == (clock.now(), clock.monotonic(), clock.boot_id())


def test_both_hands_advance_together():
    clock = FrozenClock()
    now, monotonic = clock.now(), clock.monotonic()
    clock.advance(2.5)
    assert clock.now() - now == timedelta(seconds=2.5)
    assert clock.monotonic() - monotonic == 2.5


def test_time_does_not_go_back():
    with pytest.raises(ValueError, match="back"):
        FrozenClock().advance(-1)


def test_a_jump_of_the_time_of_day_leaves_the_other_hand_alone():
    clock = FrozenClock()
    monotonic = clock.monotonic()
    clock.set_now(clock.now() - timedelta(days=1))
    assert clock.monotonic() == monotonic


def test_a_reboot_begins_a_new_count():
    clock = FrozenClock()
    boot, monotonic = clock.boot_id(), clock.monotonic()
    clock.reboot()
    assert clock.boot_id() != boot
    assert clock.monotonic() < monotonic
