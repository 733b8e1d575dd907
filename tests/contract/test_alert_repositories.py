"""What every database keeps to: channels, alerts, deliveries."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from glimpser.core.alerts import Alert, AlertFilter, Delivery, DeliveryStatus
from glimpser.core.errors import Conflict, NotFound, Stale
from glimpser.core.events import Level
from glimpser.core.ids import AlertId, ChannelId, DeliveryId, EventId, RuleId, TemplateId, new_id
from glimpser.core.pages import PageRequest
from glimpser.core.ports import Database
from glimpser.core.repositories import Transaction
from glimpser.core.rules import RuleHistory
from tests.contract.given import add, every_page
from tests.contract.samples import RULE, VIEW, alert, at, channel, delivery, event

pytestmark = pytest.mark.anyio

OTHER_VIEW = TemplateId("01JQ1111111111111111111111")
OTHER_RULE = RuleId("01JQ2222222222222222222222")
STATUSES: tuple[DeliveryStatus, ...] = ("pending", "sending", "retrying", "sent", "dead")


class TestChannels:
    async def test_gives_back_every_field(self, database: Database) -> None:
        saved = channel(enabled=False, version=3, last_result="sent")

        await add(database, saved)

        assert await database.read(lambda tx: tx.channels.get(saved.id)) == saved

    async def test_replaces_with_the_next_version(self, database: Database) -> None:
        saved = channel(last_result="sent")
        await add(database, saved)
        wanted = replace(saved, name="Mail", kind="mail", config={}, enabled=False, updated_at=at(9))

        replaced = await database.write(
            lambda tx: tx.channels.replace(
                replace(wanted, version=7, last_result="old news", created_at=at(5)), expected=1
            )
        )

        assert replaced == replace(wanted, version=2)
        assert await database.read(lambda tx: tx.channels.get(saved.id)) == replaced

    async def test_refuses_a_stale_change_and_says_where_it_stands(self, database: Database) -> None:
        saved = channel()
        await add(database, saved)

        with pytest.raises(Stale, match="version 1"):
            await database.write(lambda tx: tx.channels.replace(saved, expected=2))
        with pytest.raises(Stale):
            await database.write(lambda tx: tx.channels.remove(saved.id, expected=2))

        assert await database.read(lambda tx: tx.channels.get(saved.id)) == saved

    async def test_does_not_know_another_id(self, database: Database) -> None:
        nobody = channel()

        with pytest.raises(NotFound):
            await database.read(lambda tx: tx.channels.get(nobody.id))
        with pytest.raises(NotFound):
            await database.write(lambda tx: tx.channels.replace(nobody, expected=1))
        with pytest.raises(NotFound):
            await database.write(lambda tx: tx.channels.remove(nobody.id, expected=1))

    async def test_removes_and_keeps_the_deliveries(self, database: Database) -> None:
        saved, happened = channel(), alert()
        told = replace(happened, deliveries=(delivery(happened.id, saved.id),))
        await add(database, saved, told)

        await database.write(lambda tx: tx.channels.remove(saved.id, expected=1))

        with pytest.raises(NotFound):
            await database.read(lambda tx: tx.channels.get(saved.id))
        assert await database.read(lambda tx: tx.alerts.get(told.id)) == told

    async def test_notes_the_last_result_without_a_new_version(self, database: Database) -> None:
        saved = channel()
        await add(database, saved)

        await database.write(lambda tx: tx.channels.set_last_result(saved.id, "refused"))
        await database.write(lambda tx: tx.channels.set_last_result(ChannelId(new_id()), "gone"))

        assert await database.read(lambda tx: tx.channels.get(saved.id)) == replace(
            saved, last_result="refused"
        )

    async def test_pages_hold_every_channel_once_oldest_first(self, database: Database) -> None:
        saved = [channel(number) for number in range(5)]
        await add(database, *saved)

        assert await every_page(database, lambda tx, page: tx.channels.list(page), 2) == saved


class TestAlerts:
    async def test_gives_back_every_field_and_the_deliveries_by_channel(self, database: Database) -> None:
        happened = event()
        saved = alert(
            channels=3,
            event_id=happened.id,
            level=Level.CRITICAL,
            state="acknowledged",
            acked_by="ann@example.org",
            acked_at=at(9),
        )
        await add(database, happened, replace(saved, deliveries=saved.deliveries[::-1]), alert(1, channels=1))

        assert await database.read(lambda tx: tx.alerts.get(saved.id)) == saved

    async def test_keeps_what_came_from_no_template_event_or_rule(self, database: Database) -> None:
        saved = [alert(number, template_id=None, event_id=None, rule_id=None) for number in range(2)]

        await add(database, *saved)

        assert await self.found(database) == saved[::-1]

    async def test_does_not_know_another_id(self, database: Database) -> None:
        with pytest.raises(NotFound):
            await database.read(lambda tx: tx.alerts.get(AlertId(new_id())))
        with pytest.raises(NotFound):
            await database.write(lambda tx: tx.alerts.set_state(alert()))

    async def test_changes_the_state_and_nothing_else(self, database: Database) -> None:
        saved = alert(channels=1)
        await add(database, saved)
        changed = replace(saved, state="acknowledged", acked_by="ann@example.org", acked_at=at(5))

        await database.write(
            lambda tx: tx.alerts.set_state(replace(changed, title="other", level=Level.DEBUG, deliveries=()))
        )

        assert await database.read(lambda tx: tx.alerts.get(saved.id)) == changed

    @pytest.mark.parametrize(
        ("where", "expected"),
        [
            ({}, "4 3 2 1"),
            ({"template_id": VIEW}, "4 3 1"),
            ({"state": "open"}, "4 2 1"),
            ({"state": "resolved"}, "3"),
            ({"level": Level.WARNING}, "4 3 2"),
            ({"level": Level.CRITICAL}, "4"),
            ({"start": at(2)}, "4 3 2"),
            ({"end": at(2)}, "1"),
            ({"template_id": VIEW, "state": "open", "level": Level.INFO, "start": at(1), "end": at(4)}, "1"),
        ],
    )
    async def test_lists_newest_first_what_fits(
        self, database: Database, where: dict[str, Any], expected: str
    ) -> None:
        await add(
            database,
            alert(3, title="3", state="resolved"),
            alert(1, title="1", level=Level.INFO),
            alert(4, title="4", level=Level.CRITICAL),
            alert(2, title="2", template_id=OTHER_VIEW),
        )

        assert " ".join(each.title for each in await self.found(database, **where)) == expected

    async def test_pages_hold_every_alert_once_also_those_of_the_same_moment(
        self, database: Database
    ) -> None:
        saved = [alert(number, created_at=at(number // 3), channels=number % 3) for number in range(10)]
        await add(database, *saved)

        found = await every_page(database, lambda tx, page: tx.alerts.list(AlertFilter(), page), 2)

        assert found == saved[::-1]

    @pytest.mark.parametrize("rule_id", [RULE.id, None])
    async def test_an_event_fires_a_rule_once_and_the_transaction_goes_on(
        self, database: Database, rule_id: RuleId | None
    ) -> None:
        happened = event()
        first = alert(1, rule_id=rule_id, event_id=happened.id, channels=1)
        other = alert(2, rule_id=OTHER_RULE, event_id=happened.id)
        await add(database, happened, first, other)
        again = replace(alert(3, channels=1), rule_id=rule_id, event_id=happened.id)

        def work(tx: Transaction) -> bool:
            with suppress(Conflict):
                tx.alerts.add(again)
                return True
            tx.settings.put("went", "on")
            return False

        added = await database.write(work)

        assert not added
        assert await self.found(database) == [other, first]
        assert await database.read(lambda tx: tx.settings.get("went")) == "on"

    async def test_refuses_an_event_that_is_not_there(self, database: Database) -> None:
        with pytest.raises(Conflict):
            await add(database, alert(event_id=EventId(new_id())))

    async def test_two_deliveries_through_one_channel_leave_nothing_of_the_alert(
        self, database: Database
    ) -> None:
        saved = alert(channels=1)
        twice = replace(saved.deliveries[0], id=DeliveryId(new_id()), idempotency_key="another")

        with pytest.raises(Conflict):
            await add(database, replace(saved, deliveries=(*saved.deliveries, twice)))

        assert await self.found(database) == []

    @pytest.mark.parametrize("changes", [{"state": "odd"}, {"level": 25}])
    async def test_refuses_words_nobody_knows(self, database: Database, changes: dict[str, Any]) -> None:
        with pytest.raises(Conflict):
            await add(database, alert(**changes))

    async def test_tells_when_a_rule_last_fired_on_a_template(self, database: Database) -> None:
        await add(
            database,
            alert(1),
            alert(3),
            alert(2),
            alert(8, template_id=OTHER_VIEW),
            alert(9, rule_id=OTHER_RULE),
            alert(7, rule_id=None),
        )

        found = [await self.history(database, rule_id) for rule_id in (RULE.id, None, RuleId(new_id()))]

        assert found == [
            RuleHistory(last_fired_at=at(3)),
            RuleHistory(last_fired_at=at(7)),
            RuleHistory(),
        ]

    async def test_tells_whether_a_rule_fired_for_an_event(self, database: Database) -> None:
        by_rule, by_level = event(1), event(2)
        await add(
            database,
            by_rule,
            by_level,
            alert(1, event_id=by_rule.id),
            alert(2, event_id=by_level.id, rule_id=None),
        )

        fired = {
            (rule_id, happened.id)
            for rule_id in (RULE.id, OTHER_RULE, None)
            for happened in (by_rule, by_level)
            if (await self.history(database, rule_id, happened.id)).fired_for_event
        }

        assert fired == {(RULE.id, by_rule.id), (None, by_level.id)}

    async def found(self, database: Database, **where: Any) -> list[Alert]:
        page = await database.read(
            lambda tx: tx.alerts.list(AlertFilter(**where), PageRequest(limit=200)),
        )
        return list(page.items)

    async def history(
        self, database: Database, rule_id: RuleId | None, event_id: EventId | None = None
    ) -> RuleHistory:
        wanted = event_id or EventId(new_id())
        return await database.read(lambda tx: tx.alerts.history(rule_id, VIEW, wanted))


class TestDeliveries:
    async def test_gives_and_updates_what_changes_and_nothing_else(self, database: Database) -> None:
        saved = alert(channels=2)
        first, second = saved.deliveries
        await add(database, saved)
        changed = replace(
            first,
            status="sent",
            attempts=2,
            last_error="500",
            next_attempt_at=at(1),
            sent_at=at(2),
            provider_response="ok",
        )

        await database.write(
            lambda tx: tx.deliveries.update(replace(changed, channel_kind="other", idempotency_key="other"))
        )

        assert await database.read(lambda tx: tx.deliveries.get(first.id)) == changed
        assert await database.read(lambda tx: tx.deliveries.get(second.id)) == second

    async def test_does_not_know_another_id(self, database: Database) -> None:
        nobody = delivery(AlertId(new_id()), ChannelId(new_id()))

        with pytest.raises(NotFound):
            await database.read(lambda tx: tx.deliveries.get(nobody.id))
        with pytest.raises(NotFound):
            await database.write(lambda tx: tx.deliveries.update(nobody))

    async def test_walks_those_that_are_not_settled(self, database: Database) -> None:
        saved = alert(channels=5)
        deliveries = [
            replace(each, status=status) for each, status in zip(saved.deliveries, STATUSES, strict=True)
        ]
        await add(database, replace(saved, deliveries=tuple(deliveries)))

        def walk(tx: Transaction) -> Sequence[Delivery]:
            first = tx.deliveries.unsettled(None, 2)
            return [*first, *tx.deliveries.unsettled(first[-1].id, 2)]

        found = await database.read(walk)

        assert found == sorted(deliveries[:3], key=lambda each: each.id)
