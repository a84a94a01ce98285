"""Which settings may be shown, and how errors in them are described, so that no secret is shown with them.

A setting is hidden unless its model declares it public. Models of providers, also those of other packages, do it in the
same way::

    class CloudSettings(BaseModel):
        region: Public[str]
        url: PublicUrl
        token: SecretStr
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import UnionType
from typing import Annotated, Final, TypeAlias, TypeVar, Union, get_args, get_origin
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, Field, HttpUrl, SecretBytes, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticCustomError

from qdepot.domain.moments import LONGEST_S

HIDDEN: Final = "**********"

_T = TypeVar("_T")
_UrlT = TypeVar("_UrlT", str, HttpUrl)
_BARE_URL = "bare_url"
_ONE_LINE = "one_line"


class _Shown:
    """Marks a field whose value is not a secret."""


Public = Annotated[_T, _Shown()]
"""A setting whose value may be shown to anybody who operates the service."""


Seconds = Annotated[float, Field(gt=0, le=LONGEST_S, allow_inf_nan=False)]
"""A length of time."""


def _bare(url: _UrlT) -> _UrlT:
    try:
        parts = urlsplit(str(url))
        is_bare = parts.username is None and parts.password is None
    except ValueError:
        is_bare = False
    if not is_bare or "?" in str(url) or "#" in str(url):
        raise PydanticCustomError(
            _BARE_URL, "a URL here has no user, password, query or fragment; secrets have settings of their own"
        )
    return url


def _bare_if_url(where: str) -> str:
    return _bare(where) if "://" in where else where


PublicUrl: TypeAlias = Annotated[str, AfterValidator(_bare_if_url), _Shown()]
"""A URL, or a path, that may be shown: one with credentials in it is refused."""

PublicHttpUrl: TypeAlias = Annotated[HttpUrl, AfterValidator(_bare), _Shown()]
"""The same for settings that are an HTTP address."""


def _one_line(path: Path) -> Path:
    if "\n" in str(path):
        raise PydanticCustomError(_ONE_LINE, "this must be the path of a file, not what is in the file")
    return path


PublicPath: TypeAlias = Annotated[Path, AfterValidator(_one_line), _Shown()]
"""A path, which may be shown: the content of a key file in its place is refused."""


def public_view(model: BaseModel) -> dict[str, object]:
    """The settings in a model as JSON data; what is not declared public is hidden where it has a value."""
    view: dict[str, object] = {}
    for name, field in type(model).model_fields.items():
        view[name] = _shown(getattr(model, name), is_public=is_public(field))
    return view


def is_public(field: FieldInfo) -> bool:
    """Whether the model declares that the value of a field may be shown."""
    if _is_marked(field.metadata):
        return True
    arms = [arm for arm in get_args(field.annotation) if arm is not type(None)]  # of `PublicUrl | None`
    return get_origin(field.annotation) in (Union, UnionType) and all(
        _is_marked(getattr(arm, "__metadata__", ())) for arm in arms
    )


def _is_marked(metadata: Iterable[object]) -> bool:
    return any(isinstance(each, _Shown) for each in metadata)


def wrong_settings(error: ValidationError, *, under: str = "") -> str:
    """What is wrong with each setting, by its name and without its value.

    Args:
        error: Of a model of settings.
        under: Name of the table that the settings stand in.
    """
    lines = [(".".join(filter(None, [under, *map(str, each["loc"])])), _said(each)) for each in error.errors()]
    return "; ".join(f"{name}: {said}" if name else said for name, said in lines)


def _shown(value: object, *, is_public: bool) -> object:
    if value is None:
        return None
    if isinstance(value, BaseModel):
        return public_view(value)
    if not is_public or isinstance(value, (SecretStr, SecretBytes)):
        return HIDDEN
    if isinstance(value, Mapping):
        return {str(name): _shown(each, is_public=True) for name, each in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_shown(each, is_public=True) for each in value]
    return value if isinstance(value, (bool, int, float, str)) else str(value)


def _said(wrong: ErrorDetails) -> str:
    if wrong["type"] == "extra_forbidden":
        return "there is no such setting"
    return wrong["msg"] if wrong["type"] in _WITHOUT_VALUE else "this value is not possible"


_WITHOUT_VALUE = frozenset(
    {
        *(_BARE_URL, _ONE_LINE),
        "missing",
        *("string_type", "string_too_short", "string_too_long", "string_pattern_mismatch", "literal_error", "enum"),
        *("int_type", "int_parsing", "int_parsing_size", "int_from_float", "float_type", "float_parsing"),
        *("bool_type", "bool_parsing", "finite_number", "multiple_of"),
        *("greater_than", "greater_than_equal", "less_than", "less_than_equal"),
        *("dict_type", "list_type", "tuple_type", "set_type", "too_short", "too_long", "path_type"),
        *("model_type", "model_attributes_type", "dataclass_type", "none_required"),
        *("url_type", "url_scheme", "url_too_long", "url_parsing"),
    }
)
"""Kinds of error whose text says what is expected and not what was given; validators may put a value into others."""
