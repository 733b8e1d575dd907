"""What every database keeps to."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any

import pytest

from glimpser.core.accounts import AuditFilter, Role
from glimpser.core.errors import Conflict, InvalidInput, NotFound, Stale
from glimpser.core.events import EventFilter, Level
from glimpser.core.ids import ArtifactId, CaptureId, EventId, TemplateId, UserId, new_id
from glimpser.core.motion import MotionSettings
from glimpser.core.pages import PageRequest
from glimpser.core.ports import Database
from glimpser.core.repositories import Transaction
from glimpser.core.templates import TemplateFilter
from tests.contract.given import add, every_page
from tests.contract.samples import (
    ORDINARY,
    VIEW,
    artifact,
    at,
    audit_entry,
    capture,
    event,
    id_at,
    observation,
    template,
    user,
)

pytestmark = pytest.mark.anyio

FIRST = PageRequest(limit=200)
OTHER_VIEW = TemplateId("01JQ1111111111111111111111")


def _remove(artifact_id: ArtifactId, tx: Transaction) -> None:
    tx.artifacts.remove(artifact_id)


class TestTemplates:
    async def test_gives_back_every_field(self, database: Database) -> None:
        saved = template()

        await add(database, saved)

        assert await database.read(lambda tx: tx.templates.get(saved.id)) == saved

    async def test_does_not_know_another_id(self, database: Database) -> None:
        with pytest.raises(NotFound):
            await database.read(lambda tx: tx.templates.get(TemplateId(new_id())))

    async def test_replaces_with_the_next_version(self, database: Database) -> None:
        saved = template()
        await add(database, saved)
        wanted = replace(
            ORDINARY, name="Back door", groups=("garden",), motion=MotionSettings(detector="off")
        )

        replaced = await database.write(
            lambda tx: tx.templates.replace(saved.id, wanted, expected=1, now=at(9))
        )

        assert replaced == replace(saved, settings=wanted, version=2, updated_at=at(9))
        assert await database.read(lambda tx: tx.templates.get(saved.id)) == replaced
        assert await self.names(database, group="garden") == ["Back door"]
        assert await self.names(database, group="street") == []

    async def test_refuses_a_stale_change_and_says_where_it_stands(self, database: Database) -> None:
        saved = template()
        await add(database, saved)

        with pytest.raises(Stale, match="version 1"):
            await database.write(lambda tx: tx.templates.replace(saved.id, ORDINARY, expected=2, now=at(0)))
        with pytest.raises(Stale):
            await database.write(lambda tx: tx.templates.remove(saved.id, expected=2))
        with pytest.raises(NotFound):
            await database.write(
                lambda tx: tx.templates.replace(TemplateId(new_id()), ORDINARY, expected=1, now=at(0))
            )

        assert await database.read(lambda tx: tx.templates.get(saved.id)) == saved

    async def test_removes_and_keeps_what_was_captured(self, database: Database) -> None:
        saved, happened = template(), event()
        await add(database, saved, replace(happened, template_id=saved.id))

        await database.write(lambda tx: tx.templates.remove(saved.id, expected=1))

        with pytest.raises(NotFound):
            await database.read(lambda tx: tx.templates.get(saved.id))
        assert (await database.read(lambda tx: tx.events.get(happened.id))).template_id == saved.id
        assert await self.names(database, group="street") == []

    @pytest.mark.parametrize(
        ("where", "expected"),
        [
            ({}, ["Front door", "100% Ärger", "Garden"]),
            ({"kind": "file"}, ["Garden"]),
            ({"enabled": True}, ["Front door", "Garden"]),
            ({"enabled": False}, ["100% Ärger"]),
            ({"group": "street"}, ["Front door", "Garden"]),
            ({"group": "Street"}, []),
            ({"text": "DOOR"}, ["Front door"]),
            ({"text": "ärger"}, ["100% Ärger"]),
            ({"text": "0%"}, ["100% Ärger"]),
            ({"text": "%"}, ["100% Ärger"]),
            ({"text": "_"}, []),
            ({"text": "roses"}, ["Garden"]),
            ({"kind": "file", "enabled": True, "group": "street", "text": "gar"}, ["Garden"]),
        ],
    )
    async def test_lists_oldest_first_what_fits(
        self, database: Database, where: dict[str, Any], expected: list[str]
    ) -> None:
        await add(
            database,
            replace(template(), id=TemplateId(id_at(1))),
            replace(template(name="100% Ärger", enabled=False, groups=()), id=TemplateId(id_at(2))),
            replace(template(name="Garden", kind="file", notes="Roses"), id=TemplateId(id_at(3))),
        )

        assert await self.names(database, **where) == expected

    async def test_pages_hold_every_template_once(self, database: Database) -> None:
        saved = [replace(template(), id=TemplateId(id_at(number))) for number in range(5)]
        await add(database, *saved)

        found = await every_page(database, lambda tx, page: tx.templates.list(TemplateFilter(), page), 2)

        assert found == saved

    async def test_a_full_last_page_has_no_cursor(self, database: Database) -> None:
        await add(database, template(), template())

        page = await database.read(lambda tx: tx.templates.list(TemplateFilter(), PageRequest(limit=2)))

        assert len(page.items) == 2
        assert page.next_cursor is None

    async def names(self, database: Database, **where: Any) -> list[str]:
        page = await database.read(lambda tx: tx.templates.list(TemplateFilter(**where), FIRST))
        return [found.settings.name for found in page.items]


class TestEvents:
    async def test_gives_back_every_field(self, database: Database) -> None:
        picture = artifact()
        happened = event(peak_at=at(1), ended_at=at(2), artifact_id=picture.id, level=Level.CRITICAL)

        await add(database, picture, happened)

        assert await database.read(lambda tx: tx.events.get(happened.id)) == happened

    async def test_keeps_moments_to_the_microsecond_whatever_their_zone(self, database: Database) -> None:
        moment = datetime(2025, 3, 30, 3, 0, 0, 1, tzinfo=timezone(timedelta(hours=2)))
        early = datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=moment.tzinfo)
        happened = event(started_at=moment, peak_at=early)

        await add(database, happened)

        found = await database.read(lambda tx: tx.events.get(happened.id))
        assert (found.started_at, found.peak_at) == (moment, early)
        assert found.started_at.utcoffset() == timedelta(0)

    async def test_does_not_know_another_id(self, database: Database) -> None:
        with pytest.raises(NotFound):
            await database.read(lambda tx: tx.events.get(EventId(new_id())))
        with pytest.raises(NotFound):
            await database.write(lambda tx: tx.events.update(event()))

    async def test_updates_what_goes_on_and_nothing_else(self, database: Database) -> None:
        happened, picture = event(), artifact()
        await add(database, happened, picture)
        changed = replace(
            happened,
            level=Level.ERROR,
            message="More moved",
            metadata={"score": 0.75},
            peak_at=at(3),
            ended_at=at(4),
            artifact_id=picture.id,
        )

        await database.write(lambda tx: tx.events.update(replace(changed, kind="other", started_at=at(99))))

        assert await database.read(lambda tx: tx.events.get(happened.id)) == changed

    async def test_gives_the_unfinished_of_a_kind(self, database: Database) -> None:
        going_on, health = event(), event(kind="health")
        await add(database, going_on, health, event(ended_at=at(1)))

        assert await database.read(lambda tx: tx.events.unfinished("motion")) == [going_on]

    @pytest.mark.parametrize(
        ("where", "expected"),
        [
            ({}, "5 4 3 2 1"),
            ({"template_id": VIEW}, "5 3 1"),
            ({"kind": "motion"}, "4 3 2 1"),
            ({"level": Level.INFO}, "5 4 3 2 1"),
            ({"level": Level.WARNING}, "5 4"),
            ({"level": Level.CRITICAL}, "4"),
            ({"start": at(2)}, "5 4 3 2"),
            ({"end": at(2)}, "1"),
            ({"start": at(2), "end": at(5)}, "4 3 2"),
            ({"text": "FOUR"}, "4"),
            ({"text": "_"}, ""),
            ({"template_id": VIEW, "level": Level.WARNING, "start": at(1), "text": "five"}, "5"),
            ({"template_id": OTHER_VIEW, "kind": "motion", "end": at(4)}, "2"),
        ],
    )
    async def test_lists_newest_first_what_fits(
        self, database: Database, where: dict[str, Any], expected: str
    ) -> None:
        await add(
            database,
            event(3, message="3"),
            event(2, message="2", template_id=OTHER_VIEW),
            event(1, message="1"),
            event(5, message="5 five", kind="health", level=Level.WARNING),
            event(4, message="4 four", template_id=OTHER_VIEW, level=Level.CRITICAL),
        )

        page = await database.read(lambda tx: tx.events.list(EventFilter(**where), FIRST))

        assert " ".join(found.message[0] for found in page.items) == expected

    async def test_pages_hold_every_event_once_also_those_of_the_same_moment(
        self, database: Database
    ) -> None:
        saved = [event(number // 3) for number in range(10)]
        await add(database, *saved)

        found = await every_page(database, lambda tx, page: tx.events.list(EventFilter(), page), 2)

        assert found == sorted(saved, key=lambda each: (each.started_at, each.id), reverse=True)

    async def test_a_list_goes_on_where_retention_took_its_place_away(self, database: Database) -> None:
        saved = [event(number) for number in range(3)]
        await add(database, *saved)
        gone = PageRequest(limit=10, after=id_at(1.5))

        page = await database.read(lambda tx: tx.events.list(EventFilter(), gone))

        assert page.items == [saved[1], saved[0]]

    async def test_refuses_an_artifact_that_is_not_there(self, database: Database) -> None:
        with pytest.raises(Conflict):
            await add(database, event(artifact_id=ArtifactId(new_id())))


class TestCaptures:
    async def test_gives_back_every_field_and_how_it_went(self, database: Database) -> None:
        picture, began = artifact(), capture(kind="snapshot")
        await add(database, picture, began)
        ended = replace(began, status="failure", ended_at=at(5), artifact_id=picture.id, error="no route")

        before = await database.read(lambda tx: tx.captures.get(began.id))
        await database.write(lambda tx: tx.captures.finish(ended))

        assert before == began
        assert await database.read(lambda tx: tx.captures.get(began.id)) == ended

    async def test_does_not_know_another_id(self, database: Database) -> None:
        with pytest.raises(NotFound):
            await database.read(lambda tx: tx.captures.get(CaptureId(new_id())))
        with pytest.raises(NotFound):
            await database.write(lambda tx: tx.captures.finish(capture()))

    async def test_lists_newest_first_all_or_of_one_template(self, database: Database) -> None:
        saved = [capture(number, template_id=(VIEW, OTHER_VIEW)[number % 2]) for number in range(5)]
        await add(database, *saved)

        every = await every_page(database, lambda tx, page: tx.captures.list(None, page), 2)
        of_one = await every_page(database, lambda tx, page: tx.captures.list(VIEW, page), 2)

        assert every == saved[::-1]
        assert of_one == [saved[4], saved[2], saved[0]]

    async def test_gives_those_that_run(self, database: Database) -> None:
        running = capture()
        await add(database, running, capture(status="success", ended_at=at(1)))

        assert await database.read(lambda tx: tx.captures.running()) == [running]

    async def test_gives_the_live_session_of_a_moment(self, database: Database) -> None:
        first, second = capture(0), capture(10)
        await add(database, first, second, capture(5, kind="snapshot"), capture(5, template_id=OTHER_VIEW))

        found = await database.read(
            lambda tx: [tx.captures.session_at(VIEW, at(moment)) for moment in (-1, 0, 9, 10, 99)]
        )

        assert found == [None, first, first, second, second]

    @pytest.mark.parametrize("changes", [{"status": "odd"}, {"kind": "odd"}])
    async def test_refuses_words_nobody_knows(self, database: Database, changes: dict[str, Any]) -> None:
        with pytest.raises(Conflict):
            await add(database, capture(**changes))


class TestArtifacts:
    async def test_gives_back_every_field(self, database: Database) -> None:
        saved = artifact(size_bytes=5_000_000_000)

        await add(database, saved)

        assert await database.read(lambda tx: tx.artifacts.get(saved.id)) == saved

    async def test_removing_marks_the_object_as_garbage_and_keeps_what_named_it(
        self, database: Database
    ) -> None:
        picture, kept = artifact(0), artifact(1)
        happened, captured = event(artifact_id=picture.id), capture(artifact_id=picture.id)
        seen = observation(artifact_id=picture.id)
        await add(database, picture, kept, happened, captured, seen)

        await database.write(lambda tx: tx.artifacts.remove(picture.id))

        with pytest.raises(NotFound):
            await database.read(lambda tx: tx.artifacts.get(picture.id))
        assert (await database.read(lambda tx: tx.events.get(happened.id))).artifact_id is None
        assert (await database.read(lambda tx: tx.captures.get(captured.id))).artifact_id is None
        assert await database.read(lambda tx: tx.garbage.list(10)) == [picture.uri]
        assert await database.read(lambda tx: tx.garbage.count()) == 1

    async def test_garbage_is_forgotten_once_its_object_is_gone(self, database: Database) -> None:
        pictures = [artifact(number) for number in range(3)]
        await add(database, *pictures)
        for picture in pictures:
            await database.write(partial(_remove, picture.id))

        await database.write(lambda tx: tx.garbage.forget([pictures[0].uri, pictures[2].uri]))

        assert await database.read(lambda tx: tx.garbage.list(10)) == [pictures[1].uri]

    async def test_does_not_know_another_id(self, database: Database) -> None:
        with pytest.raises(NotFound):
            await database.read(lambda tx: tx.artifacts.get(ArtifactId(new_id())))
        with pytest.raises(NotFound):
            await database.write(lambda tx: tx.artifacts.remove(ArtifactId(new_id())))

    async def test_walks_by_id_and_by_uri(self, database: Database) -> None:
        saved = [artifact(number, uri=f"memory:///{9 - number}") for number in range(5)]
        await add(database, *saved)

        by_id = await database.read(
            lambda tx: [*tx.artifacts.after(None, 3), *tx.artifacts.after(saved[2].id, 3)]
        )
        by_uri = await database.read(
            lambda tx: [*tx.artifacts.after_uri("", 3), *tx.artifacts.after_uri(saved[2].uri, 3)]
        )

        assert by_id == saved
        assert by_uri == saved[::-1]

    async def test_knows_the_newest(self, database: Database) -> None:
        assert await database.read(lambda tx: tx.artifacts.newest()) is None
        saved = [artifact(number) for number in (2, 3, 1)]

        await add(database, *saved)

        assert await database.read(lambda tx: tx.artifacts.newest()) == saved[1]

    async def test_knows_uris_of_rows_and_of_garbage(self, database: Database) -> None:
        present, removed = artifact(0), artifact(1)
        await add(database, present, removed)
        await database.write(lambda tx: tx.artifacts.remove(removed.id))

        known = await database.read(
            lambda tx: tx.artifacts.known([present.uri, "memory:///other", removed.uri])
        )

        assert known == {present.uri, removed.uri}
        assert await database.read(lambda tx: tx.artifacts.known([])) == set()

    async def test_refuses_two_rows_for_one_object(self, database: Database) -> None:
        saved = artifact()
        await add(database, saved)

        with pytest.raises(Conflict):
            await add(database, replace(saved, id=ArtifactId(new_id())))


class TestObservations:
    async def test_lists_oldest_first_what_fits(self, database: Database) -> None:
        happened, captured, picture = event(), capture(), artifact()
        full = observation(
            2, event_id=happened.id, capture_id=captured.id, artifact_id=picture.id, value=None
        )
        first, other = observation(1), observation(3, name="caption")
        await add(database, happened, captured, picture, other, full, first)
        await add(database, observation(1, template_id=OTHER_VIEW))

        async def found(name: str | None, start: float | None, end: float | None) -> list[Any]:
            moments = [None if moment is None else at(moment) for moment in (start, end)]
            return list(await database.read(lambda tx: tx.observations.list(VIEW, name, *moments)))

        assert await found(None, None, None) == [first, full, other]
        assert await found("score", None, None) == [first, full]
        assert await found(None, 2, 3) == [full]
        assert await found("caption", 4, None) == []

    @pytest.mark.parametrize("value", [float("nan"), float("inf")])
    async def test_refuses_what_is_no_number(self, database: Database, value: float) -> None:
        with pytest.raises(InvalidInput):
            await add(database, observation(value=value))


class TestUsers:
    async def test_gives_back_every_field(self, database: Database) -> None:
        ann = user(role=Role.ADMIN, disabled=True)

        await add(database, ann)

        assert await database.read(lambda tx: tx.users.get(ann.id)) == ann
        assert await database.read(lambda tx: tx.users.count()) == 1

    async def test_finds_and_protects_an_email_without_case(self, database: Database) -> None:
        ann = user("Änn@example.org")
        await add(database, ann)

        with pytest.raises(Conflict, match="email"):
            await add(database, user("ÄNN@EXAMPLE.ORG"))
        await add(database, user("ben@example.org"))

        assert await database.read(lambda tx: tx.users.by_email("änn@Example.org")) == ann
        assert await database.read(lambda tx: tx.users.by_email("%@example.org")) is None

    async def test_does_not_know_another_id(self, database: Database) -> None:
        with pytest.raises(NotFound):
            await database.read(lambda tx: tx.users.get(UserId(new_id())))
        with pytest.raises(NotFound):
            await database.write(lambda tx: tx.users.set_password_hash(UserId(new_id()), "x"))

    async def test_changes_a_password(self, database: Database) -> None:
        ann = user()
        await add(database, ann)

        await database.write(lambda tx: tx.users.set_password_hash(ann.id, "$argon2id$new"))

        assert (await database.read(lambda tx: tx.users.get(ann.id))).password_hash == "$argon2id$new"


class TestRevocations:
    async def test_remembers_a_token_until_it_has_expired(self, database: Database) -> None:
        await database.write(lambda tx: tx.revocations.add("early", at(1)))
        await database.write(lambda tx: tx.revocations.add("late", at(2)))
        await database.write(lambda tx: tx.revocations.add("late", at(2)))

        purged = await database.write(lambda tx: tx.revocations.purge(at(1)))

        assert purged == 1
        assert not await database.read(lambda tx: tx.revocations.is_revoked("early"))
        assert await database.read(lambda tx: tx.revocations.is_revoked("late"))
        assert not await database.read(lambda tx: tx.revocations.is_revoked("other"))


class TestAudit:
    async def test_lists_newest_first(self, database: Database) -> None:
        saved = [audit_entry(number) for number in range(5)]
        await add(database, *saved)

        found = await every_page(database, lambda tx, page: tx.audit.list(AuditFilter(), page), 2)

        assert found == saved[::-1]


class TestSettings:
    async def test_remembers_the_last_value(self, database: Database) -> None:
        await database.write(lambda tx: tx.settings.put("a", "1"))
        await database.write(lambda tx: tx.settings.put("b", "2"))
        await database.write(lambda tx: tx.settings.put("a", "3"))

        values = await database.read(lambda tx: [tx.settings.get(key) for key in "abc"])

        assert values == ["3", "2", None]


class TestTransactions:
    async def test_what_fails_leaves_nothing(self, database: Database) -> None:
        happened = event()

        def work(tx: Transaction) -> None:
            tx.events.add(happened)
            tx.settings.put("a", "1")
            raise LookupError

        with pytest.raises(LookupError):
            await database.write(work)

        assert await database.read(lambda tx: tx.settings.get("a")) is None
        with pytest.raises(NotFound):
            await database.read(lambda tx: tx.events.get(happened.id))

    async def test_a_read_sees_one_moment_whole(self, database: Database) -> None:
        await database.write(lambda tx: tx.settings.put("a", "1"))

        seen = await database.read(lambda tx: (tx.settings.get("a"), tx.settings.get("a")))

        assert seen == ("1", "1")

    async def test_finds_nothing_wrong_with_itself(self, database: Database) -> None:
        picture = artifact()
        await add(database, template(), picture, event(artifact_id=picture.id))

        assert await database.verify() == []
        assert await database.mend() == 0
