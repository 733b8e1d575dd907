"""The description of the interface tells the truth: every refusal is a Problem, every lock is shown."""

from collections.abc import Mapping
from copy import copy
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter

from glimpser.web.problems import MEDIA_TYPE, Problem
from glimpser.web.rows import HEADERS
from glimpser.web.security import API_KEY_HEADER, SESSION_COOKIE, Access, GuardedRoute

TITLE = "Glimpser"
REFERENCE = "#/components/schemas/{model}"
UNUSED = ("HTTPValidationError", "ValidationError")
"""What FastAPI describes for 422; ours look otherwise."""

TICKET = "ticket"
SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "key": {"type": "apiKey", "in": "header", "name": API_KEY_HEADER},
    "cookie": {"type": "apiKey", "in": "cookie", "name": SESSION_COOKIE},
    TICKET: {"type": "apiKey", "in": "query", "name": "ticket"},
}

IF_MATCH = {
    "required": True,
    "schema": {
        "type": "string",
        "pattern": r'^(\*|(W/)?"[!#-~]*"(, *(W/)?"[!#-~]*")*)$',
        "examples": ['"1"'],
    },
}
"""Any version, or a list of entity tags (RFC 9110, section 13.1.1)."""


IF_NONE_MATCH = {
    "name": "if-none-match",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "title": "If-None-Match"},
    "description": "The ETag that is known already.",
}
PROBLEM = {MEDIA_TYPE: {"schema": {"$ref": REFERENCE.format(model="Problem")}}}


def describe(app: FastAPI) -> dict[str, Any]:
    """Make the OpenAPI document of an application's guarded routes."""
    routes = [
        _without_head(route)
        for route in app.routes
        if isinstance(route, GuardedRoute) and route.include_in_schema
    ]
    document: dict[str, Any] = get_openapi(title=TITLE, version=app.version, routes=routes)
    components = document.setdefault("components", {})
    components["securitySchemes"] = SCHEMES
    schemas = components.setdefault("schemas", {})
    for name in UNUSED:
        schemas.pop(name, None)
    problem = TypeAdapter(Problem).json_schema(ref_template=REFERENCE)
    schemas |= problem.pop("$defs", {}) | {"Problem": problem}
    components["headers"] = dict(HEADERS)
    for route in routes:
        _describe_route(document["paths"][route.path_format], route, components)
    for operations in document["paths"].values():
        if {"patch", "put"} <= operations.keys():
            _describe_patch(operations, schemas)
    return document


def _keys(access: Access) -> list[dict[str, list[str]]]:
    """Give the schemes of which one suffices."""
    return [{name: []} for name in SCHEMES if name != TICKET or access.or_ticket]


def _without_head(route: GuardedRoute) -> GuardedRoute:
    """HEAD follows from GET (RFC 9110, section 9.3.2) and would only be described twice."""
    described = copy(route)
    described.methods = (route.methods or set()) - {"HEAD"}
    return described


def _describe_route(operations: dict[str, Any], route: GuardedRoute, components: dict[str, Any]) -> None:
    for method in route.methods or ():
        operation = operations[method.lower()]
        role = route.access.role
        operation["security"] = _keys(route.access) if role else []
        operation["x-role"] = role.label if role else None
        for parameter in operation.get("parameters", ()):
            if parameter["name"] == "if-match":
                parameter.update(IF_MATCH)
        if "304" in operation["responses"]:
            _describe_condition(operation)
        operation["responses"] = {
            status: _shared(response, components) if _is_refusal(status, response) else response
            for status, response in sorted(operation["responses"].items())
        }


def _is_refusal(status: str, response: Mapping[str, Any]) -> bool:
    """Tell whether it is a Problem; FastAPI fills in its own shape for 422."""
    return status == "422" or (status >= "400" and "content" not in response)


def _shared(response: Mapping[str, Any], components: dict[str, Any]) -> dict[str, str]:
    """Describe a refusal where all routes find it."""
    name = response["description"].replace(" ", "").replace("-", "")
    shared = components.setdefault("responses", {})
    shared[name] = {**response, "content": PROBLEM}
    return {"$ref": f"#/components/responses/{name}"}


def _describe_condition(operation: dict[str, Any]) -> None:
    """Every answer with an entity tag may be asked for on the condition that it is another."""
    parameters = operation.setdefault("parameters", [])
    if all(parameter["name"] != IF_NONE_MATCH["name"] for parameter in parameters):
        parameters.append(dict(IF_NONE_MATCH))


def _describe_patch(operations: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Describe a merge patch (RFC 7396): any part of what PUT takes; null takes back what is optional."""
    whole = operations["put"]["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    form = schemas[whole.rpartition("/")[2]]
    required = form["required"]
    name = form["title"].removesuffix("Form") + "Patch"
    schemas[name] = {
        "title": name,
        "description": "Some of the settings.",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            name: schema if name in required else {"anyOf": [_without_default(schema), {"type": "null"}]}
            for name, schema in form["properties"].items()
        },
    }
    body = operations["patch"]["requestBody"]["content"]["application/json"]
    body["schema"] = {"$ref": REFERENCE.format(model=name)}


def _without_default(schema: dict[str, Any]) -> dict[str, Any]:
    """What is absent from a patch stays as it is."""
    return {key: value for key, value in schema.items() if key != "default"}
