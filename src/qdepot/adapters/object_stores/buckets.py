"""Making a bucket where there is none: the one request that the library for objects does not know."""

from __future__ import annotations

import re
import ssl
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from qdepot.adapters.object_stores.causes import cause_of
from qdepot.adapters.object_stores.cloud_options import CloudOptions
from qdepot.errors import InvalidRequestError, UnavailableError

_CODE = re.compile(r"<Code>(\w+)</Code>")
_OURS_ALREADY = "BucketAlreadyOwnedByYou"
_WITHOUT_CONSTRAINT = "us-east-1"
_BODY = (
    '<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
    "<LocationConstraint>{region}</LocationConstraint></CreateBucketConfiguration>"
)


def make_bucket(url: str, options: CloudOptions) -> None:
    """Make the bucket of an ``s3://`` URL; one that is there, and ours, is fine.

    Raises:
        InvalidRequestError: It is no bucket of S3: those of other clouds hang on a project or an account.
        UnavailableError: The store does not answer, or refuses.
    """
    name = urlsplit(url).netloc
    client = options.client(f"s3://{name}") if urlsplit(url).scheme == "s3" else None
    if not isinstance(client, S3Store):
        raise InvalidRequestError(
            f"the bucket of {url} cannot be made from here", solution="Make it with the cloud's own tools."
        )
    try:
        # A signed address of nothing in the bucket is that of the bucket itself.
        signed = obstore.sign(client, "PUT", "", timedelta(minutes=1))
        answer = httpx.put(
            signed, content=_body(signed), verify=_trusted(options), timeout=options.timeout_s, trust_env=False
        )
    except (BaseError, httpx.HTTPError, ValueError) as error:
        raise UnavailableError(
            f"the bucket {name} cannot be made: {cause_of(error)}", solution=_solution(name)
        ) from error
    code = _CODE.search(answer.text)
    if not answer.is_success and not (code and code[1] == _OURS_ALREADY):
        what = code[1] if code else "no reason given"
        raise UnavailableError(
            f"the bucket {name} cannot be made: {answer.status_code} {what}", solution=_solution(name)
        )


def _body(signed_url: str) -> bytes:
    """Where the bucket shall be: the region for which the address is signed."""
    [scope] = parse_qs(urlsplit(signed_url).query)["X-Amz-Credential"]
    region = scope.split("/")[-3]
    return b"" if region == _WITHOUT_CONSTRAINT else _BODY.format(region=region).encode()


def _trusted(options: CloudOptions) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if options.root_certificate is not None:
        context.load_verify_locations(cadata=options.root_certificate)
    return context


def _solution(name: str) -> str:
    return f"Make the bucket {name} by hand, or give the credentials the right s3:CreateBucket."
