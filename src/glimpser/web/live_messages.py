"""The text messages of the live socket: what happened, in the shapes the rest of the interface uses."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from glimpser.core.errors import GlimpserError
from glimpser.core.ids import TemplateId
from glimpser.services.notices import (
    AlertNotice,
    EventNotice,
    HealthNotice,
    JobNotice,
    Notice,
    StreamNotice,
    SystemNotice,
)
from glimpser.web.problems import status_of
from glimpser.web.shapes import alert_view, event_view, health_view, job_view, stream_view


@dataclass(frozen=True, slots=True)
class TileRefused:
    """A tile that cannot be shown, and why. It is tried again while the client asks for it."""

    template_id: TemplateId
    error: GlimpserError


_encoder = msgspec.json.Encoder()


def as_text(message: Notice | TileRefused) -> str:
    """Put a message into the JSON a socket sends."""
    document = _refusal(message) if isinstance(message, TileRefused) else _document(message)
    return _encoder.encode(document).decode()


def _document(message: Notice) -> Mapping[str, object]:
    match message:
        case StreamNotice(template_id, status):
            return {"type": "state", "template_id": template_id, "stream": stream_view(status)}
        case HealthNotice(template_id, health):
            return {"type": "health", "template_id": template_id, "health": health_view(health)}
        case EventNotice(event):
            return {"type": "event", "event": event_view(event)}
        case AlertNotice(alert):
            return {"type": "alert", "alert": alert_view(alert)}
        case JobNotice(job):
            return {"type": "job", "job": job_view(job)}
        case SystemNotice(part, state, detail):
            return {"type": "system", "part": part, "state": state, "detail": detail}


def _refusal(refused: TileRefused) -> Mapping[str, object]:
    return {
        "type": "error",
        "template_id": refused.template_id,
        "status": status_of(refused.error),
        "detail": refused.error.detail,
    }
