"""What is told about an alert: the document of the webhook contract, as plain JSON values."""

from collections.abc import Callable
from datetime import UTC, datetime

from glimpser.core.alerts import Alert, Notification
from glimpser.core.events import Event
from glimpser.core.ids import ArtifactId
from glimpser.core.templates import Template
from glimpser.services.tickets import Tickets

PictureLink = Callable[[ArtifactId], str]
"""Makes a URL that opens a picture without signing in."""


def picture_link(base_url: str, tickets: Tickets) -> PictureLink:
    """Make links that begin with `base_url` and carry a ticket."""

    def link(artifact_id: ArtifactId) -> str:
        path = artifact_path(artifact_id)
        return f"{base_url}{path}?ticket={tickets.issue(path)}"

    return link


def artifact_path(artifact_id: ArtifactId) -> str:
    """Give the path of a stored picture."""
    return f"/api/artifacts/{artifact_id}"


def render(
    alert: Alert, event: Event | None, template: Template | None, *, key: str, link: PictureLink
) -> Notification:
    """Make what a channel sends. Event and template may be gone by then; a template's config never leaves."""
    picture_url = link(event.artifact_id) if event and event.artifact_id else None
    return Notification(
        idempotency_key=key,
        title=alert.title,
        body=alert.body,
        level=alert.level,
        picture_url=picture_url,
        document={
            "alert": _alert_values(alert),
            "event": _event_values(event) if event else None,
            "template": _template_values(template) if template else None,
            "picture_url": picture_url,
        },
    )


def _alert_values(alert: Alert) -> dict[str, object]:
    return {
        "id": alert.id,
        "template_id": alert.template_id,
        "event_id": alert.event_id,
        "rule_id": alert.rule_id,
        "kind": alert.kind,
        "level": alert.level.label,
        "title": alert.title,
        "body": alert.body,
        "state": alert.state,
        "created_at": _time(alert.created_at),
    }


def _event_values(event: Event) -> dict[str, object]:
    return {
        "id": event.id,
        "template_id": event.template_id,
        "kind": event.kind,
        "level": event.level.label,
        "message": event.message,
        "metadata": dict(event.metadata),
        "started_at": _time(event.started_at),
        "peak_at": _time(event.peak_at),
        "ended_at": _time(event.ended_at),
        "artifact_id": event.artifact_id,
        "created_at": _time(event.created_at),
    }


def _template_values(template: Template) -> dict[str, object]:
    settings = template.settings
    return {
        "id": template.id,
        "name": settings.name,
        "kind": settings.kind,
        "groups": list(settings.groups),
        "lat": settings.lat,
        "lon": settings.lon,
    }


def _time(moment: datetime | None) -> str | None:
    """Write RFC 3339 with `Z`."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else None
