"""Where content lies: which bytes under which key, over an object store."""

from qdepot.archive.archive import Archive
from qdepot.archive.packing import Completion, StoredBundle
from qdepot.archive.request import RequestRecord
from qdepot.archive.request_shelf import StoredRequest

__all__ = ["Archive", "Completion", "RequestRecord", "StoredBundle", "StoredRequest"]
