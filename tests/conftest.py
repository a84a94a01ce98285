"""Real servers that tests of several folders use: one of each a run, started when somebody asks.

What they need is imported only then: the tests of the client run where it is not installed.
"""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session", autouse=True)
def _no_log_ins_of_the_developer(tmp_path_factory):
    """Clients, also those of other processes, find the log-ins of the tests alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
        yield


@pytest.fixture(scope="session")
def postgres():
    """A PostgreSQL server."""
    from qdepot.testing.postgres import NoPostgresError, postgres_server

    try:
        with postgres_server() as server:
            yield server
    except NoPostgresError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory):
    """An S3 server."""
    from qdepot.testing import seaweedfs

    if seaweedfs.binary() is None:
        pytest.skip(f"there is no S3 server here: {seaweedfs.INSTALL}")
    with seaweedfs.running(tmp_path_factory.mktemp("seaweedfs")) as server:
        yield server
