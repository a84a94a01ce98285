"""How to reach an object store in a cloud, or one that speaks a cloud's language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, S3Store

from qdepot.adapters.object_stores.causes import cause_of
from qdepot.errors import InvalidRequestError
from qdepot.ports.settings import HIDDEN

if TYPE_CHECKING:  # names that the library has for type checkers alone
    from obstore.store import AzureConfig, ClientConfig, GCSConfig, RetryConfig, S3Config

_SHORTEST_SECRET = 8
"""What is shorter is a word such as `true`, which may stand in any text."""

CloudClient = S3Store | GCSStore | AzureStore


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudOptions:
    """What the URL of a store does not say. Nothing here is needed for a bucket at its own cloud.

    Attributes:
        endpoint: URL of an S3-compatible server; ``http://`` only where the network itself is trusted.
        region: Of the bucket.
        path_style: The bucket is a part of the path, not of the host name; None: where there is an ``endpoint``, as
            most S3-compatible servers want it.
        access_key_id, secret_access_key, session_token: S3 credentials. Without them the usual chain of places is
            searched: environment, web identity, and the metadata service of the machine or container.
        root_certificate: A further authority to trust, PEM.
        server_side_encryption: ``AES256``, ``aws:kms`` or ``aws:kms:dsse``.
        kms_key_id: The key for the latter two.
        create_buckets: A bucket that is not there is made by the first check (S3 alone).
        more: Further settings by their names in the library ``obstore``, also those of Google Cloud Storage and Azure
            (of which the latter must be told its ``account_name``).
        connect_timeout_s: Longest wait for a connection.
        timeout_s: Longest request, including the bytes of a large object.
        silence_s: Longest wait for the next bytes of an answer. Without it a silent store would hold up a submit for as
            long as a large object may take. It does not bind writes of large objects, which are silent by nature.
        retries: How often a request is repeated that failed in a way which may pass.
        retry_for_s: No request is repeated later than so many seconds after its first try.
    """

    endpoint: str | None = None
    region: str | None = None
    path_style: bool | None = None
    access_key_id: str | None = None
    secret_access_key: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)
    root_certificate: str | None = field(default=None, repr=False)
    server_side_encryption: str | None = None
    kms_key_id: str | None = None
    create_buckets: bool = False
    more: Mapping[str, str] = field(default_factory=dict, repr=False)
    connect_timeout_s: float = 5.0
    timeout_s: float = 60.0
    silence_s: float = 20.0
    retries: int = 3
    retry_for_s: float = 15.0

    def client(self, url: str, *, patient: bool = False) -> CloudClient:
        """A client for ``s3://bucket/prefix``, ``gs://bucket/prefix`` or ``az://container/prefix``.

        Args:
            url: Of the store.
            patient: It bears silence for as long as a request may take.

        Raises:
            InvalidRequestError: The URL names no cloud, or an option has no meaning there.
        """
        makers: dict[str, Callable[[str, ClientConfig], CloudClient]] = {
            "s3": self._s3,
            "gs": self._gcs,
            "az": self._azure,
        }
        maker = makers.get(urlsplit(url).scheme)
        if maker is None:
            raise InvalidRequestError(
                f"the URL of an object store begins with {', '.join(f'{scheme}://' for scheme in makers)}",
                solution="For a local folder give its path.",
            )
        try:
            return maker(url, self._client(patient=patient))
        except (BaseError, ValueError) as error:
            cause = self._without_secrets(cause_of(error))
        # Without the library's error as its cause, which may quote a secret.
        raise InvalidRequestError(
            f"the object store {url} cannot be set up: {cause}", solution="Look at the settings under `store`."
        )

    def _without_secrets(self, text: str) -> str:
        """What the library says of a wrong option, which may be its value."""
        secrets = [self.access_key_id, self.secret_access_key, self.session_token, self.kms_key_id]
        for secret in filter(None, [*secrets, self.root_certificate, *self.more.values()]):
            if len(secret) >= _SHORTEST_SECRET:
                text = text.replace(secret, HIDDEN)
        return text

    def _s3(self, url: str, client: ClientConfig) -> S3Store:
        given = {
            "endpoint": self.endpoint,
            "region": self.region,
            "access_key_id": self.access_key_id,
            "secret_access_key": self.secret_access_key,
            "session_token": self.session_token,
            "server_side_encryption": self.server_side_encryption,
            "sse_kms_key_id": self.kms_key_id,
        }
        path_style = self.endpoint is not None if self.path_style is None else self.path_style
        named = {name: value for name, value in given.items() if value is not None}
        config = cast("S3Config", {"virtual_hosted_style_request": not path_style, **named, **self.more})
        return S3Store.from_url(url, config=config, client_options=client, retry_config=self._retry())

    def _gcs(self, url: str, client: ClientConfig) -> GCSStore:
        config = cast("GCSConfig", dict(self.more))
        return GCSStore.from_url(url, config=config, client_options=client, retry_config=self._retry())

    def _azure(self, url: str, client: ClientConfig) -> AzureStore:
        config = cast("AzureConfig", dict(self.more))
        return AzureStore.from_url(url, config=config, client_options=client, retry_config=self._retry())

    def _client(self, *, patient: bool) -> ClientConfig:
        config: ClientConfig = {
            "connect_timeout": timedelta(seconds=self.connect_timeout_s),
            "timeout": timedelta(seconds=self.timeout_s),
            "allow_http": (self.endpoint or "").startswith("http://"),
        }
        if not patient:
            config["read_timeout"] = timedelta(seconds=self.silence_s)
        if self.root_certificate is not None:
            config["root_certificate"] = self.root_certificate
        return config

    def _retry(self) -> RetryConfig:
        return {
            "max_retries": self.retries,
            "retry_timeout": timedelta(seconds=self.retry_for_s),
            "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=2), "base": 2},
        }
