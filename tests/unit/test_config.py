"""Settings as they come from the environment and from a file."""

from __future__ import annotations

from dataclasses import fields

import pytest

from qdepot.config import ProjectSettings, Settings
from qdepot.errors import InvalidRequestError
from qdepot.services.orders import SubmitLimits
from qdepot.wiring.limits import project_limits


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_list_in_the_environment_is_a_text_with_commas(monkeypatch):
    monkeypatch.setenv("QDEPOT_ALLOWED_HOSTS", "qdepot, qdepot.lab.svc,,lab:8443")
    assert Settings.read().allowed_hosts == ("qdepot", "qdepot.lab.svc", "lab:8443")


def test_a_list_in_the_file_is_a_list(tmp_path):
    (tmp_path / "qdepot.toml").write_text('trusted_proxies = ["10.0.0.1", "10.1.0.0/16"]\n')
    assert Settings.read().trusted_proxies == ("10.0.0.1", "10.1.0.0/16")


def test_an_empty_variable_counts_as_none(monkeypatch):
    for name in ("QDEPOT_STORE__REGION", "QDEPOT_PUBLIC_URL", "QDEPOT_PORT", "QDEPOT_ALLOWED_HOSTS"):
        monkeypatch.setenv(name, "")
    settings = Settings.read()
    assert (settings.store.region, settings.public_url, settings.port, settings.allowed_hosts) == (None, None, 8484, ())


def test_a_wrong_value_is_named_and_not_repeated(monkeypatch):
    monkeypatch.setenv("QDEPOT_PORT", "secret-word")
    with pytest.raises(InvalidRequestError, match="port") as caught:
        Settings.read()
    assert "secret-word" not in f"{caught.value} {caught.value.solution}"


def test_a_name_in_the_file_that_is_no_setting_is_refused(tmp_path, monkeypatch):
    (tmp_path / "qdepot.toml").write_text('owner = "tokens"\n[store]\nregions = "eu"\n')
    with pytest.raises(InvalidRequestError, match=r"store\.regions: there is no such setting; owner: there is no such"):
        Settings.read()


def test_variables_that_are_the_clients_or_nobodys_are_left_alone(monkeypatch):
    for name in ("QDEPOT_URL", "QDEPOT_TOKEN", "QDEPOT_CA", "QDEPOT_ELSE"):
        monkeypatch.setenv(name, "x")
    assert Settings.read() == Settings()


LENGTHS = {"QDEPOT_DASK__SILENCE_S"} | {
    f"QDEPOT_{name.upper()}" for name in Settings.model_fields if name.endswith("_s")
}


@pytest.mark.parametrize("value", ["inf", "nan", "1e300", "1000000001", "0", "-1"])
@pytest.mark.parametrize("name", sorted(LENGTHS - {"QDEPOT_REQUESTS_PER_S"}))
def test_a_length_of_time_that_cannot_be_waited_for_is_refused(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidRequestError, match=name.removeprefix("QDEPOT_").replace("__", ".").lower()):
        Settings.read()


def test_all_limits_are_settings_with_the_same_defaults():
    names = {field.name for field in fields(SubmitLimits)}
    assert names <= Settings.model_fields.keys()
    assert ProjectSettings.model_fields.keys() <= names
    assert project_limits(Settings()).usual == SubmitLimits()


def test_a_project_has_the_usual_limits_but_for_its_own():
    limits = project_limits(Settings(max_circuits=7, request_burst=3, projects={"lab": {"max_circuits": 9}}))
    assert limits.of("lab") == SubmitLimits(max_circuits=9, request_burst=3)
    assert limits.of("another") == SubmitLimits(max_circuits=7, request_burst=3)
