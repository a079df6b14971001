"""As much of JSON Schema as our own schemas use; a word it doesn't know is an error."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

KNOWN = {
    "$schema", "$defs", "$ref", "title", "type", "required", "properties", "additionalProperties",
    "items", "enum", "const", "anyOf", "minimum", "maximum", "minItems", "maxItems",
}  # fmt: skip
TYPES: dict[str, Any] = {
    "object": dict, "array": list, "string": str, "boolean": bool, "integer": int,
    "number": (int, float), "null": type(None),
}  # fmt: skip


def errors(value: Any, schema: Any, root: Any = None, at: str = "$") -> list[str]:
    """What in `value` breaks `schema`, each with its path; empty if nothing does."""
    root = schema if root is None else root
    assert set(schema) <= KNOWN, set(schema) - KNOWN
    if "$ref" in schema:
        return errors(value, _target(schema["$ref"], root), root, at)
    if "anyOf" in schema:
        tried = [errors(value, option, root, at) for option in schema["anyOf"]]
        return [] if any(not e for e in tried) else [f"{at}: fits none of anyOf: {tried}"]
    return [*_own(value, schema, at), *_inside(value, schema, root, at)]


def _target(ref: str, root: Any) -> Any:
    for part in ref.removeprefix("#/").split("/"):
        root = root[part]
    return root


def _own(value: Any, schema: Any, at: str) -> Iterator[str]:
    if "const" in schema and value != schema["const"]:
        yield f"{at}: {value!r} is not {schema['const']!r}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{at}: {value!r} is not one of {schema['enum']}"
    if "type" in schema and not _is_type(value, schema["type"]):
        yield f"{at}: {value!r} is not of type {schema['type']}"
        return
    size = len(value) if isinstance(value, list) else value
    for low, high in (("minimum", "maximum"), ("minItems", "maxItems")):
        known = isinstance(size, int | float) and (low in schema or high in schema)
        if known and not schema.get(low, size) <= size <= schema.get(high, size):
            yield f"{at}: {size} is out of range"


def _is_type(value: Any, types: Any) -> bool:
    names = [types] if isinstance(types, str) else types
    if isinstance(value, bool):
        return "boolean" in names
    return any(isinstance(value, TYPES[name]) for name in names)


def _inside(value: Any, schema: Any, root: Any, at: str) -> Iterator[str]:
    if isinstance(value, list) and "items" in schema:
        for i, item in enumerate(value):
            yield from errors(item, schema["items"], root, f"{at}[{i}]")
    if not isinstance(value, dict):
        return
    yield from (f"{at}: lacks {n}" for n in schema.get("required", ()) if n not in value)
    for name, item in value.items():
        own = schema.get("properties", {}).get(name, schema.get("additionalProperties", {}))
        if own is False:
            yield f"{at}: {name} is not expected"
        elif isinstance(own, dict):
            yield from errors(item, own, root, f"{at}.{name}")
