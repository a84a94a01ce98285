"""The settings of providers: each provider's own model checks them, and says which of them may be shown."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Any

from pydantic import BaseModel, ValidationError

from qdepot.config import Settings
from qdepot.errors import InvalidRequestError, UnavailableError
from qdepot.ports.settings import HIDDEN, public_view, wrong_settings

PROVIDERS = "qdepot.providers"
"""The group of entry points under which providers are found, those of other packages, too."""


def installed_providers() -> dict[str, EntryPoint]:
    """The providers that can be loaded, by name."""
    return {entry.name: entry for entry in entry_points(group=PROVIDERS)}


def provider_settings(name: str, model: type[Any], given: dict[str, Any]) -> Any:  # noqa: ANN401 - the provider's own
    """The settings of a provider, checked by its own model.

    Raises:
        InvalidRequestError: They are not what the provider takes; the message names settings and never their values.
    """
    try:
        return model(**given)
    except ValidationError as error:
        wrong = wrong_settings(error, under=f"providers.{name}")
    except Exception as error:  # of a model that is not a model of pydantic; its text may quote a value
        wrong = f"providers.{name}: {type(error).__name__}"
    raise InvalidRequestError(
        f"wrong settings: {wrong}",
        solution=f"Look at the variables QDEPOT_PROVIDERS__{name.upper()}__... and the file qdepot.toml.",
    )


def shown_settings(settings: Settings) -> dict[str, object]:
    """The settings in force as JSON data; what is not declared public is hidden.

    A provider whose settings nobody can judge, because it is not installed or because they are wrong, shows none.
    """
    found = installed_providers()
    shown = {name: _shown(name, given, found.get(name)) for name, given in settings.providers.items()}
    return {**public_view(settings), "providers": shown}


def _shown(name: str, given: dict[str, Any], entry: EntryPoint | None) -> object:
    if entry is None:
        return f"{HIDDEN} (this provider is not installed)"
    try:
        made = provider_settings(name, entry.load().Settings, given)
    except InvalidRequestError as error:
        return f"{HIDDEN} ({error.message})"
    except Exception as error:  # code of another package; its text may quote anything
        return f"{HIDDEN} (the provider cannot be loaded: {type(error).__name__})"
    return public_view(made) if isinstance(made, BaseModel) else HIDDEN


def configured_providers(settings: Settings) -> dict[str, tuple[Any, Any]]:
    """Aer, unless it is switched off, and every other provider with settings: class and settings by name.

    Raises:
        InvalidRequestError: A provider does not take its settings.
        UnavailableError: A provider is not installed.
    """
    found = installed_providers()
    others = [name for name in settings.providers if name != "aer"]
    configured = {}
    for name in ["aer", *others] if settings.simulate else others:
        if name not in found:
            raise UnavailableError(
                f"there is no provider {name!r}",
                solution=f"Install its package, or remove its settings. Installed: {', '.join(sorted(found))}.",
            )
        provider = found[name].load()
        configured[name] = provider, provider_settings(name, provider.Settings, settings.providers.get(name, {}))
    return configured
