"""No secret in a setting shows: not in `qdepot config`, not in errors of the start, not in the log.

Secrets are planted in every setting, under right and wrong names, with right and wrong types, inside URLs, in the
environment and in the file.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr, field_validator
from typer.testing import CliRunner

from qdepot.adapters.providers.aer import AerSettings
from qdepot.adapters.providers.scripted import ScriptedSettings
from qdepot.cli.app import build_app
from qdepot.config import Settings
from qdepot.ports.settings import HIDDEN, Public, is_public
from qdepot.wiring import provider_settings

SECRET = "hunter2-planted-secret"
HIDDEN_FIELDS = {
    "ledger",
    "admin_token",
    "providers",
    "store.access_key_id",
    "store.secret_access_key",
    "store.session_token",
    "store.kms_key_id",
    "store.more",
    "providers.scripted.token",
}
"""All settings that may be secret. A new setting has to be declared public, or to be added here."""

FREE_TEXT = {
    "data",
    "host",
    "tls_cert",
    "tls_key",
    "allowed_hosts",
    "trusted_proxies",
    "admin_token_file",
    "store_pending",
    "store_completed",
    "public_url",
    "dask.scheduler",
    "dask.tls_ca",
    "dask.tls_cert",
    "dask.tls_key",
    "store.endpoint",
    "store.region",
    "store.root_certificate",
    "store.server_side_encryption",
}
"""Public settings that are texts: what stands there is shown, unless it is a URL with credentials, or a file's text."""

URLS = {"store_pending", "store_completed", "public_url", "dask.scheduler", "store.endpoint", "providers.scripted.url"}
PATHS = {"data", "tls_cert", "tls_key", "admin_token_file", "dask.tls_ca", "dask.tls_cert", "dask.tls_key"} | {
    "store.root_certificate"
}
_SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


def _leaves(model: type[BaseModel], under: str = "") -> Iterator[tuple[str, bool]]:
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _leaves(field.annotation, f"{under}{name}.")
        else:
            yield f"{under}{name}", is_public(field)


LEAVES = {
    **dict(_leaves(Settings)),
    **dict(_leaves(AerSettings, "providers.aer.")),
    **dict(_leaves(ScriptedSettings, "providers.scripted.")),
}


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def shown(tmp_path, monkeypatch, caplog):
    """Runs commands with a file or with variables; everything that is shown by them."""
    caplog.set_level(logging.DEBUG)

    def run(*, file: str = "", variables: dict[str, str] | None = None, commands: tuple[str, ...] = ("config",)) -> str:
        (tmp_path / "qdepot.toml").write_text(file)
        caplog.clear()
        with monkeypatch.context() as patch:
            for name, value in (variables or {}).items():
                patch.setenv(name, value)
            answer = CliRunner().invoke(build_app(), ["--debug", *commands])
        return f"{answer.output}\n{answer.stderr}\n{caplog.text}\n{answer.exception!r}"

    return run


def _toml(name: str, value: object) -> str:
    """A file with one setting; a table and what a provider needs besides are put around it."""
    *tables, last = name.split(".")
    needed = 'url = "http://cloud.test"\n' if tables == ["providers", "scripted"] and last != "url" else ""
    header = f"[{'.'.join(tables)}]\n" if tables else ""
    return f"{header}{needed}{last} = {json.dumps(value)}\n"  # texts, lists and numbers look alike in both languages


def _variable(name: str, value: object) -> dict[str, str]:
    found = {f"QDEPOT_{name.replace('.', '__').upper()}": value if isinstance(value, str) else json.dumps(value)}
    if name.startswith("providers.scripted.") and name != "providers.scripted.url":
        found["QDEPOT_PROVIDERS__SCRIPTED__URL"] = "http://cloud.test"
    return found


def test_every_setting_is_either_declared_public_or_known_to_be_secret():
    assert {name for name, public in LEAVES.items() if not public} == HIDDEN_FIELDS
    assert LEAVES.keys() - HIDDEN_FIELDS >= FREE_TEXT | URLS | PATHS


def _planted(name: str) -> Iterator[object]:
    """What somebody might write there by mistake, each with the secret in it."""
    if name not in FREE_TEXT:
        yield SECRET
    if name in PATHS:
        yield f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----\n"
    if name in URLS | HIDDEN_FIELDS:
        yield f"https://user:{SECRET}@cloud.test/x"
        yield f"https://{SECRET}@cloud.test"
        yield f"https://cloud.test/?sig={SECRET}"
        yield f"https://cloud.test/#{SECRET}"
        yield f"s3://key:{SECRET}@bucket/prefix"
        yield f"tcp://user:{SECRET}@[::1:8786"
        yield f"postgresql://user:{SECRET}@host/name?sslpassword={SECRET}"
    yield [[SECRET]]


@pytest.mark.parametrize("name", LEAVES)
def test_a_secret_in_any_setting_is_not_shown(shown, name):
    for value in _planted(name):
        assert SECRET not in shown(file=_toml(name, value)), value
        if isinstance(value, str) or name not in FREE_TEXT:  # a list in a variable is a text
            assert SECRET not in shown(variables=_variable(name, value)), value
    # A table in the place of a value, and a value in the place of a table.
    assert SECRET not in shown(variables=_variable(f"{name}.{'inner'}", SECRET))
    if "." in name:
        assert SECRET not in shown(variables={f"QDEPOT_{name.split('.')[0].upper()}": SECRET})


@pytest.mark.parametrize("name", LEAVES)
def test_a_secret_under_a_misspelt_name_is_not_shown(shown, name):
    misspelt = f"{name[:-2]}{name[-1]}{name[-2]}x"
    text = shown(file=_toml(misspelt, SECRET))
    assert SECRET not in text
    assert misspelt.rsplit(".", 1)[-1] in text
    assert SECRET not in shown(variables=_variable(misspelt, SECRET))


@pytest.mark.parametrize(
    "file",
    [
        f"admin_token = '{SECRET}",
        f'[providers.scripted]\ntoken = "{SECRET}"\ntoken = "{SECRET}"\n',
        f'[providers]\nscripted = "{SECRET}"\n',
        f'providers = "{SECRET}"\n',
        f'[providers.nobody]\ntoken = "{SECRET}"\n',
        f'[store]\nmore = {{ account_key = "{SECRET}" }}\n',
        f'[store]\nmore = {{ account_key = ["{SECRET}"] }}\n',
        f'[projects]\nlab = "{SECRET}"\n',
        f'[projects.lab]\nmax_circuits = "{SECRET}"\n',
        f'[providers.aer.limits.aer]\nmemory_bytes = "{SECRET}"\n',
        f"admin_token = {SECRET}\n",
    ],
)
def test_a_file_that_is_wrong_in_other_ways_shows_no_secret(shown, file):
    assert SECRET not in shown(file=file)


@given(
    name=st.sampled_from(sorted(HIDDEN_FIELDS)),
    secret=st.text(st.characters(codec="ascii", exclude_characters="\0"), min_size=8),
)
@example(name="providers", secret='{"providers": "')
@example(name="ledger", secret="https://u:p@h?x#y")
@settings(max_examples=50, deadline=None, suppress_health_check=_SLOW)
def test_no_secret_is_shown_whatever_it_consists_of(shown, name, secret):
    assert SECRET not in shown(variables=_variable(name, f"{SECRET}{secret}{SECRET}"))


S3 = 'store_pending = "s3://b"\n[store]\nregion = "eu"\n'


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (f'ledger = "postgresql://user:{SECRET}@127.0.0.1:1/name?sslpassword={SECRET}"\n', "127.0.0.1"),
        (f'ledger = "postgresql://user:{SECRET}@[127.0.0.1:1/name"\n', "ledger"),
        (f'ledger = "mysql://user:{SECRET}@127.0.0.1:1/name"\n', "ledger"),
        (f'ledger = "{SECRET}"\n', "ledger"),
        (f'{S3}secret_access_key = "{SECRET}"\nmore = {{ virtual_hosted_style_request = "{SECRET}" }}\n', "s3://b"),
        (f'{S3}more = {{ unknown_name = "{SECRET}" }}\n', "s3://b"),
        (f'store_pending = "az://b"\n[store]\nmore = {{ account_name = "n", account_key = "{SECRET}" }}\n', "az://b"),
        (f'store_pending = "gs://b"\n[store]\nmore = {{ service_account_key = "{SECRET}" }}\n', "gs://b"),
        (f'[providers.scripted]\nurl = "http://127.0.0.1:1"\ntoken = ["{SECRET}"]\n', "providers.scripted.token"),
        (f'[providers.scripted]\nurl = "{SECRET}"\n', "providers.scripted.url"),
        (f'[providers.scripted]\nurl = "http://127.0.0.1:1"\ntoken_ = "{SECRET}"\n', "providers.scripted.token_"),
        (f'[providers.nobody]\ntoken = "{SECRET}"\n', "nobody"),
        (f'compute = "dask"\n[dask]\nscheduler = "tls://u:{SECRET}@127.0.0.1:1"\n', "dask.scheduler"),
    ],
)
def test_a_start_that_fails_names_the_setting_and_not_its_value(shown, file, words):
    text = shown(file=file, commands=("reconcile", "--once", "--longest", "1s"))
    assert "What to do" in text
    assert words in text
    assert SECRET not in text


class _OfAnotherPackage:
    class Settings(BaseModel):
        region: Public[str] = "eu"
        account: int = 7
        token: SecretStr | None = None
        password: str = ""

        @field_validator("password")
        @classmethod
        def _check(cls, password: str) -> str:
            if "!" in password:
                raise ValueError(f"{password} is too weird")
            return password


class _Entry:
    def load(self):
        return _OfAnotherPackage


@pytest.fixture
def _another_package(monkeypatch):
    monkeypatch.setattr(provider_settings, "installed_providers", lambda: {"other": _Entry()})


@pytest.mark.usefixtures("_another_package")
def test_of_another_package_only_what_it_declares_public_is_shown(shown):
    text = shown(file=f'[providers.other]\nregion = "us"\naccount = 12345\npassword = "{SECRET}"\n')
    assert json.loads(text.split("\n\n")[0])["providers"] == {
        "other": {"region": "us", "account": HIDDEN, "token": None, "password": HIDDEN}
    }


@pytest.mark.usefixtures("_another_package")
def test_what_a_validator_of_another_package_says_is_not_repeated(shown):
    text = shown(file=f'[providers.other]\npassword = "{SECRET}!"\n')
    assert "providers.other.password: this value is not possible" in text
    assert SECRET not in text


def test_what_is_public_is_shown(shown):
    file = 'host = "127.0.0.2"\nchildren = 3\nstore_pending = "s3://bucket/prefix"\n[store]\nregion = "eu"\n'
    file += '[providers.aer]\ndepth = 5\n[providers.scripted]\nurl = "http://cloud.test/x"\ntoken = "t"\n'
    found = json.loads(shown(file=file).split("\n\n")[0])
    assert (found["host"], found["children"], found["port"]) == ("127.0.0.2", 3, 8484)
    assert (found["store_pending"], found["store"]["region"], found["ledger"]) == ("s3://bucket/prefix", "eu", None)
    assert found["providers"]["aer"]["depth"] == 5
    assert found["providers"]["scripted"] == {"url": "http://cloud.test/x", "token": HIDDEN, "timeout_s": 10.0}


def test_settings_show_no_secret_in_their_repr():
    made = Settings(
        admin_token=SECRET,
        ledger=f"postgresql://u:{SECRET}@h/d",
        providers={"scripted": {"token": SECRET}},
        store={"secret_access_key": SECRET, "session_token": SECRET, "more": {"account_key": SECRET}},
    )
    assert SECRET not in f"{made!r} {made} {made.store!r}"
