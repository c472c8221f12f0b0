"""The API's description as a page: plain HTML made from the OpenAPI document, with nothing fetched from elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 56rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 2.5rem; border-top: 1px solid #8886; padding-top: 1.5rem; overflow-wrap: anywhere; }
code, pre { font: 14px/1.45 ui-monospace, monospace; }
pre { overflow: auto; max-height: 24rem; padding: .75rem; border: 1px solid #8886; border-radius: .4rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid #8883; }
"""


def reference_page(openapi: Mapping[str, Any], root_path: str) -> str:
    """The page.

    Args:
        openapi: The API's OpenAPI document.
        root_path: Where the API is mounted, e.g. ``/api``.
    """
    info = openapi["info"]
    body = "\n".join(_operations(openapi, root_path))
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(info["title"])}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>'
        f"<body><h1>{escape(info['title'])}</h1><p>{escape(info['description'])}</p>"
        f'<p>For programs: <a href="{escape(root_path)}/openapi.json">{escape(root_path)}/openapi.json</a>.</p>'
        f"\n{body}\n</body></html>\n"
    )


def _operations(openapi: Mapping[str, Any], root_path: str) -> Iterator[str]:
    for path, operations in openapi["paths"].items():
        for method, operation in operations.items():
            yield f"<h2><code>{escape(method.upper())} {escape(root_path + path)}</code></h2>"
            yield f"<p>{escape(operation.get('description', ''))}</p>"
            parameters = operation.get("parameters", [])
            if parameters:
                rows = "".join(_parameter(openapi, parameter) for parameter in parameters)
                yield f"<table><tr><th>Parameter</th><th>Where</th><th>Values</th><th></th></tr>{rows}</table>"
            if body := operation.get("requestBody"):
                schema = _schema(openapi, body["content"]["application/json"]["schema"])
                rows = "".join(_member(openapi, schema, name) for name in schema["properties"])
                yield f"<table><tr><th>Member</th><th></th><th>Values</th><th></th></tr>{rows}</table>"
            for status, answer in operation["responses"].items():
                yield f"<h3>{escape(status)}: {escape(answer.get('description', ''))}</h3>"
                example = answer.get("content", {}).get("application/json", {}).get("example")
                if example is not None:
                    yield f"<pre>{escape(json.dumps(example, indent=2, ensure_ascii=False))}</pre>"


def _parameter(openapi: Mapping[str, Any], parameter: Mapping[str, Any]) -> str:
    needed = ", needed" if parameter.get("required") else ""
    values = _values(openapi, parameter.get("schema", {}))
    cells = (parameter["name"], parameter["in"] + needed, values, parameter.get("description", ""))
    name, *rest = (escape(cell) for cell in cells)
    return f"<tr><td><code>{name}</code></td>{''.join(f'<td>{cell}</td>' for cell in rest)}</tr>"


def _member(openapi: Mapping[str, Any], schema: Mapping[str, Any], name: str) -> str:
    found = schema["properties"][name]
    needed = "needed" if name in schema.get("required", ()) else ""
    cells = (name, needed, _values(openapi, found), found.get("description", ""))
    first, *rest = (escape(cell) for cell in cells)
    return f"<tr><td><code>{first}</code></td>{''.join(f'<td>{cell}</td>' for cell in rest)}</tr>"


def _schema(openapi: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema itself, where only its name is given."""
    if "$ref" not in schema:
        return schema
    named: Mapping[str, Any] = openapi["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
    return named


def _values(openapi: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    schema = _schema(openapi, schema)
    if "properties" in schema:
        return "{" + ", ".join(schema["properties"]) + "}"
    if schema.get("type") == "array":
        return f"list of {_values(openapi, schema.get('items', {}))}"
    if "enum" in schema:
        return " · ".join(map(str, schema["enum"]))
    for part in schema.get("anyOf", []):
        if part.get("type") != "null":
            return _values(openapi, part)
    low, high = schema.get("minimum"), schema.get("maximum")
    span = f" {low} to {high}" if low is not None and high is not None else ""
    return f"{schema.get('type', '')}{span}"
