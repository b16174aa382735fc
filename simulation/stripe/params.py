"""Form-encoded parameters with brackets, read strictly against their declared types."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import parse_qsl

from simulation.stripe.errors import (
    StripeError,
    invalid_request,
    missing_parameter,
    unknown_parameter,
)
from simulation.stripe.shapes import (
    Anything,
    ArrayOf,
    Choice,
    Either,
    MapOf,
    Nullable,
    Record,
    Scalar,
    Shape,
)

_INTEGER: Final = re.compile(r"-?[0-9]+")
_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")

Raw = str | dict[str, "Raw"]


def read(encoded: str, declared: Record) -> dict[str, Any]:
    """The typed parameters of a request; a `StripeError` names the first one that is wrong."""
    return _record(declared, _nested(encoded), "")


def _nested(encoded: str) -> dict[str, Raw]:
    root: dict[str, Raw] = {}
    for key, value in parse_qsl(encoded, keep_blank_values=True):
        head, *rest = key.replace("]", "").split("[")
        place, name = root, head
        for part in rest:
            inner = place.setdefault(name, {})
            if not isinstance(inner, dict):
                raise invalid_request(f"Invalid parameter: {key}", param=key)
            place, name = inner, part or str(len(inner))
        if name in place:
            raise invalid_request(f"Parameter given twice: {key}", param=key)
        place[name] = value
    return root


def _record(declared: Record, raw: dict[str, Raw], path: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, element in raw.items():
        field = declared.fields.get(name)
        if field is None:
            raise unknown_parameter(_inside(path, name))
        values[name] = _value(field.shape, element, _inside(path, name))
    for name, field in declared.fields.items():
        if field.required and name not in values:
            raise missing_parameter(_inside(path, name))
    return values


def _value(shape: Shape, raw: Raw, path: str) -> Any:
    match shape:
        case Nullable(inner):
            return _value(inner, raw, path)
        case Either(options):
            return _either(options, raw, path)
        case Record():
            if not isinstance(raw, dict):
                raise invalid_request("Invalid object", param=path)
            return _record(shape, raw, path)
        case MapOf(item):
            if not isinstance(raw, dict):
                raise invalid_request("Invalid hash", param=path)
            return {name: _value(item, each, _inside(path, name)) for name, each in raw.items()}
        case ArrayOf(item):
            return _array(item, raw, path)
        case Anything():
            return raw
    if isinstance(raw, dict):
        raise invalid_request(f"Invalid value: {path} is not an object", param=path)
    if isinstance(shape, Choice):
        return _choice(shape, raw, path)
    assert isinstance(shape, Scalar)
    return _scalar(shape, raw, path)


def _either(options: tuple[Shape, ...], raw: Raw, path: str) -> Any:
    refusal: StripeError | None = None
    for option in options:
        try:
            return _value(option, raw, path)
        except StripeError as error:
            # An enum's refusal lists what would do, so it is the one worth telling.
            if refusal is None or isinstance(raw, dict):
                refusal = error
    assert refusal is not None
    raise refusal


def _array(item: Shape, raw: Raw, path: str) -> list[Any]:
    if raw == "":
        return []
    if not isinstance(raw, dict) or not all(name.isdigit() for name in raw):
        raise invalid_request("Invalid array", param=path)
    ordered = sorted(raw.items(), key=lambda entry: int(entry[0]))
    return [_value(item, each, _inside(path, name)) for name, each in ordered]


def _choice(shape: Choice, raw: str, path: str) -> Any:
    for known in shape.values:
        if raw == (str(known).lower() if isinstance(known, bool) else str(known)):
            return known
    names = [str(known) for known in shape.values if known != ""]
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])}, or {names[-1]}"
    name = path.rpartition("[")[2].rstrip("]")
    raise invalid_request(f"Invalid {name}: must be one of {listed}", param=path)


def _scalar(shape: Scalar, raw: str, path: str) -> Any:
    if shape.kind == "string":
        return raw
    if raw == "":
        raise invalid_request(
            f"You passed an empty string for '{path}', which cannot be unset.",
            param=path,
            code="parameter_invalid_empty",
        )
    if shape.kind == "boolean":
        if raw in ("true", "false"):
            return raw == "true"
        raise invalid_request(f"Invalid boolean: {raw}", param=path)
    pattern = _INTEGER if shape.kind == "integer" else _NUMBER
    if not pattern.fullmatch(raw):
        code = "parameter_invalid_integer" if shape.kind == "integer" else None
        raise invalid_request(f"Invalid {shape.kind}: {raw}", param=path, code=code)
    return int(raw) if shape.kind == "integer" else float(raw)


def _inside(path: str, name: str) -> str:
    return f"{path}[{name}]" if path else name
