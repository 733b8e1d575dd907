"""What is kept, as the services see it: one repository per kind of thing, all inside one transaction."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Protocol

from glimpser.core.accounts import ApiKey, AuditEntry, AuditFilter, Scope, User
from glimpser.core.alerts import Alert, AlertFilter, Channel, Delivery
from glimpser.core.events import Artifact, Capture, Event, EventFilter, EventLine, Observation
from glimpser.core.export_repositories import Exports, Pictures
from glimpser.core.health import HealthRecord
from glimpser.core.ids import (
    AlertId,
    ApiKeyId,
    ArtifactId,
    CaptureId,
    ChannelId,
    DeliveryId,
    EventId,
    JobId,
    RuleId,
    StreamTicketId,
    TemplateId,
    UserId,
)
from glimpser.core.jobs import Job, JobFilter
from glimpser.core.pages import Page, PageRequest
from glimpser.core.retention import Kept, Removed
from glimpser.core.rules import RuleHistory
from glimpser.core.schedule_state import ScheduleState
from glimpser.core.stream_tickets import StreamTicket, TicketFilter
from glimpser.core.templates import Template, TemplateFilter, TemplateSettings


class Templates(Protocol):
    def add(self, template: Template) -> None: ...
    def get(self, template_id: TemplateId) -> Template:
        """Raises: NotFound."""
        ...

    def list(self, where: TemplateFilter, page: PageRequest) -> Page[Template]:
        """Oldest first."""
        ...

    def replace(
        self, template_id: TemplateId, settings: TemplateSettings, *, expected: int, now: datetime
    ) -> Template:
        """Raises: NotFound; Stale when the version is not `expected`."""
        ...

    def set_config(self, template_id: TemplateId, config: Mapping[str, object]) -> None:
        """Write a config as it is, where none edits it: the version stays. Raises: NotFound."""
        ...

    def remove(self, template_id: TemplateId, *, expected: int) -> None:
        """Raises: NotFound; Stale. What was captured stays until retention removes it."""
        ...

    def in_groups(self, groups: Sequence[str]) -> AbstractSet[TemplateId]:
        """Give the ids of all templates in any of these groups."""
        ...


class Events(Protocol):
    """Lists are ordered by `started_at`, then id, so that `start` and `end` cut a list at its ends."""

    def add(self, event: Event) -> None: ...
    def get(self, event_id: EventId) -> Event:
        """Raises: NotFound."""
        ...

    def list(self, where: EventFilter, page: PageRequest) -> Page[Event]:
        """Newest first."""
        ...

    def lines(self, where: EventFilter, page: PageRequest) -> Page[EventLine]:
        """Give the same page as `list`, for passing on."""
        ...

    def update(self, event: Event) -> None:
        """Write metadata, level, message, peak, end and artifact of an event that goes on.

        Raises: NotFound.
        """
        ...

    def unfinished(self, kind: str) -> Sequence[Event]:
        """Give the events of a kind that have no end."""
        ...


class Captures(Protocol):
    def add(self, capture: Capture) -> None: ...
    def get(self, capture_id: CaptureId) -> Capture: ...
    def list(self, template_id: TemplateId | None, page: PageRequest) -> Page[Capture]:
        """Newest first."""
        ...

    def finish(self, capture: Capture) -> None:
        """Write status, end, artifacts, details and error of a capture that ran."""
        ...

    def running(self) -> Sequence[Capture]: ...
    def session_at(self, template_id: TemplateId, moment: datetime) -> Capture | None:
        """Give the live session that had begun last at `moment`; it may have ended before."""
        ...


class Artifacts(Protocol):
    def add(self, artifact: Artifact) -> None: ...
    def get(self, artifact_id: ArtifactId) -> Artifact:
        """Raises: NotFound."""
        ...

    def remove(self, artifact_id: ArtifactId) -> None:
        """Take the row away and mark its object as garbage, in this transaction."""
        ...

    def expire(self, artifact_id: ArtifactId, at: datetime) -> None:
        """Have an artifact removed after this moment. What names it stays as it is until then."""
        ...

    def pin(self, artifact_id: ArtifactId, *, pinned: bool) -> None:
        """Have an artifact kept whatever its age, or no more. Raises: NotFound."""
        ...

    def remove_expired(self, now: datetime, limit: int) -> int:
        """Remove, as `remove` does, at most so many whose time has come; gives how many those were.

        What is pinned stays.
        """
        ...

    def after(self, artifact_id: ArtifactId | None, limit: int) -> Sequence[Artifact]:
        """Give artifacts in id order, for walking all of them."""
        ...

    def after_uri(self, uri: str, limit: int) -> Sequence[Artifact]:
        """Give artifacts in the order of their URIs by code point, for walking them beside a store."""
        ...

    def known(self, uris: Sequence[str]) -> AbstractSet[str]:
        """Give those of at most 500 URIs that an artifact or the garbage names."""
        ...

    def newest(self) -> Artifact | None: ...
    def count_below(self, base_uri: str) -> int:
        """Count those whose URI begins so."""
        ...

    def set_uri(self, artifact_id: ArtifactId, uri: str) -> None:
        """Have the row name an object elsewhere; what it named before is nobody's concern."""
        ...

    def relocate(self, artifact_id: ArtifactId, uri: str, moved_to: str) -> None:
        """Have the row name a copy, and mark the old object as garbage; the copy, if the row has gone."""
        ...


class Garbage(Protocol):
    """URIs whose rows are gone and whose objects are still to be deleted."""

    def count(self) -> int: ...
    def list(self, limit: int) -> Sequence[str]: ...
    def forget(self, uris: Sequence[str]) -> None: ...


class Retention(Protocol):
    """What has been kept long enough.

    Whatever is pinned, has an end of its own, is a view's last good picture, or belongs to an alert that
    somebody is still to be told of, is neither given nor removed. The view None is that of what names none.
    """

    def next_view(self, after: TemplateId | None) -> TemplateId | None:
        """Give the next id, in their order, of which anything is kept; its template may be gone."""
        ...

    def pictures(self, view: TemplateId | None, *, until: tuple[datetime, str], limit: int) -> Sequence[Kept]:
        """Give a view's artifacts from the newest to the oldest, those before this time and id."""
        ...

    def all_pictures(self, *, until: str, limit: int) -> Sequence[Kept]:
        """Give those of all views in the order of their ids, the newest first, those before this id."""
        ...

    def remove_pictures(self, ids: Sequence[ArtifactId]) -> Removed:
        """Take at most 500 rows away and mark their objects as garbage, in this transaction."""
        ...

    def remove_events(self, view: TemplateId, *, before: datetime, limit: int) -> int:
        """Remove at most so many that began before then and have ended; gives how many."""
        ...

    def remove_captures(self, view: TemplateId, *, before: datetime, limit: int) -> int: ...
    def remove_observations(self, view: TemplateId, *, before: datetime, limit: int) -> int: ...
    def remove_alerts(self, view: TemplateId | None, *, before: datetime, limit: int) -> int:
        """Remove those made before then, with their deliveries."""
        ...


class Counts(Protocol):
    def all(self) -> Mapping[str, int]:
        """Count templates, artifacts, captures, events, alerts and garbage. Reads whole indexes."""
        ...


class Observations(Protocol):
    def add(self, observation: Observation) -> None: ...
    def list(
        self, template_id: TemplateId, name: str | None, start: datetime | None, end: datetime | None
    ) -> Sequence[Observation]:
        """Oldest first, at most 10,000."""
        ...


class Users(Protocol):
    def add(self, user: User) -> None:
        """Raises: Conflict when the email is taken (compared without case)."""
        ...

    def get(self, user_id: UserId) -> User:
        """Raises: NotFound."""
        ...

    def by_email(self, email: str) -> User | None: ...
    def count(self) -> int: ...
    def count_active_admins(self) -> int:
        """Count the admins that are not disabled."""
        ...

    def list(self, page: PageRequest) -> Page[User]:
        """Oldest first."""
        ...

    def replace(self, user: User, *, expected: int) -> User:
        """Write email, role, groups, disabled, password hash and session epoch; the version rises.

        Raises: NotFound; Stale when the version is not `expected`; Conflict when the email is taken.
        """
        ...

    def remove(self, user_id: UserId, *, expected: int) -> None:
        """Raises: NotFound; Stale."""
        ...

    def set_password_hash(self, user_id: UserId, password_hash: str) -> None:
        """Write the same password at another cost: no edit, the version stays. Raises: NotFound."""
        ...


class ApiKeys(Protocol):
    def add(self, key: ApiKey) -> None: ...
    def get(self, key_id: ApiKeyId) -> ApiKey:
        """Raises: NotFound."""
        ...

    def list(self, page: PageRequest) -> Page[ApiKey]:
        """Oldest first."""
        ...

    def remove(self, key_id: ApiKeyId) -> None:
        """Raises: NotFound."""
        ...

    def note_uses(self, uses: Mapping[ApiKeyId, datetime]) -> None:
        """Write when keys were last used; those that are gone are ignored."""
        ...


class StreamTickets(Protocol):
    def add(self, ticket: StreamTicket) -> None: ...
    def get(self, ticket_id: StreamTicketId) -> StreamTicket:
        """Raises: NotFound."""
        ...

    def count(self, maker_id: str) -> int:
        """Count those that somebody has made."""
        ...

    def list(self, where: TicketFilter, page: PageRequest) -> Page[StreamTicket]:
        """Oldest first."""
        ...

    def remove(self, ticket_id: StreamTicketId) -> None:
        """Raises: NotFound."""
        ...

    def purge(self, now: datetime) -> int:
        """Forget those that are over; gives how many."""
        ...


class Revocations(Protocol):
    """Tokens that are refused although they have not expired."""

    def add(self, token_id: str, expires_at: datetime) -> None: ...
    def is_revoked(self, token_id: str) -> bool: ...
    def purge(self, now: datetime) -> int:
        """Forget those that have expired; gives how many."""
        ...


class Audit(Protocol):
    def add(self, entry: AuditEntry) -> None: ...
    def list(self, where: AuditFilter, page: PageRequest) -> Page[AuditEntry]:
        """Newest first, by `at`, then id."""
        ...


class Settings(Protocol):
    """Small things the program remembers about itself."""

    def get(self, key: str) -> str | None: ...
    def put(self, key: str, value: str) -> None: ...


class Healths(Protocol):
    """What is known of the health of views, one record each."""

    def put(self, record: HealthRecord) -> None:
        """Write a record in place of the one there was."""
        ...

    def remove(self, template_id: TemplateId) -> None:
        """Forget a view; one that is not known is ignored."""
        ...

    def after(self, template_id: TemplateId | None, limit: int) -> Sequence[HealthRecord]:
        """Give records in the order of their templates' ids, for walking all of them."""
        ...


class Channels(Protocol):
    def add(self, channel: Channel) -> None: ...
    def get(self, channel_id: ChannelId) -> Channel:
        """Raises: NotFound."""
        ...

    def list(self, page: PageRequest) -> Page[Channel]:
        """Oldest first."""
        ...

    def replace(self, channel: Channel, *, expected: int) -> Channel:
        """Write name, kind, config, enabled and updated_at; the version rises.

        Raises: NotFound; Stale when the version is not `expected`.
        """
        ...

    def set_config(self, channel_id: ChannelId, config: Mapping[str, object]) -> None:
        """Write a config as it is, where none edits it: the version stays."""
        ...

    def remove(self, channel_id: ChannelId, *, expected: int) -> None:
        """Raises: NotFound; Stale. Its deliveries stay; those that wait will end `dead`."""
        ...

    def set_last_result(self, channel_id: ChannelId, result: str) -> None:
        """Note what a delivery or test came to. This is no edit: the version stays.

        A channel that is gone is ignored.
        """
        ...


class Alerts(Protocol):
    """Alerts come with their deliveries, in the order of their channels' ids.

    Lists are ordered by `created_at`, then id.
    """

    def add(self, alert: Alert) -> None:
        """Write the alert and its deliveries.

        Raises: Conflict when there is an alert of this rule (or of the level alone) for this event, or the
        event is gone; nothing was written then, and the transaction may go on.
        """
        ...

    def get(self, alert_id: AlertId) -> Alert:
        """Raises: NotFound."""
        ...

    def list(self, where: AlertFilter, page: PageRequest) -> Page[Alert]:
        """Newest first."""
        ...

    def set_state(self, alert: Alert) -> None:
        """Write state, acked_by and acked_at. Raises: NotFound."""
        ...

    def history(self, rule_id: RuleId | None, template_id: TemplateId, event_id: EventId) -> RuleHistory:
        """Tell when the rule last fired on the template, and whether it did for this event.

        None asks for what the level alone made.
        """
        ...


class Deliveries(Protocol):
    """They are added with their alert."""

    def get(self, delivery_id: DeliveryId) -> Delivery:
        """Raises: NotFound."""
        ...

    def update(self, delivery: Delivery) -> None:
        """Write status, attempts, last_error, next_attempt_at, sent_at and provider_response.

        Raises: NotFound.
        """
        ...

    def unsettled(self, after: DeliveryId | None, limit: int) -> Sequence[Delivery]:
        """Give those neither `sent` nor `dead`, in id order, for walking all of them."""
        ...


class Jobs(Protocol):
    """Who claimed a job holds it until its lease ends, and writes under the claim's fence.

    A write under an older fence, or on a job that no longer runs, changes nothing.
    """

    def add(self, job: Job) -> bool:
        """Add a job; False when its idempotency key is there already, and then nothing is added."""
        ...

    def add_all(self, jobs: Sequence[Job]) -> int:
        """Add jobs, but for those whose idempotency key is there already; gives how many were added."""
        ...

    def busy(self, kind: str) -> AbstractSet[TemplateId]:
        """Give the templates for which a job of this kind waits or runs."""
        ...

    def get(self, job_id: JobId) -> Job:
        """Raises: NotFound."""
        ...

    def by_key(self, idempotency_key: str) -> Job | None: ...
    def list(self, where: JobFilter, page: PageRequest) -> Page[Job]:
        """Newest first."""
        ...

    def claim(
        self, kinds: Sequence[str], *, limit: int, now: datetime, lease_until: datetime
    ) -> Sequence[Job]:
        """Take at most `limit` jobs: those whose lease ran out, then the due ones by priority and age.

        They are running then, with `started_at` now, fence + 1 and attempts + 1. One that kills its worker
        each time comes back with more attempts than `max_attempts`: the caller gives it up.
        """
        ...

    def extend(self, job_id: JobId, *, fence: int, lease_until: datetime) -> bool:
        """Keep a claim; False when it was lost."""
        ...

    def finish(self, job: Job, *, fence: int) -> bool:
        """End a claim: write status, scheduled_for, ended_at, progress, step, result and error.

        False when the claim was lost. The status is any but `running`; `pending` tries again.
        """
        ...

    def release(self, job_id: JobId, *, fence: int, until: datetime | None = None) -> bool:
        """Give a claim back that came to nothing: no attempt is counted.

        The job is due as before, or at `until`. False when the claim was lost.
        """
        ...

    def report(self, job_id: JobId, *, fence: int, progress: float | None, step: str | None) -> bool:
        """Note how far a claimed job has come; False when the claim was lost."""
        ...

    def cancel(self, job: Job) -> bool:
        """End a job that waits, with `ended_at` and `error`; False when it does not wait any more."""
        ...

    def request_cancel(self, job_id: JobId) -> bool:
        """Have whoever runs the job end it; False when it does not run any more."""
        ...

    def cancelling(self, kinds: Sequence[str]) -> Sequence[JobId]:
        """Give those that run and are to end."""
        ...

    def replay(self, job_id: JobId, *, now: datetime) -> bool:
        """Have a job that failed, died or was cancelled tried again, as if it had never been tried.

        False when it is none of these any more, so that of two who ask at once one succeeds.
        """
        ...

    def purge(self, *, before: datetime, limit: int) -> int:
        """Delete at most `limit` jobs that ended before then, the oldest first; gives how many."""
        ...

    def nth_end(self, number: int) -> datetime | None:
        """Tell when the job ended after which `number` others did; None if there are fewer."""
        ...

    def unfinished(self, after: JobId | None, limit: int) -> Sequence[Job]:
        """Give those that are `pending` or `running`, in id order, for walking all of them."""
        ...


class Schedules(Protocol):
    """How far schedules have come; a template that is removed takes its own with it."""

    def get(self, template_id: TemplateId) -> ScheduleState | None: ...
    def all(self) -> Sequence[ScheduleState]: ...
    def put(self, states: Sequence[ScheduleState]) -> None:
        """Write all of each, whether it is there or not. Raises: Conflict when a template is gone."""
        ...

    def settle(self, states: Sequence[ScheduleState]) -> None:
        """Write how far they have come and what ran last; of those that are gone, nothing."""
        ...

    def paused(self) -> AbstractSet[TemplateId]: ...


class Transaction(Protocol):
    """All repositories inside one transaction. Not to be kept beyond the function it is given to."""

    def within(self, scope: Scope) -> "Transaction":
        """Give the same transaction as somebody with this scope sees it.

        What templates, events, captures, artifacts, observations, alerts, jobs and exports lie outside is not
        in its lists, and `get` raises NotFound for it. Writes are not narrowed: get first what is to be
        changed.
        """
        ...

    @property
    def templates(self) -> Templates: ...
    @property
    def events(self) -> Events: ...
    @property
    def captures(self) -> Captures: ...
    @property
    def artifacts(self) -> Artifacts: ...
    @property
    def garbage(self) -> Garbage: ...
    @property
    def counts(self) -> Counts: ...
    @property
    def retention(self) -> Retention: ...
    @property
    def observations(self) -> Observations: ...
    @property
    def users(self) -> Users: ...
    @property
    def api_keys(self) -> ApiKeys: ...
    @property
    def stream_tickets(self) -> StreamTickets: ...
    @property
    def revocations(self) -> Revocations: ...
    @property
    def audit(self) -> Audit: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def healths(self) -> Healths: ...
    @property
    def channels(self) -> Channels: ...
    @property
    def alerts(self) -> Alerts: ...
    @property
    def deliveries(self) -> Deliveries: ...
    @property
    def jobs(self) -> Jobs: ...
    @property
    def schedules(self) -> Schedules: ...
    @property
    def exports(self) -> Exports: ...
    @property
    def pictures(self) -> Pictures: ...
