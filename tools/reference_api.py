"""The page of the API, made of its OpenAPI document, and every other address of the server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

from starlette.routing import Route

from windlass.testing.sample.web import sample_web
from windlass.web.api.app import make_api
from windlass.web.app import make_app

START = """\
# The API

Everything that the command line and the pages can do, under `/api/v1`. The OpenAPI document is at `/api/v1/openapi.json`.

- Sign in with `Authorization: Bearer TOKEN`. What changes something needs it always; what only reads needs it unless the server listens on a loopback address.
- Bodies are JSON; an unknown key is an error. Times are ISO 8601, UTC.
- Lists come newest first; `next` is the `before` of the part that follows.
- Every error has [the same form](errors.md).
"""

OTHERS = """\
## Other addresses

Pages, and what machines ask. A page has a twin under `/live` that tells when it changes. What changes something is a POST.

| method | address |
| --- | --- |
| POST | `/hooks/{endpoint}` |\
"""

Node = Mapping[str, object]


def schema() -> Mapping[str, object]:
    """The OpenAPI document."""
    return cast("Mapping[str, object]", make_api(sample_web().parts).openapi())


def page() -> str:
    """Every route with what it takes and gives."""
    document = schema()
    parts = [START]
    for path, method, operation in operations(document):
        parts += _operation(path, method, operation)
    parts += ["## Shapes", ""]
    for name, shape in _node(_node(document["components"])["schemas"]).items():
        parts += _shape(name, _node(shape))
    parts += [OTHERS, *others(), ""]
    return "\n".join(parts)


def operations(document: Node) -> Iterator[tuple[str, str, Node]]:
    """Every (path, method, operation)."""
    for path, methods in _node(document["paths"]).items():
        for method, operation in _node(methods).items():
            yield f"/api/v1{path}", method.upper(), _node(operation)


def others() -> Iterator[str]:
    """A row for every address that is not the API's, and no live twin."""
    for route in make_app(sample_web().parts).routes:
        if isinstance(route, Route) and not route.path.startswith("/live"):
            methods = ", ".join(sorted((route.methods or {"GET"}) - {"HEAD"}))
            yield f"| {methods} | `{route.path}` |"


def _operation(path: str, method: str, operation: Node) -> Iterator[str]:
    yield f"## {method} {path}"
    yield ""
    yield f"{operation['description']} Operation `{operation['operationId']}`."
    yield ""
    given = [_node(each) for each in _list(operation.get("parameters"))]
    if given:
        yield "| parameter | in | kind | what it is |"
        yield "| --- | --- | --- | --- |"
        for each in given:
            must = "" if each.get("required") else ", optional"
            kind = _kind(_node(each["schema"]))
            yield f"| `{each['name']}` | {each['in']} | {kind}{must} | {each.get('description', '')} |"
        yield ""
    if body := operation.get("requestBody"):
        yield f"Takes {_content(_node(body))}."
    for status, answer in _node(operation["responses"]).items():
        if status.startswith("2"):
            yield f"Answers {status}{_given(_node(answer))}."
    yield ""


def _given(answer: Node) -> str:
    told = _content(answer)
    return f" with {told}" if told else ""


def _content(holder: Node) -> str:
    kinds = _node(holder.get("content") or {})
    if "application/json" in kinds:
        return _kind(_node(_node(kinds["application/json"]).get("schema") or {}))
    return " or ".join(f"`{kind}`" for kind in kinds)


def _shape(name: str, shape: Node) -> Iterator[str]:
    yield f"### {name}"
    yield ""
    if text := shape.get("description"):
        yield str(text)
        yield ""
    fields = _node(shape.get("properties") or {})
    if fields:
        yield "| field | kind | what it is |"
        yield "| --- | --- | --- |"
        for field, each in fields.items():
            node = _node(each)
            yield f"| `{field}` | {_kind(node)} | {node.get('description', '')} |"
        yield ""


def _kind(schema: Node) -> str:
    if ref := schema.get("$ref"):
        name = str(ref).rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if some := schema.get("anyOf"):
        return " or ".join(_kind(_node(each)) for each in _list(some))
    if words := schema.get("enum"):
        return ", ".join(f"`{word}`" for word in _list(words))
    match schema.get("type"):
        case "array":
            return f"list of {_kind(_node(schema.get('items') or {}))}"
        case "object" if isinstance(schema.get("additionalProperties"), Mapping):
            return f"name: {_kind(_node(schema['additionalProperties']))}"
        case None:
            return "anything"
        case kind:
            return str(schema.get("format") or kind)


def _node(value: object) -> Node:
    return cast("Node", value)


def _list(value: object) -> list[object]:
    return cast("list[object]", value or [])
