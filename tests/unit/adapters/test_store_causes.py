"""An error of a store in a cloud is one line, with its cause."""

from __future__ import annotations

from datetime import timedelta

import obstore
import pytest
from obstore.exceptions import BaseError
from obstore.store import S3Store

from qdepot.adapters.object_stores.causes import cause_of

DENIED = """Generic S3 error: Error performing PUT http://s3/b/x in 3ms - Server returned non-2xx status code: 403: \
<?xml version="1.0" encoding="UTF-8"?>
<Error><Code>AccessDenied</Code>
<Message>Access Denied.</Message><RequestId>17</RequestId></Error>

Debug source:
Generic { store: "S3", source: Client { status: 403, body: Some("<?xml ...") } }"""

UNTRUSTED = """Generic S3 error: Error performing GET https://s3/b/x - HTTP error: error sending request

Debug source:
Custom {
    kind: Other,
    error: Custom { kind: InvalidData, error: InvalidCertificate(UnknownIssuer) },
}"""


def test_what_a_store_answered_is_told():
    assert cause_of(Exception(DENIED)) == (
        "Generic S3 error: Error performing PUT http://s3/b/x in 3ms - Server returned non-2xx status code: "
        "403: AccessDenied: Access Denied."
    )


def test_a_certificate_that_nobody_trusts_is_told():
    assert cause_of(Exception(UNTRUSTED)).endswith("error sending request: InvalidCertificate(UnknownIssuer)")


def test_a_store_that_is_not_there_is_told_with_the_cause_of_the_system():
    store = S3Store(
        "bucket",
        endpoint="http://127.0.0.1:9",
        access_key_id="a",
        secret_access_key="b",
        region="x",
        client_options={"allow_http": True},
        retry_config={"max_retries": 0, "retry_timeout": timedelta(seconds=5)},
    )
    with pytest.raises(BaseError) as caught:
        obstore.get(store, "x")
    told = cause_of(caught.value)
    assert "127.0.0.1:9" in told
    assert told.endswith(": Connection refused")
    assert "\n" not in told


@pytest.mark.parametrize("text", ["", "one line", "a\nb\r\nc", "x" * 10_000, "<Error>", 'Debug source: message: "'])
def test_any_error_is_one_line_that_ends(text):
    told = cause_of(Exception(text))
    assert len(told) < 500
    assert not {"\n", "\r"} & set(told)
