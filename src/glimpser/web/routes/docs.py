"""Swagger UI from the installed package's own files, runbooks, a dashboard: nothing from another server."""

from collections.abc import Iterator, Mapping
from html import escape
from importlib.resources import files

import msgspec
from fastapi import Response

from glimpser.core.errors import NotFound
from glimpser.web.shapes.reply import Reply

PACKAGE_FILES: Mapping[str, str] = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon-32x32.png": "image/png",
}
MEDIA_TYPES = tuple(sorted(set(PACKAGE_FILES.values())))

# Beyond 'self': Swagger UI writes style attributes, and its style sheet holds pictures as data: URLs.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Glimpser: the interface</title>
<link rel="icon" href="/docs/assets/favicon-32x32.png">
<link rel="stylesheet" href="/docs/assets/swagger-ui.css">
</head>
<body>
{runbooks}
<nav>How it is now: <a href="/system">the system</a>, <a href="/jobs">the jobs</a>,
<a href="/docs/dashboard.json" download="glimpser.json">a dashboard for Grafana</a></nav>
<div id="interface"></div>
<script src="/docs/assets/swagger-ui-bundle.js"></script>
<script src="/docs/assets/start.js"></script>
</body>
</html>
"""

START = """"use strict";
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#interface",
  deepLinking: true,
  validatorUrl: null,
  displayRequestDuration: true,
});
"""


async def page() -> Response:
    """Show this interface in the browser, ready to be tried."""
    titles = ((name, escape(text.partition("\n")[0].removeprefix("# "))) for name, text in _runbooks())
    links = (f'<a href="/docs/runbooks/{name}">{title}</a>' for name, title in titles)
    runbooks = f"<nav>If something is wrong: {', '.join(links)}</nav>"
    content = PAGE.replace("{runbooks}", runbooks)
    return Response(content, media_type="text/html", headers={"Content-Security-Policy": POLICY})


async def dashboard() -> Response:
    """Give a dashboard of Grafana for the series at `/metrics`, as a file to import there."""
    content = files("glimpser").joinpath("dashboards", "glimpser.json").read_bytes()
    return Reply(msgspec.Raw(content))


async def runbook(runbook: str) -> Response:
    """Tell what to do when something is wrong, as plain text."""
    found = dict(_runbooks()).get(runbook)
    if found is None:
        raise NotFound("There is no such runbook.")
    return Response(found, media_type="text/plain")


def _runbooks() -> Iterator[tuple[str, str]]:
    """Give the name and text of each; a text begins with its title (`# `)."""
    folder = files("glimpser").joinpath("runbooks")
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".md"):
            yield file.name.removesuffix(".md"), file.read_text(encoding="utf-8")


async def asset(name: str) -> Response:
    """Give one of the page's files."""
    if name == "start.js":
        return Response(START, media_type="text/javascript")
    if name not in PACKAGE_FILES:
        raise NotFound("The page has no such file.")
    content = files("fastapi_swagger").joinpath("resources", name).read_bytes()
    return Response(content, media_type=PACKAGE_FILES[name], headers={"Cache-Control": "max-age=86400"})
