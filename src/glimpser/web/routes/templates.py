"""Templates: the saved definitions of views."""

import dataclasses
from typing import Annotated

from fastapi import Body, Query, Request, Response
from fastapi.exceptions import HTTPException, RequestValidationError
from pydantic import JsonValue, ValidationError

from glimpser.core.accounts import Principal, Role
from glimpser.core.health import HealthState
from glimpser.core.ids import TemplateId
from glimpser.core.templates import Template, TemplateFilter, TemplateSettings
from glimpser.web.conditions import strong_tag, version_match
from glimpser.web.forms import merge_patch
from glimpser.web.routes.paging import TemplatePage
from glimpser.web.routes.parameters import IfMatch, ThisTemplate
from glimpser.web.shapes import (
    JobStarted,
    KindView,
    Listing,
    Reply,
    TemplateView,
    admin_template_view,
    import_view,
    settings_json,
    template_view,
)
from glimpser.web.template_forms import ProbeForm, TemplateForm
from glimpser.web.wiring import By, Caller, Seen, Services, Wired

FILE_TYPES = (
    "application/yaml",
    "application/json",
    "application/x-yaml",
    "text/yaml",
    "application/vnd.sqlite3",
)
MAX_FILE_BYTES = 32 << 20
"""The database of an original Glimpser holds more than its views."""

Patch = Annotated[dict[str, JsonValue], Body(description="JSON Merge Patch (RFC 7396).")]


async def listing(
    services: Wired,
    caller: Caller,
    page: TemplatePage,
    *,
    kind: str | None = None,
    enabled: bool | None = None,
    group: str | None = None,
    q: Annotated[str | None, Query(max_length=200, description="Text in name or notes.")] = None,
    health: HealthState | None = None,
) -> Response:
    """List templates, oldest first. Viewers see no `config` and no `rules`."""

    def has_health(template: Template) -> bool:
        return services.healths.of(template.id).state is health

    where = TemplateFilter(kind=kind, enabled=enabled, group=group, text=q)
    found = await services.templates.list(
        where, page, within=caller.scope, keep=has_health if health else None
    )
    items = [_view(template, services, caller) for template in found.items]
    return Reply(Listing(items=items, next_cursor=found.next_cursor))


async def create(form: TemplateForm, services: Wired, caller: Caller, by: By, request: Request) -> Response:
    """Add a template. A live one starts at once."""
    template = await services.templates.create(form.settings(), by=by)
    reply = _reply(template, services, caller, status=201)
    reply.headers["Location"] = f"{request.url.path}/{template.id}"
    return reply


async def probe(form: ProbeForm, services: Wired, caller: Caller) -> Response:
    """Try a view before it is saved, or before a change of it is.

    The job's `step` says how far it is, its `result` what was found: `{kind,config,width,height,fps,codec,
    artifact_id}`, without secrets. The picture can be looked at for an hour.
    """
    ask = form.ask()
    if form.template_id is not None:
        stored = await services.templates.get(TemplateId(form.template_id), within=caller.scope)
        ask = dataclasses.replace(
            ask, config=services.templates.completed(ask.config, ask.kind, stored.settings)
        )
    job_id = await services.probing.submit(ask)
    return Reply(
        JobStarted(job_id=job_id), status_code=202, headers={"Location": f"/api/admin/jobs/{job_id}"}
    )


async def export(services: Wired, seen: Seen) -> Response:
    """Write all templates as YAML; secrets are left out, and named."""
    text = await services.moving.export(within=seen)
    headers = {"Content-Disposition": 'attachment; filename="glimpser-templates.yaml"'}
    return Response(text, media_type=FILE_TYPES[0], headers=headers)


async def bring_in(
    services: Wired,
    by: By,
    request: Request,
    *,
    dry_run: Annotated[bool, Query(description="Say what would change, and change nothing.")] = True,
) -> Response:
    """Read templates from what `export` gave, from the streams of glimpser-rs, or from a `glimpser.db`.

    The first two as YAML or JSON; the last is the SQLite database of an original Glimpser.

    A template is known again by its id, else by its name, so that doing it twice adds nothing.
    """
    sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if sent not in FILE_TYPES:
        raise HTTPException(415, f"Send the file, as {', '.join(FILE_TYPES)}.")
    changes = await services.moving.bring_in(await request.body(), by=by, apply=not dry_run)
    return Reply(import_view(changes, dry_run=dry_run))


async def read(template_id: ThisTemplate, services: Wired, caller: Caller) -> Response:
    """Read one. The ETag names the version of the settings; health and stream change without it."""
    template = await services.templates.get(template_id, within=caller.scope)
    return _reply(template, services, caller)


async def replace(
    template_id: ThisTemplate,
    form: TemplateForm,
    services: Wired,
    caller: Caller,
    by: By,
    if_match: IfMatch = None,
) -> Response:
    """Replace all settings; secrets that are absent, and `***` in URLs, stay as they are."""
    template = await services.templates.replace(
        template_id, form.settings(), expected=version_match(if_match), by=by
    )
    return _reply(template, services, caller)


async def patch(
    template_id: ThisTemplate,
    changes: Patch,
    services: Wired,
    caller: Caller,
    by: By,
    if_match: IfMatch = None,
) -> Response:
    """Change some settings by a JSON Merge Patch (RFC 7396). An empty secret removes it."""

    def edit(shown: TemplateSettings) -> TemplateSettings:
        return _parsed(merge_patch(settings_json(shown), changes)).settings()

    template = await services.templates.edit(template_id, edit, expected=version_match(if_match), by=by)
    return _reply(template, services, caller)


async def remove(template_id: ThisTemplate, services: Wired, by: By, if_match: IfMatch = None) -> Response:
    """Remove a template and end its capture; what it captured stays."""
    await services.templates.remove(template_id, expected=version_match(if_match), by=by)
    return Response(status_code=204)


async def kinds(services: Wired) -> Response:
    """List the kinds of views there are, each with the JSON Schema of its config."""
    return Reply(
        [
            KindView(kind=kind.name, title=kind.title, description=kind.description, schema=kind.schema)
            for kind in services.templates.kinds()
        ]
    )


def _view(template: Template, services: Services, caller: Principal) -> TemplateView:
    stream, health = services.live.status(template.id), services.healths.of(template.id)
    paused = services.schedules.is_paused(template.id)
    if caller.role < Role.ADMIN:
        return template_view(template, stream, health, paused=paused)
    shown = services.templates.shown(template.settings)
    secrets = services.templates.secrets_of(template.settings)
    return admin_template_view(template, stream, health, shown=shown, secrets=secrets, paused=paused)


def _reply(template: Template, services: Services, caller: Principal, *, status: int = 200) -> Response:
    view = _view(template, services, caller)
    return Reply(view, status_code=status, headers={"ETag": strong_tag(template.version)})


def _parsed(document: object) -> TemplateForm:
    try:
        return TemplateForm.model_validate(document)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        raise RequestValidationError([item | {"loc": ("body", *item["loc"])} for item in found]) from error
