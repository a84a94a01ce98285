"""Clients that send slowly, or not to the end, do not keep others from being answered."""

from __future__ import annotations

import logging
import resource
import socket
from contextlib import ExitStack, contextmanager

import httpx
import pytest

from qdepot.server.connections import ConnectionLimits, raise_open_files
from support.serving import address_of, served
from support.web import Bench

HALF_HEADS = 1500
HALF_HEAD = b"GET /healthz HTTP/1.1\r\nHost: local"
POST = b"POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
PATIENCE_S = 60


@contextmanager
def serving(bench, **limits):
    with served(bench.app, connections=ConnectionLimits(**limits)) as server:
        yield server


@contextmanager
def opened(server, count, sent):
    """Connections that have sent this, and that the server has taken up."""
    with ExitStack() as held:
        connections = []
        for _ in range(count):
            connection = held.enter_context(socket.create_connection(address_of(server), timeout=PATIENCE_S))
            connection.sendall(sent)
            connections.append(connection)
        yield connections


def rest_of(connection) -> bytes:
    """All that comes until the connection is closed."""
    pieces = []
    while True:
        try:
            piece = connection.recv(65_536)
        except ConnectionResetError:
            piece = b""
        if not piece:
            return b"".join(pieces)
        pieces.append(piece)


def test_1500_half_heads_are_closed_and_others_are_answered_meanwhile(bench: Bench):
    if raise_open_files() < 3 * HALF_HEADS:
        pytest.skip(f"this system allows {resource.getrlimit(resource.RLIMIT_NOFILE)} open files")
    limits = {"most": 2 * HALF_HEADS, "most_per_address": 2 * HALF_HEADS, "head_timeout_s": 2.0}
    with serving(bench, **limits) as server, opened(server, HALF_HEADS, HALF_HEAD) as connections:
        assert httpx.get(f"{server.url}/healthz", timeout=PATIENCE_S).status_code == 200
        answers = {rest_of(connection) for connection in connections}
        assert all(answer.startswith(b"HTTP/1.1 408") for answer in answers)
        assert httpx.get(f"{server.url}/healthz", timeout=PATIENCE_S).status_code == 200


def test_a_connection_that_was_opened_in_advance_is_closed_without_a_word(bench: Bench):
    with serving(bench, head_timeout_s=0.2) as server, opened(server, 1, b"") as [connection]:
        assert rest_of(connection) == b""


def test_beyond_the_bound_the_oldest_half_heads_give_way(bench: Bench):
    with serving(bench, most=20, head_timeout_s=600) as server, opened(server, 60, HALF_HEAD) as connections:
        assert httpx.get(f"{server.url}/healthz", timeout=PATIENCE_S).status_code == 200
        assert [rest_of(connection) for connection in connections[:40]] == [b""] * 40
        assert len(server.server_state.connections) <= 20


def test_a_body_that_does_not_come_is_given_up(bench: Bench, caplog):
    sent = POST + b'Content-Length: 1000\r\n\r\n{"backend"'
    with serving(bench, head_timeout_s=0.2, body_timeout_s=0.2) as server, opened(server, 1, sent) as [connection]:
        assert rest_of(connection).startswith(b"HTTP/1.1 408")
        assert httpx.get(f"{server.url}/healthz").status_code == 200
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_the_rest_of_a_refused_body_is_not_waited_for(bench: Bench):
    sent = POST.replace(b"json", b"nothing") + b"Content-Length: 1000\r\n\r\n{"
    with serving(bench, head_timeout_s=0.2, body_timeout_s=0.2) as server, opened(server, 1, sent) as [connection]:
        assert rest_of(connection).startswith(b"HTTP/1.1 415")


def test_who_waits_for_an_answer_is_not_slow(bench: Bench):
    job = bench.submit()
    with serving(bench, head_timeout_s=0.1, body_timeout_s=0.1) as server:
        answer = httpx.get(f"{server.url}/v1/jobs/{job.id}/status?wait=1", timeout=PATIENCE_S)
    assert answer.json()["status"] == "CREATED"


def test_a_kept_connection_has_time_for_each_of_its_requests(bench: Bench):
    with serving(bench, head_timeout_s=0.3) as server, opened(server, 1, b"") as [connection]:
        for _ in range(3):
            connection.sendall(HALF_HEAD + b"host\r\n\r\n")
            assert b'"ok"' in connection.recv(65_536)
        connection.sendall(HALF_HEAD)
        assert rest_of(connection) == b""


@pytest.mark.parametrize("announced", [b"Content-Length: 1000\r\n\r\n{", b"Transfer-Encoding: chunked\r\n\r\n5\r\n{"])
def test_a_client_that_hangs_up_within_its_body_is_a_line_in_the_log_and_no_error(bench: Bench, caplog, announced):
    caplog.set_level(logging.INFO, logger="qdepot")
    with serving(bench) as server:
        with opened(server, 1, POST + announced):
            assert httpx.get(f"{server.url}/healthz").status_code == 200
        while not [record for record in caplog.records if record.message == "client_hung_up"]:
            assert httpx.get(f"{server.url}/healthz").status_code == 200
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
