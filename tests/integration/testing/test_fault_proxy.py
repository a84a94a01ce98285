"""The proxy passes everything on, until it is told to break it."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import time

import pytest

from qdepot.testing.fault_proxy import Fault, FaultProxy
from support.listening import listening


class Shout(socketserver.StreamRequestHandler):
    """Answers each line in capitals, and notes all bytes that arrive."""

    def handle(self):
        with contextlib.suppress(OSError):
            while line := self.rfile.readline():
                self.server.heard.append(line)
                self.wfile.write(line.upper())


class TcpServer(socketserver.ThreadingTCPServer):
    daemon_threads = True


class UnixServer(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


@pytest.fixture(params=["tcp", "unix"])
def server(request, tmp_path):
    if request.param == "tcp":
        made, upstream = TcpServer(("127.0.0.1", 0), Shout), None
        upstream = made.server_address[1]
    else:
        upstream = tmp_path / "socket"
        made = UnixServer(str(upstream), Shout)
    made.heard, made.upstream = [], upstream
    with listening(made):
        yield made


@pytest.fixture
def proxy(server):
    with FaultProxy(server.upstream) as proxy:
        yield proxy


@pytest.fixture
def connect(proxy):
    opened = []

    def open_one():
        connection = socket.create_connection(("127.0.0.1", proxy.port), timeout=10)
        opened.append(connection)
        return connection

    yield open_one
    for connection in opened:
        connection.close()


def ask(connection, line=b"hello\n"):
    connection.sendall(line)
    return connection.recv(100)


def is_reset(connection):
    try:
        return ask(connection) == b""
    except (ConnectionResetError, BrokenPipeError):
        return True


def wait_for(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def test_without_a_fault_everything_passes(connect, proxy):
    first, second = connect(), connect()
    assert ask(first) == b"HELLO\n"
    assert ask(second, b"you\n") == b"YOU\n"
    assert ask(first, b"again\n") == b"AGAIN\n"
    assert proxy.connections == 2


def test_who_stops_speaking_still_hears_the_answer(connect):
    connection = connect()
    connection.sendall(b"last words\n")
    connection.shutdown(socket.SHUT_WR)
    assert connection.recv(100) == b"LAST WORDS\n"
    assert connection.recv(100) == b""


def test_a_delay_holds_each_piece_back(connect, proxy):
    proxy.play(Fault(delay_s=0.05))
    connection = connect()
    began = time.monotonic()
    assert ask(connection) == b"HELLO\n"
    assert time.monotonic() - began >= 0.1


def test_a_throttle_lets_so_much_through(connect, proxy):
    proxy.play(Fault(bytes_per_s=100_000))
    connection = connect()
    began = time.monotonic()
    assert ask(connection, b"x" * 9_999 + b"\n")
    assert time.monotonic() - began >= 0.1


def test_a_request_may_arrive_and_its_answer_not(connect, proxy, server):
    connection = connect()
    assert ask(connection) == b"HELLO\n"
    proxy.play(Fault(cut_after_answered=0))
    assert is_reset(connection)
    wait_for(lambda: server.heard == [b"hello\n", b"hello\n"])


def test_a_request_may_be_cut_in_its_middle(connect, proxy, server):
    proxy.play(Fault(cut_after_sent=8))
    connection = connect()
    connection.sendall(b"hello\nyou there\n")
    with contextlib.suppress(ConnectionResetError):
        connection.recv(100)
    wait_for(lambda: server.heard == [b"hello\n", b"yo"])


def test_a_black_hole_swallows_and_those_who_lost_something_are_told_in_the_end(connect, proxy, server):
    harmed, unharmed = connect(), connect()
    assert ask(harmed)
    assert ask(unharmed)
    proxy.play(Fault(black_hole=True))
    harmed.settimeout(0.2)
    with pytest.raises(TimeoutError):
        ask(harmed)
    proxy.heal()
    harmed.settimeout(10)
    assert is_reset(harmed)
    assert ask(unharmed) == b"HELLO\n"
    assert len(server.heard) == 3


def test_connections_are_refused_and_later_are_not(connect, proxy):
    connection = connect()
    assert ask(connection)
    proxy.play(Fault(refuse=True))
    assert is_reset(connection)
    with pytest.raises(ConnectionRefusedError):
        connect()
    proxy.heal()
    assert ask(connect()) == b"HELLO\n"


def test_connections_are_reset(connect, proxy):
    connection = connect()
    assert ask(connection)
    proxy.play(Fault(reset=True))
    assert is_reset(connection)
    with contextlib.suppress(ConnectionResetError):  # as early as this, on some machines
        assert is_reset(connect())


def test_a_server_that_is_not_there_looks_like_a_reset(tmp_path):
    with FaultProxy(tmp_path / "nobody") as proxy:
        with contextlib.suppress(ConnectionResetError):
            connection = socket.create_connection(("127.0.0.1", proxy.port))
            with connection:
                assert is_reset(connection)
        assert proxy.connections == 1


def test_what_clients_send_can_be_watched(server):
    seen = []
    with (
        FaultProxy(server.upstream, tap=seen.append) as proxy,
        socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as connection,
    ):
        assert ask(connection) == b"HELLO\n"
    assert b"".join(seen) == b"hello\n"
