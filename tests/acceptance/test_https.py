"""The service speaks HTTPS with the operator's certificate."""

from __future__ import annotations

import ssl

import httpx
import trustme

from support.service import Service


def test_https_with_a_certificate(tmp_path):
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    chain.write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    certificate.private_key_pem.write_to_path(str(key))
    context = ssl.create_default_context()
    authority.configure_trust(context)
    service = Service(tmp_path, options=("--tls-cert", str(chain), "--tls-key", str(key))).start(ready=False)
    try:
        assert service.url.startswith("https://")
        assert httpx.get(f"{service.url}/healthz", verify=context).status_code == 200
    finally:
        assert service.stop() == 0
