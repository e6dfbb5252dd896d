"""The API's document (OpenAPI 3.1), its page for people, and the routes of every operation."""

import re
from collections.abc import Iterator
from html import escape
from typing import Any, Final

import msgspec
from aiohttp import web

from router.web.api import (
    answers,
    articles,
    bots,
    cases,
    contacts,
    conversations,
    crises,
    gaps,
    guarantees,
    handover,
    mine,
    plans,
    readings,
    scripts,
    shop,
    trials,
    trouble,
)
from router.web.api.answers import KEY_HEADER
from router.web.api.operations import ROOT, Operation, answered, route_of
from router.web.api.shapes import Shape
from router.web.deps import DEPS

_REF: Final = "#/components/schemas/{name}"
_PART: Final = re.compile(r"{(\w+)}")


class ErrorShape(Shape, frozen=True):
    """What went wrong: a stable code, a sentence, and the field that it concerns."""

    code: str
    message: str
    field: str = ""


class ProblemShape(Shape, frozen=True):
    """The body of every answer from 400 on."""

    error: ErrorShape


def operations() -> tuple[Operation, ...]:
    """Return every operation of the API."""
    modules = (
        mine,
        conversations,
        answers,
        contacts,
        cases,
        handover,
        crises,
        articles,
        gaps,
        scripts,
        trials,
        guarantees,
        bots,
        plans,
        shop,
        trouble,
        readings,
    )
    return tuple(each for module in modules for each in module.operations.all)


def add_to(app: web.Application) -> None:
    """Add a route for each operation, the document and its page."""
    app.add_routes([route_of(operation) for operation in operations()])
    app.router.add_get(f"{ROOT}/openapi.json", _document)
    app.router.add_get(f"{ROOT}/docs", _page)


def document(*, version: str, public_url: str) -> dict[str, Any]:
    """Return the OpenAPI document, made from the operations themselves."""
    known = operations()
    types = _types(known)
    schemas, components = msgspec.json.schema_components(types, ref_template=_REF)
    by_type = {str(kind): schema for kind, schema in zip(types, schemas, strict=True)}
    paths: dict[str, dict[str, Any]] = {}
    for operation in known:
        method = operation.method.lower()
        paths.setdefault(ROOT + operation.path, {})[method] = _described(operation, by_type)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Mainstem",
            "version": version or "0",
            "description": "Everything that the pages do can be done here.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": public_url}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "responses": {
                "Problem": {
                    "description": "What went wrong",
                    "content": {"application/json": {"schema": by_type[str(ProblemShape)]}},
                }
            },
        },
    }


def _types(known: tuple[Operation, ...]) -> list[Any]:
    """Return every type that a body or an answer has, each once."""
    found: dict[str, Any] = {str(ProblemShape): ProblemShape}
    for operation in known:
        for kind in (operation.answer, operation.body):
            if kind is not None:
                found[str(kind)] = kind
    return list(found.values())


def _described(operation: Operation, by_type: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": operation.summary}
    if operation.answer is not None:
        answer["content"] = {"application/json": {"schema": by_type[str(operation.answer)]}}
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": f"{operation.description}\n\nRole: {operation.role.value}.",
        "tags": [operation.tag],
        "parameters": list(_parameters(operation)),
        "responses": {
            str(operation.status): answer,
            "default": {"$ref": "#/components/responses/Problem"},
        },
    }
    if operation.upload:
        schema = {"type": "string", "contentMediaType": "application/octet-stream"}
        content = {"application/octet-stream": {"schema": schema}}
        described["requestBody"] = {"required": True, "content": content}
    elif operation.body is not None:
        content = {"application/json": {"schema": by_type[str(operation.body)]}}
        described["requestBody"] = {"required": True, "content": content}
    return described


def _parameters(operation: Operation) -> Iterator[dict[str, Any]]:
    for name in _PART.findall(operation.path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
    if operation.keyed:
        yield {
            "name": KEY_HEADER,
            "in": "header",
            "required": False,
            "description": "The same key is the same answer, however often it is sent.",
            "schema": {"type": "string", "maxLength": 128},
        }
    if operation.query is not None:
        schema = msgspec.json.schema(operation.query)
        properties = schema["$defs"][operation.query.__name__]["properties"]
        for name, kind in properties.items():
            yield {"name": name, "in": "query", "required": False, "schema": kind}


async def _document(request: web.Request) -> web.Response:
    deps = request.app[DEPS]
    made = document(version=deps.version, public_url=deps.settings.public_url)
    return answered(made, 200)


async def _page(_request: web.Request) -> web.Response:
    """List the operations for people; plain, because a program reads the other one."""
    rows = "\n".join(
        f"<tr><td><code>{escape(each.method)}</code></td>"
        f"<td><code>{escape(ROOT + each.path)}</code></td>"
        f"<td>{escape(each.summary)}</td><td>{escape(each.role.value)}</td></tr>"
        for each in operations()
    )
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<title>Mainstem API</title>"
        '<link rel="stylesheet" href="/static/app.css"></head>'
        '<body><main id="main"><h1>Mainstem API</h1>'
        f'<p>The document for programs: <a href="{ROOT}/openapi.json">openapi.json</a>. '
        "Send a token as <code>Authorization: Bearer …</code>; make one on the page "
        '<a href="/me">Me</a>.</p>'
        "<table><thead><tr><th>Method</th><th>Address</th><th>What it does</th><th>Role</th>"
        f"</tr></thead><tbody>\n{rows}\n</tbody></table></main></body></html>\n"
    )
    return web.Response(text=page, content_type="text/html")
