"""Loaded by schemathesis: where one of its checks does not fit, and why.

All of them are about requests that a JSON Schema allows and the API refuses (422), or the other way round.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import schemathesis
from schemathesis.core.failures import Failure, ServerError
from schemathesis.openapi.checks import JsonSchemaError, RejectedPositiveData, UnsupportedMethodResponse

BEYOND_SCHEMAS: Mapping[str, str] = {
    r"/cursor: This is not a cursor": "a cursor is opaque: only lists make them",
    r"/(kind|config/.*): ": "kinds, and what their configs hold, are told by the lists of kinds",
    r"/url: Give a url, or a kind": "one of them, not both",
    r"/lat: A place needs both": "it is null or not with the other",
    r"(/zones|/rules/\d+/id): (Two|Another) ": "no two of them have one name",
    r"/(zones/\d+/points|motion_masks/\d+): ": "what points make a polygon is geometry",
    r"/rules/\d+/when/zone: There is no zone": "the zone is one of the template's",
    r"/(rules/\d+/)?timezone: There is no time zone": "time zones are those of the IANA database",
    r"/(cron|schedule): ": "cron expressions have a grammar of their own, and name days that there are",
    r"/schedule_windows: No slot ": "whether a slot lies in a window, the calendar knows",
    r"/duration_s: (Say how long|Only a recording)": "what is recorded lasts, and nothing else does",
    r"/from: `from` is later": "a period has an end behind its beginning",
    r"/(from|to): Say from when to when": "a period has both ends, and only a teaser has one of its own",
    r"/to: A video lasts": "how long a period is, is arithmetic",
    r"/template_id: (A |Give a |There is no )": "what an export is of depends on its kind",
    r"/group: (A teaser|There is no view)": "likewise",
    r"/(length_s|fps|width): A ": "what a film has, an archive has not",
    r"/(.*/)?(name|title|zone|groups/\d+): String should have at least 1": "spaces around it do not count",
    r"/template_id: This is not the id": "the client takes what it wrote into a read-only `id` for one",
    r"/expires_at: This time has passed": "what has passed is known to clocks alone",
    r".*: This time lies outside the calendar": "a format has no limits",
}
"""How refusals of fields begin, pointer and message, that no JSON Schema can state; and why."""

METHODS_BY_ID: Mapping[str, Collection[str]] = {
    "/api/alerts/test": {"GET"},
    "/api/templates/probe": {"GET", "PUT", "PATCH", "DELETE"},
    "/api/templates/export": {"PUT", "PATCH", "DELETE"},
    "/api/templates/import": {"GET", "PUT", "PATCH", "DELETE"},
}
"""Methods that take the end of a path for an id, such as that of an alert which is called "test"."""

BEYOND_FIELDS = re.compile(r"A text in the body holds control characters\.")
"""Holds for a body as a whole, names and values at any depth."""


@schemathesis.hook
def filter_failure(
    context: schemathesis.HookContext,
    failure: Failure,
    case: schemathesis.Case[Any],
    response: schemathesis.Response,
) -> bool:
    """Tell whether a failure is one."""
    if isinstance(failure, UnsupportedMethodResponse):
        return case.method not in METHODS_BY_ID.get(case.path, ())
    if isinstance(failure, ServerError):
        # A view without a picture, of a camera that the client made up: 503 is the answer.
        return not (response.status_code == 503 and case.path.endswith("/snapshot"))
    if isinstance(failure, JsonSchemaError) and case.path == "/api/templates/export":
        return False  # the client parses YAML, which the description gives as the bytes of a file
    if isinstance(failure, RejectedPositiveData) and response.status_code == 422:
        if case.path == "/api/templates/import":
            return False  # what a file of views holds is told in the guide: to the description it is bytes
        return not _is_beyond_schemas(response.json())
    return True


def _is_beyond_schemas(problem: Mapping[str, object]) -> bool:
    refusals = list(_refusals(problem.get("errors")))
    if not refusals:
        return BEYOND_FIELDS.fullmatch(str(problem["detail"])) is not None
    return all(any(re.match(known, refusal) for known in BEYOND_SCHEMAS) for refusal in refusals)


def _refusals(errors: object) -> Iterator[str]:
    for error in errors if isinstance(errors, list) else ():
        yield f"{error['pointer']}: {error['message']}"
