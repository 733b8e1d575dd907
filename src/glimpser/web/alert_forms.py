"""What channels may be made with, and what may be tried: messages and rules."""

from datetime import datetime
from typing import Annotated

from pydantic import ConfigDict, Field, JsonValue

from glimpser.core.events import Event, Level
from glimpser.core.ids import EventId, TemplateId, new_id
from glimpser.rules.parse import MAX_RULES, RuleForm
from glimpser.services.channels import TEST_BODY, TEST_TITLE, ChannelDraft
from glimpser.web.forms import Form, Name, ReadOnly, Text, Time, Ulid
from glimpser.web.shapes import LevelName

CHANNEL_EXAMPLE: dict[str, JsonValue] = {
    "name": "House",
    "kind": "webhook",
    "config": {"url": "https://hooks.example.org/glimpser", "secret": "at least sixteen characters"},
}


class ChannelForm(Form):
    """A channel to be: POST and PUT. Absent secrets are kept."""

    model_config = ConfigDict(json_schema_extra={"examples": [CHANNEL_EXAMPLE]})

    name: Name
    kind: Annotated[str, Field(max_length=32)]
    config: dict[str, JsonValue]
    enabled: bool = True
    id: ReadOnly = None
    version: ReadOnly = None
    last_result: ReadOnly = None
    created_at: ReadOnly = None
    updated_at: ReadOnly = None

    def draft(self) -> ChannelDraft:
        return ChannelDraft(name=self.name, kind=self.kind, config=self.config, enabled=self.enabled)


class AlertTestForm(Form):
    """A message to try channels with; without ids, all that are switched on."""

    channel_ids: Annotated[list[Ulid], Field(max_length=64)] | None = None
    title: Annotated[Text, Field(min_length=1, max_length=200)] = TEST_TITLE
    body: Annotated[Text, Field(max_length=2000)] = TEST_BODY


class TriedEventForm(Form):
    """An event as the API shows it, of which rules look at `kind` and `metadata`."""

    kind: Annotated[str, Field(max_length=64)] = "motion"
    level: LevelName = "info"
    message: Annotated[str, Field(max_length=1000)] = ""
    metadata: dict[str, JsonValue] = {}
    started_at: Time | None = None
    id: ReadOnly = None
    template_id: ReadOnly = None
    peak_at: ReadOnly = None
    ended_at: ReadOnly = None
    artifact_id: ReadOnly = None
    created_at: ReadOnly = None

    def event(self, now: datetime) -> Event:
        return Event(
            id=EventId(new_id()),
            template_id=TemplateId(new_id()),
            kind=self.kind,
            level=Level[self.level.upper()],
            message=self.message,
            metadata=self.metadata,
            started_at=self.started_at or now,
            created_at=now,
        )


class RulesTestForm(Form):
    """Rules to try on an event at a time (now); `last_fired_at` is when each of them last fired."""

    rules: Annotated[list[RuleForm], Field(max_length=MAX_RULES)]
    event: TriedEventForm
    at: Time | None = None
    last_fired_at: Time | None = None
