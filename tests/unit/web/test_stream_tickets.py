"""Links for players: what they open, for whom, and what ends them."""

from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from glimpser.core.accounts import AuditFilter, Role, User
from glimpser.core.ids import UserId, new_id
from glimpser.core.pages import PageRequest
from glimpser.services.stream_tickets import MAX_OF_ONE
from glimpser.web.wiring import WebSettings
from tests.web_world import ORIGIN, World, open_world

pytestmark = pytest.mark.anyio


class Ticket:
    """A view, its picture, somebody who may see it, and a link that they made."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def make(self, kind: str = "snapshot", ttl_s: int = 60, role: Role = Role.VIEWER) -> "Ticket":
        admin = await self.world.sign_in()
        self.admin = admin
        created = await self.world.add_template(admin, groups=["garden"])
        self.template_id, self.etag = created.json()["id"], created.headers["etag"]
        self.world.live.frames[self.template_id] = self.world.frame(self.template_id)
        self.user = await self.world.add_user(role, email=f"{new_id()}@example.org")
        self.maker = {"Authorization": f"Bearer {self.world.tokens.issue(self.user.id, role)[0]}"}
        answer = await self.world.client.post(
            f"/api/stream/{self.template_id}/ticket", json={"kind": kind, "ttl_s": ttl_s}, headers=self.maker
        )
        assert answer.status_code == 201, answer.text
        self.answer = answer.json()
        parts = urlsplit(self.answer["url"])
        self.path, self.query = parts.path, parts.query
        return self

    async def status(self, path: str | None = None, query: str | None = None) -> int:
        url = f"{path or self.path}?{self.query if query is None else query}"
        return (await self.world.client.get(url)).status_code

    async def change_user(self, **changes: object) -> None:
        def put(tx: object) -> None:
            stored: User = tx.users.get(UserId(self.user.id))  # type: ignore[attr-defined]
            tx.users.replace(replace(stored, **changes), expected=stored.version)  # type: ignore[attr-defined, arg-type]

        await self.world.database.write(put)


@pytest.fixture
async def ticket(world: World) -> Ticket:
    return await Ticket(world).make()


async def test_a_link_opens_its_picture_without_an_identity_until_it_ends(ticket: Ticket) -> None:
    assert ticket.answer["url"].startswith(f"{ORIGIN}/api/stream/{ticket.template_id}/snapshot?ticket=")
    assert ticket.answer["expires_at"] == "2026-01-01T12:01:00Z"
    assert [await ticket.status() for _ in range(3)] == [200] * 3  # players come again

    ticket.world.clock.advance(59)
    assert await ticket.status() == 200
    ticket.world.clock.advance(1)
    assert await ticket.status() == 401


async def test_a_link_begins_with_the_public_address(data_dir: Path) -> None:
    async with open_world(data_dir, WebSettings(version="1", public_url="https://cams.example.org")) as world:
        ticket = await Ticket(world).make()

    assert ticket.answer["url"].startswith("https://cams.example.org/api/stream/")


@pytest.mark.parametrize(
    "path",
    [
        "/api/stream/{id}/mjpeg",
        "/api/stream/01JD0000000000000000000CAM/snapshot",
        "/api/templates/{id}",
        "/api/me",
    ],
)
async def test_it_opens_nothing_else(ticket: Ticket, path: str) -> None:
    assert await ticket.status(path.format(id=ticket.template_id)) == 401


async def test_what_was_made_up_opens_nothing(ticket: Ticket) -> None:
    name, expiry, mac = ticket.query.removeprefix("ticket=").split(".")
    for text in (
        f"{name}.{int(expiry) + 1}.{mac}",
        f"{name}.{expiry}.{'A' * 43}",
        f"{new_id()}.{expiry}.{mac}",
        f"{expiry}.{mac}",
        f"{name}.{expiry}",
        name,
        "",
        "." * 5000,
        "%00.%0a.%ff",
    ):
        assert await ticket.status(query=f"ticket={text}") == 401, text
    assert await ticket.status(query=f"ticket={name}.{expiry}.{mac}&w=320") == 200


async def test_a_link_writes_nothing(ticket: Ticket) -> None:
    url = f"/api/stream/{ticket.template_id}/ticket?{ticket.query}"

    assert (await ticket.world.client.post(url, json={})).status_code == 401


async def test_its_maker_ends_it(ticket: Ticket) -> None:
    path = f"/api/stream/{ticket.template_id}/ticket/{ticket.answer['id']}"
    stranger = await ticket.world.sign_in(Role.OPERATOR)

    assert (await ticket.world.client.delete(path, headers=stranger)).status_code == 404
    assert await ticket.status() == 200
    assert (await ticket.world.client.delete(path, headers=ticket.maker)).status_code == 204
    assert await ticket.status() == 401
    assert (await ticket.world.client.delete(path, headers=ticket.maker)).status_code == 404


async def test_an_admin_ends_it(ticket: Ticket) -> None:
    path = f"/api/stream/{ticket.template_id}/ticket/{ticket.answer['id']}"

    assert (await ticket.world.client.delete(path, headers=ticket.admin)).status_code == 204
    assert await ticket.status() == 401


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"disabled": True}, 401),
        ({"groups": ("street",)}, 401),
        ({"session_epoch": 1}, 401),
        ({"groups": ("garden",)}, 200),
        ({"role": Role.OPERATOR}, 200),
    ],
    ids=["disabled", "group-lost", "new-password", "group-kept", "promoted"],
)
async def test_it_is_worth_what_its_maker_may_see(
    ticket: Ticket, changes: dict[str, object], status: int
) -> None:
    await ticket.change_user(**changes)

    assert await ticket.status() == status


async def test_it_ends_with_its_view(ticket: Ticket) -> None:
    headers = ticket.admin | {"If-Match": ticket.etag}
    await ticket.world.client.delete(f"/api/templates/{ticket.template_id}", headers=headers)

    assert await ticket.status() == 401


async def test_signing_out_leaves_players_alone(ticket: Ticket) -> None:
    await ticket.world.client.post("/api/auth/logout", headers=ticket.maker)

    assert await ticket.status() == 200


async def test_nobody_makes_one_for_what_they_do_not_see(ticket: Ticket) -> None:
    await ticket.change_user(groups=("street",))
    ticket.world.clock.advance(2)

    answer = await ticket.world.client.post(
        f"/api/stream/{ticket.template_id}/ticket", json={}, headers=ticket.maker
    )

    assert answer.status_code == 404


@pytest.mark.parametrize(
    "form",
    [
        {"ttl_s": 9},
        {"ttl_s": 400 * 86_400},
        {"ttl_s": "60"},
        {"ttl_s": 60.5},
        {"ttl_s": 1e300},
        {"ttl_s": True},
        {"kind": "hls"},
    ],
)
async def test_what_cannot_be_is_refused_by_name(ticket: Ticket, form: dict[str, object]) -> None:
    answer = await ticket.world.client.post(
        f"/api/stream/{ticket.template_id}/ticket", json=form, headers=ticket.maker
    )

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == f"/{next(iter(form))}"


async def test_one_maker_has_so_many_and_not_more(ticket: Ticket) -> None:
    service = ticket.world.services.stream_tickets
    made = await ticket.world.database.read(lambda tx: tx.stream_tickets.get(ticket.answer["id"]))

    def fill(tx: object) -> None:
        for _ in range(MAX_OF_ONE - 1):
            tx.stream_tickets.add(replace(made, id=new_id()))  # type: ignore[attr-defined, arg-type]

    await ticket.world.database.write(fill)
    path = f"/api/stream/{ticket.template_id}/ticket"
    assert (await ticket.world.client.post(path, json={}, headers=ticket.maker)).status_code == 409

    ticket.world.clock.advance(61)  # what is over counts no more

    assert (await ticket.world.client.post(path, json={}, headers=ticket.maker)).status_code == 201
    assert await service.still_open(made) is False


async def test_what_was_done_stands_in_the_audit_log_without_the_link(ticket: Ticket) -> None:
    path = f"/api/stream/{ticket.template_id}/ticket/{ticket.answer['id']}"
    await ticket.world.client.delete(path, headers=ticket.maker)

    page = await ticket.world.database.read(lambda tx: tx.audit.list(AuditFilter(), PageRequest()))

    actions = [entry.action for entry in page.items]
    assert {"ticket.created", "ticket.revoked"} <= set(actions)
    assert ticket.query.rpartition(".")[2] not in repr(page.items)


async def test_an_open_stream_is_told_that_its_ticket_is_gone(world: World) -> None:
    ticket = await Ticket(world).make("mjpeg")
    stored = await world.database.read(lambda tx: tx.stream_tickets.get(ticket.answer["id"]))
    service = world.services.stream_tickets

    assert await service.still_open(stored)
    await world.database.write(lambda tx: tx.stream_tickets.remove(stored.id))

    assert not await service.still_open(stored)


async def test_its_maker_and_admins_find_it_to_end_it(ticket: Ticket) -> None:
    path = f"/api/stream/{ticket.template_id}/tickets"
    stranger = await ticket.world.sign_in(Role.OPERATOR)

    [own] = (await ticket.world.client.get(path, headers=ticket.maker)).json()["items"]
    [found] = (await ticket.world.client.get(path, headers=ticket.admin)).json()["items"]
    others = (await ticket.world.client.get(path, headers=stranger)).json()

    assert own == found
    assert others == {"items": [], "next_cursor": None}
    assert own == {
        "id": ticket.answer["id"],
        "kind": "snapshot",
        "made_by": ticket.user.email,
        "maker_kind": "user",
        "created_at": "2026-01-01T12:00:00Z",
        "expires_at": "2026-01-01T12:01:00Z",
    }


async def test_what_is_over_or_out_of_sight_is_not_listed(ticket: Ticket) -> None:
    path = f"/api/stream/{ticket.template_id}/tickets"

    ticket.world.clock.advance(60)
    assert (await ticket.world.client.get(path, headers=ticket.maker)).json()["items"] == []
    await ticket.change_user(groups=("street",))
    ticket.world.clock.advance(2)
    assert (await ticket.world.client.get(path, headers=ticket.maker)).status_code == 404
