"""Where content lies: which bytes under which key, over an object store."""

from qdepot.archive.archive import Archive, StoredRequest
from qdepot.archive.packing import Completion, StoredBundle
from qdepot.archive.request import RequestRecord

__all__ = ["Archive", "Completion", "RequestRecord", "StoredBundle", "StoredRequest"]
