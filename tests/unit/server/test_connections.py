"""There is room for those who ask for something, whoever only holds connections open."""

from __future__ import annotations

import ipaddress
import resource

import pytest

from qdepot.server import connections
from qdepot.server.connections import ConnectionLimits, Connections, raise_open_files
from qdepot.server.http_protocol import Pace


class Open:
    def __init__(self, address="192.0.2.1", *, is_idle=True):
        self.address, self.is_idle, self.is_dropped = address, is_idle, False

    def drop(self):
        self.is_dropped = True


def filled(limits, connections):
    found = Connections(limits)
    assert all(found.add(each) for each in connections)
    return found


def test_the_oldest_without_a_request_makes_room_for_a_new_one():
    busy, old, new = Open(is_idle=False), Open(), Open()
    found = filled(ConnectionLimits(most=2), [busy, old])
    assert found.add(new)
    assert (busy.is_dropped, old.is_dropped, new.is_dropped) == (False, True, False)
    assert len(found) == 2


def test_where_all_work_there_is_no_room():
    found = filled(ConnectionLimits(most=2), [Open(is_idle=False), Open(is_idle=False)])
    assert not found.add(Open())
    assert len(found) == 2


def test_an_address_with_all_that_it_may_have_loses_its_own_and_not_others():
    other, first, second = Open("192.0.2.2"), Open(), Open()
    found = filled(ConnectionLimits(most=100, most_per_address=2), [other, first, second])
    assert found.add(Open())
    assert (other.is_dropped, first.is_dropped) == (False, True)


def test_room_for_all_is_made_by_the_address_that_has_most():
    one, many = Open("192.0.2.2"), [Open() for _ in range(3)]
    found = filled(ConnectionLimits(most=4), [one, *many])
    assert found.add(Open("192.0.2.3"))
    assert [each.is_dropped for each in (one, *many)] == [False, True, False, False]


@pytest.mark.parametrize("address", ["192.0.2.1", "no address"])
def test_many_clients_may_come_by_a_trusted_proxy(address):
    limits = ConnectionLimits(most_per_address=1, proxies=(ipaddress.ip_network("192.0.2.0/24"),))
    first = Open(address)
    found = filled(limits, [first, Open(address)])
    assert len(found) == (2 if address == "192.0.2.1" else 1)


def test_a_closed_connection_is_forgotten():
    only = Open()
    found = filled(ConnectionLimits(most=1), [only])
    found.remove(only)
    found.remove(only)
    assert len(found) == 0
    assert found.add(Open(is_idle=False))


def test_there_are_no_more_connections_than_open_files_allow(caplog):
    assert ConnectionLimits(most=2000).within(1024).most == 1024 - connections._OWN_FILES
    assert "fewer_connections" in caplog.text
    assert ConnectionLimits(most=2000).within(100_000).most == 2000


def test_open_files_are_raised_to_what_the_system_allows(monkeypatch):
    found = {"limits": (1024, 4096)}
    monkeypatch.setattr(resource, "getrlimit", lambda _: found["limits"])
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: found.update(limits=limits))
    assert raise_open_files() == 4096
    assert found["limits"] == (4096, 4096)
    assert raise_open_files() == 4096


def test_open_files_without_a_limit_become_many_and_not_all(monkeypatch):
    found = {"limits": (1024, resource.RLIM_INFINITY)}
    monkeypatch.setattr(resource, "getrlimit", lambda _: found["limits"])
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: found.update(limits=limits))
    assert raise_open_files() == 65_536
    assert found["limits"] == (65_536, resource.RLIM_INFINITY)


def test_what_was_done_too_fast_is_paid_for_by_waiting():
    pace = Pace(10.0)
    assert pace.delay_s(5, now=100.0) == pytest.approx(0.5)
    assert pace.delay_s(5, now=100.0) == pytest.approx(1.0)
    assert pace.delay_s(5, now=200.0) == pytest.approx(0.5)
