from __future__ import annotations

import json

import pytest

from qdepot import installation


@pytest.mark.parametrize(
    ("origin", "command"),
    [
        (None, 'pip install "qdepot[server,aer]"'),
        ({"url": "https://index.example.org/qdepot.whl"}, 'pip install "qdepot[server,aer]"'),
        (
            {"url": "file:///home/ada/my%20src/qdepot", "dir_info": {"editable": True}},
            'pip install --editable "/home/ada/my src/qdepot[server,aer]"',
        ),
        ({"url": "file:///home/ada/qdepot", "dir_info": {}}, 'pip install "/home/ada/qdepot[server,aer]"'),
        (
            {"url": "file:///srv/qdepot-0.1.0-py3-none-any.whl", "archive_info": {}},
            'pip install "/srv/qdepot-0.1.0-py3-none-any.whl[server,aer]"',
        ),
        ("not JSON", 'pip install "qdepot[server,aer]"'),
    ],
)
def test_advice_names_the_folder_or_wheel_that_was_installed(monkeypatch, origin, command):
    class Distribution:
        def read_text(self, name: str) -> str | None:
            assert name == "direct_url.json"
            return origin if origin is None or isinstance(origin, str) else json.dumps(origin)

    monkeypatch.setattr(installation, "distribution", lambda name: Distribution())
    assert installation.install_command("server", "aer") == command
