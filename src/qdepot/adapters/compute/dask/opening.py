"""Opens a pool on a Dask cluster. Unlike the pool itself, this can be loaded without ``distributed``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qdepot.adapters.compute.dask.options import ClusterOptions
from qdepot.errors import InvalidRequestError, UnavailableError
from qdepot.installation import install_command
from qdepot.ports.compute_pool import ComputePool

if TYPE_CHECKING:
    from qdepot.adapters.compute.dask.pool import DaskPool


def open_dask_pool(options: ClusterOptions, *, checks: ComputePool) -> DaskPool:
    """A pool whose runs are done by the workers of a cluster; it connects in the background.

    Args:
        options: Where the cluster is.
        checks: The pool that does checks, here.

    Raises:
        InvalidRequestError: The address is none of TCP or TLS.
        UnavailableError: The library is not installed.
    """
    if not options.scheduler.startswith(("tcp://", "tls://")):
        raise InvalidRequestError(
            f"{options.scheduler!r} is not the address of a Dask scheduler",
            solution="Set dask.scheduler to tcp://host:8786 or tls://host:8786.",
        )
    try:
        # Only where there is a cluster: it takes a second to load.
        from qdepot.adapters.compute.dask.pool import DaskPool
    except ImportError as error:
        raise UnavailableError(
            f"a Dask cluster is reached by a library that is missing: {error.name}",
            solution=install_command("dask"),
        ) from error
    return DaskPool(options, checks=checks)
