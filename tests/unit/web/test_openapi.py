"""The OpenAPI document: the one that lies in docs/reference, and what it says beyond FastAPI's own words."""

from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from glimpser import __version__
from glimpser.cli import app
from glimpser.web.application import openapi_document
from glimpser.web.template_forms import NEUTRAL
from glimpser.web.wiring import WebSettings

GOLDEN = Path(__file__).parents[3] / "docs/reference/openapi.json"


def document() -> dict[str, Any]:
    return openapi_document(WebSettings(version=__version__))


def test_the_document_in_the_reference_is_the_programs_own() -> None:
    told = CliRunner().invoke(app, ["openapi"])

    assert told.exit_code == 0
    assert told.stdout == GOLDEN.read_text(encoding="utf-8"), (
        "The interface is no longer what docs/reference/openapi.json says. If that is meant, `just openapi` "
        "writes the document anew and `just web-types` the types of the web app."
    )


def test_operations_have_names_of_their_own() -> None:
    names = [
        operation["operationId"]
        for operations in document()["paths"].values()
        for operation in operations.values()
    ]

    assert len(names) == len(set(names)) > 30


def test_a_write_that_needs_a_version_says_so() -> None:
    paths = document()["paths"]

    for path in ("/api/templates/{template_id}", "/api/admin/channels/{channel_id}"):
        for method in {"put", "patch", "delete"} & paths[path].keys():
            operation = paths[path][method]
            [condition] = [item for item in operation["parameters"] if item["name"] == "if-match"]
            assert condition["required"], (method, path)
            assert "428" in operation["responses"], (method, path)


def test_a_patch_takes_any_part_of_what_put_takes() -> None:
    schemas = document()["components"]["schemas"]
    form, patch = schemas["TemplateForm"], schemas["TemplatePatch"]

    assert patch["properties"].keys() == form["properties"].keys()
    assert "required" not in patch
    assert patch["additionalProperties"] is False
    assert patch["properties"]["name"] == form["properties"]["name"]
    assert {"type": "null"} in patch["properties"]["notes"]["anyOf"]


def test_fields_of_later_versions_take_one_value() -> None:
    fields = document()["components"]["schemas"]["TemplateForm"]["properties"]

    for name, neutral in NEUTRAL.items():
        field = fields[name]
        only = None if field.get("type") == "null" else [] if field.get("maxItems") == 0 else field["const"]
        assert only == neutral, name


def test_headers_are_described_where_they_are_sent() -> None:
    described = document()
    paths, shared = described["paths"], described["components"]["responses"]

    assert set(paths["/api/events"]["get"]["responses"]["304"]["headers"]) == {"ETag"}
    assert set(paths["/api/templates"]["post"]["responses"]["201"]["headers"]) == {"ETag", "Location"}
    assert set(shared["Unauthorized"]["headers"]) == {"WWW-Authenticate"}
    assert set(shared["TooManyRequests"]["headers"]) == {"Retry-After"}
    assert shared["NotFound"]["content"].keys() == {"application/problem+json"}


def test_everything_that_is_read_as_json_may_be_known_already() -> None:
    for path, operations in document()["paths"].items():
        read = operations.get("get", {"responses": {}})
        if "application/json" in read["responses"].get("200", {}).get("content", {}):
            names = [parameter["name"] for parameter in read["parameters"]]
            assert "304" in read["responses"], path
            assert "if-none-match" in names, path


def test_what_lists_hold_is_described() -> None:
    schemas = document()["components"]["schemas"]
    lists = {name: schema for name, schema in schemas.items() if name.endswith("List")}

    assert len(lists) >= 9
    for name, schema in lists.items():
        assert schema["properties"]["items"]["items"], name
