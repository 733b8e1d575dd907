"""The verbs on templates: secrets stay, versions are compared, every change is audited and announced."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from glimpser.core.accounts import EVERYTHING, AuditFilter
from glimpser.core.errors import InvalidInput, NotFound, Stale
from glimpser.core.ids import TemplateId, new_id
from glimpser.core.pages import PageRequest
from glimpser.core.templates import Template, TemplateFilter, TemplateSettings
from glimpser.services.audit import Actor
from glimpser.services.config_secrets import hide, restore
from glimpser.services.templates import Templates
from tests.web_world import REGISTRY, World, open_world

pytestmark = pytest.mark.anyio

ADA = Actor("ada@example.org", "203.0.113.9")
CONFIG: Mapping[str, object] = {
    "url": "rtsp://u:hunter2@cam/1?token=t0ken",
    "username": "u",
    "password": "pa55",
}
DOOR = TemplateSettings(name="Door", kind="camera", config=CONFIG)
SECRETS = frozenset({"password"})


def this(version: int) -> bool:
    return version == 1


def any_version(_version: int) -> bool:
    return True


@pytest.fixture
async def world(data_dir: Path) -> AsyncIterator[World]:
    async with open_world(data_dir) as opened:
        yield opened


@pytest.fixture
def templates(world: World) -> Templates:
    return world.services.templates


@pytest.fixture
async def door(templates: Templates, world: World) -> Template:
    created = await templates.create(DOOR, by=ADA)
    world.changed.clear()
    return created


async def audit(world: World) -> list[tuple[str, str, str, str | None, str]]:
    page = await world.database.read(lambda tx: tx.audit.list(AuditFilter(), PageRequest()))
    return [(item.actor, item.action, item.subject, item.client_ip, item.detail) for item in page.items]


async def test_a_template_is_validated_stored_audited_and_announced(
    world: World, templates: Templates
) -> None:
    created = await templates.create(DOOR, by=ADA)

    assert created.settings.config == {**CONFIG, "transport": "tcp"}
    assert await templates.get(created.id, within=EVERYTHING) == created
    assert world.changed == [created.id]
    assert await audit(world) == [("ada@example.org", "template.created", created.id, "203.0.113.9", "Door")]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [({"kind": "toaster"}, "/kind"), ({"config": {}}, "/config/url"), ({"config": {"u": 1}}, "/config/url")],
    ids=str,
)
async def test_what_the_kind_refuses_leaves_nothing_behind(
    world: World, templates: Templates, changes: dict[str, Any], pointer: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        await templates.create(replace(DOOR, **changes), by=ADA)

    assert refused.value.errors[0].pointer == pointer
    assert not (await templates.list(TemplateFilter(), PageRequest(), within=EVERYTHING)).items
    assert not world.changed
    assert not await audit(world)


async def test_settings_the_program_cannot_run_are_refused(world: World) -> None:
    def check(settings: TemplateSettings) -> None:
        raise InvalidInput.field("/motion/detector", f"no {settings.motion.detector}")

    templates = Templates(
        world.database, REGISTRY, clock=world.clock, changed=world.changed.append, check=check
    )

    with pytest.raises(InvalidInput, match="no adaptive"):
        await templates.create(DOOR, by=ADA)


async def test_what_is_shown_holds_no_secret(templates: Templates, door: Template) -> None:
    shown = templates.shown(door.settings)

    assert shown.config == {"url": "rtsp://u:***@cam/1?token=***", "username": "u", "transport": "tcp"}


async def test_a_template_of_a_kind_that_is_gone_shows_no_config(world: World, door: Template) -> None:
    templates = Templates(world.database, {}, clock=world.clock, changed=world.changed.append)

    assert templates.shown(door.settings).config == {}


async def test_sending_back_what_was_shown_changes_nothing(
    world: World, templates: Templates, door: Template
) -> None:
    changed = await templates.replace(door.id, templates.shown(door.settings), expected=this, by=ADA)

    assert changed.settings == door.settings
    assert changed.version == 2
    assert world.changed == [door.id]


async def test_an_edit_sees_no_secret_and_keeps_it(templates: Templates, door: Template) -> None:
    seen: list[TemplateSettings] = []

    def edit(shown: TemplateSettings) -> TemplateSettings:
        seen.append(shown)
        return replace(shown, name="Back door")

    changed = await templates.edit(door.id, edit, expected=this, by=ADA)

    assert "hunter2" not in str(seen[0].config)
    assert "pa55" not in str(seen[0].config)
    assert changed.settings == replace(door.settings, name="Back door")


async def test_the_audit_names_changed_fields_and_never_their_values(
    world: World, templates: Templates, door: Template
) -> None:
    new = replace(DOOR, config={**CONFIG, "password": "n3w"}, notes="moved")

    await templates.replace(door.id, new, expected=this, by=ADA)

    assert (await audit(world))[0][4] == "config, notes"


async def test_another_kind_inherits_no_secret(templates: Templates, door: Template) -> None:
    page = TemplateSettings(name="Door", kind="page", config={"url": "https://u:***@host/"})

    with pytest.raises(InvalidInput, match="stands for no stored secret"):
        await templates.replace(door.id, page, expected=this, by=ADA)

    plain = replace(page, config={"url": "https://host/"})
    changed = await templates.replace(door.id, plain, expected=this, by=ADA)
    assert "password" not in changed.settings.config


async def test_a_stale_write_changes_nothing(world: World, templates: Templates, door: Template) -> None:
    await templates.replace(door.id, DOOR, expected=this, by=ADA)
    world.changed.clear()

    with pytest.raises(Stale):
        await templates.replace(door.id, replace(DOOR, name="Late"), expected=this, by=ADA)
    with pytest.raises(Stale):
        await templates.remove(door.id, expected=this, by=ADA)

    assert (await templates.get(door.id, within=EVERYTHING)).settings.name == "Door"
    assert not world.changed


async def test_a_write_that_loses_the_race_after_reading_is_stale(
    templates: Templates, world: World, door: Template
) -> None:
    raced = TemplateSettings(name="First", kind="camera", config=CONFIG)
    calls: list[int] = []

    class Racing:
        """Lets somebody else write between this writer's read and write."""

        async def read(self, work):  # type: ignore[no-untyped-def] # forwards whatever comes
            found = await world.database.read(work)
            if not calls:
                calls.append(1)
                await templates.replace(door.id, raced, expected=any_version, by=ADA)
            return found

        async def write(self, work):  # type: ignore[no-untyped-def] # forwards whatever comes
            return await world.database.write(work)

    slow = Templates(Racing(), REGISTRY, clock=world.clock, changed=world.changed.append)  # type: ignore[arg-type] # two methods suffice

    with pytest.raises(Stale):
        await slow.replace(door.id, DOOR, expected=this, by=ADA)

    assert (await templates.get(door.id, within=EVERYTHING)).settings.name == "First"


async def test_a_removed_template_is_gone_and_announced(
    world: World, templates: Templates, door: Template
) -> None:
    await templates.remove(door.id, expected=this, by=ADA)

    with pytest.raises(NotFound):
        await templates.get(door.id, within=EVERYTHING)
    assert world.changed == [door.id]
    assert (await audit(world))[0][1] == "template.removed"


async def test_what_is_not_there_is_not_found(templates: Templates) -> None:
    nobody = TemplateId(new_id())

    with pytest.raises(NotFound):
        await templates.replace(nobody, DOOR, expected=any_version, by=ADA)
    with pytest.raises(NotFound):
        await templates.remove(nobody, expected=any_version, by=ADA)


async def test_sifting_fills_pages_from_what_the_database_cannot_tell(templates: Templates) -> None:
    for number in range(120):
        await templates.create(replace(DOOR, name=f"{number:03}"), by=ADA)

    def rare(template: Template) -> bool:
        return int(template.settings.name) % 30 == 29

    first = await templates.list(TemplateFilter(), PageRequest(3), within=EVERYTHING, keep=rare)
    assert first.next_cursor is not None
    after = PageRequest(3, first.items[-1].id)
    second = await templates.list(TemplateFilter(), after, within=EVERYTHING, keep=rare)

    names = sorted(item.settings.name for item in (*first.items, *second.items))
    assert names == ["029", "059", "089", "119"]
    assert second.next_cursor is None


async def test_kinds_are_listed_by_name(world: World) -> None:
    assert [kind.name for kind in world.services.templates.kinds()] == ["camera", "page"]


@pytest.mark.parametrize("empty", [None, ""])
def test_an_empty_secret_removes_it(empty: object) -> None:
    assert restore({"url": "rtsp://cam/", "password": empty}, CONFIG, SECRETS) == {"url": "rtsp://cam/"}


def test_a_new_secret_takes_the_place_of_the_old() -> None:
    assert restore({"password": "n3w"}, CONFIG, SECRETS) == {"password": "n3w"}


def test_stars_in_a_url_keep_their_secret_while_the_rest_changes() -> None:
    sent = {"url": "rtsp://u:***@other/2?token=***"}

    assert restore(sent, CONFIG, SECRETS)["url"] == "rtsp://u:hunter2@other/2?token=t0ken"


@pytest.mark.parametrize(
    "url", ["rtsp://u:***@cam/1", "rtsp://u:***@cam/***?token=***", "rtsp://***"], ids=str
)
def test_stars_that_stand_for_nothing_are_refused(url: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        restore({"url": url}, CONFIG, SECRETS)

    assert refused.value.errors[0].pointer == "/config/url"


def test_stars_outside_a_url_are_what_they_are() -> None:
    assert restore({"note": "***"}, {}, frozenset()) == {"note": "***"}


def test_urls_inside_lists_and_objects_are_hidden_and_kept() -> None:
    stored = {"mirrors": ["rtsp://a:one@x/", {"url": "rtsp://b:two@y/"}], "fps": 5}

    shown = hide(stored, SECRETS)

    assert shown == {"mirrors": ["rtsp://a:***@x/", {"url": "rtsp://b:***@y/"}], "fps": 5}
    assert restore(shown, stored, SECRETS) == stored


urls = st.builds(
    "{}://{}:{}@{}/{}".format,
    st.sampled_from(["rtsp", "http", "https"]),
    st.text("abcUSER.", max_size=6),
    st.text("abc123!$%@:*/?#=&", min_size=1, max_size=12),
    st.sampled_from(["cam", "10.0.0.1:554", "[::1]:8554"]),
    st.sampled_from(["", "1", "x?token=s3cret", "x?a=b&password=p&key=k", "user=a_password=b_channel=1.sdp"]),
)


@given(urls)
@example("rtsp://:@?@cam/")
@example("rtsp://ann:@cam/")
def test_whatever_is_hidden_comes_back_unharmed(url: str) -> None:
    stored = {"url": url, "password": "pa55"}

    assert restore(hide(stored, SECRETS), stored, SECRETS) == stored
