"""Swagger UI from the installed package's own files: nothing comes from another server."""

from collections.abc import Mapping
from importlib.resources import files

from fastapi import Response

from glimpser.core.errors import NotFound

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
    return Response(PAGE, media_type="text/html", headers={"Content-Security-Policy": POLICY})


async def asset(name: str) -> Response:
    """Give one of the page's files."""
    if name == "start.js":
        return Response(START, media_type="text/javascript")
    if name not in PACKAGE_FILES:
        raise NotFound("The page has no such file.")
    content = files("fastapi_swagger").joinpath("resources", name).read_bytes()
    return Response(content, media_type=PACKAGE_FILES[name], headers={"Cache-Control": "max-age=86400"})
