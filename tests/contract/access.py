"""Who may do what, found out by trying: every route and socket, by everybody there could be.

`python -m tests.contract.access` writes what it found to the golden file, for a change made on purpose.
"""

import asyncio
import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from glimpser.core.accounts import ApiKey, Role, User
from glimpser.core.ids import ApiKeyId, ExportId, JobId, TemplateId, UserId, new_id, time_of
from glimpser.core.jobs import Job
from glimpser.core.repositories import Transaction
from glimpser.services.key_text import digest_of, make_key_text
from glimpser.web.application import ROUTES, SOCKETS
from tests.contract import described_world as there
from tests.web_world import PASSWORD, World

GOLDEN = Path(__file__).with_name("access_matrix.json")
GROUP = "house"
"""That of the one view, and of everything that tells of it."""

Matrix = dict[str, dict[str, str]]
Headers = dict[str, str]

KINDS = ("user", "key")
IDENTITIES = (
    "anonymous",
    *(f"{role.label} {kind}" for kind in KINDS for role in Role),
    *(f"{role.label} {kind} of another group" for kind in KINDS for role in Role),
    *(f"viewer {kind} of the group" for kind in KINDS),
    "disabled user",
    "signed-out user",
    "revoked key",
    "expired key",
)
WORDS = re.compile(r"(viewer|operator|admin) (user|key)(?: of (another|the) group)?")
GROUPS: Mapping[str | None, tuple[str, ...]] = {None: (), "another": ("elsewhere",), "the": (GROUP,)}
REFUSALS = frozenset((401, 403, 404))

NAMES: Mapping[str, str] = {
    "template_id": there.TEMPLATE,
    "event_id": there.EVENT,
    "capture_id": there.CAPTURE,
    "artifact_id": there.ARTIFACT,
    "alert_id": there.ALERT,
    "channel_id": there.CHANNEL,
    "user_id": there.USER,
    "name": "swagger-ui.css",
    "runbook": "after-a-crash",
    "path": "",
}
"""What parameters of paths are filled in with."""
BODIES: Mapping[str, bytes] = {
    "/api/me/password": json.dumps(
        {"current_password": PASSWORD, "new_password": "another good password"}
    ).encode(),
}
"""What else may be wrong with a request is not asked: a body or version that does not fit was let in."""


def cells() -> Iterator[tuple[str, str, str]]:
    """Give every route and socket there is: its name, method and path."""
    for row in ROUTES:
        yield f"{row.method} {row.path}", row.method, row.path
    for socket in SOCKETS:
        yield f"WebSocket {socket.path}", "WebSocket", socket.path


async def explore() -> Matrix:
    """Try everything against a server that runs."""
    with TemporaryDirectory() as directory:
        async with there.serve(Path(directory)) as (world, address, _), httpx2.AsyncClient() as client:
            await world.database.write(_put_into_group)
            explorer = _Explorer(world, address, client)
            return {
                name: {who: await explorer.outcome(method, path, who) for who in IDENTITIES}
                for name, method, path in cells()
            }


class _Explorer:
    def __init__(self, world: World, address: str, client: httpx2.AsyncClient) -> None:
        self._world = world
        self._address = address
        self._client = client

    async def outcome(self, method: str, path: str, who: str) -> str:
        """Tell what somebody gets who was not there before: a refusal's status, or `ok`."""
        headers = await self._headers(who)
        self._world.clock.advance(61)  # or the limits of requests would answer
        target = self._address + await self._filled_in(path, headers)
        if method == "WebSocket":
            status = await _opened(target.replace("http", "ws", 1), headers)
        else:
            status = await self._requested(method, target, headers, BODIES.get(path, b"{}"))
        self._client.cookies.clear()
        return str(status) if status in REFUSALS else "ok"

    async def _requested(self, method: str, target: str, headers: Headers, body: bytes) -> int:
        headers |= {"If-Match": '"999"'}  # no version there is: let in, and nothing comes of it
        headers["Content-Type"] = "image/jpeg" if target.endswith("/push") else "application/json"
        sent = None if method in ("GET", "DELETE") else body
        async with self._client.stream(method, target, headers=headers, content=sent) as answer:
            assert answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR or answer.status_code == 503, target
            return answer.status_code

    async def _filled_in(self, path: str, headers: Headers) -> str:
        """Name what is there; what a request would take away is made for it."""
        key = _key(Role.VIEWER)[0]
        now = self._world.clock.now()
        job = Job(id=JobId(new_id()), kind="x", template_id=there.TEMPLATE, scheduled_for=now, created_at=now)
        if "{key_id}" in path or "{job_id}" in path:

            def put(tx: Transaction) -> None:
                tx.api_keys.add(key)
                tx.jobs.add(job)

            await self._world.database.write(put)
        ticket = await self._ticket(headers) if "{ticket_id}" in path else ""
        export = await self._export() if "{export_id}" in path else ""
        names = {**NAMES, "key_id": key.id, "job_id": job.id, "ticket_id": ticket, "export_id": export}
        return re.sub(r"\{([a-z_]+)[^}]*\}", lambda parameter: names[parameter[1]], path)

    async def _export(self) -> str:
        """Leave an export with its file."""
        file = await self._world.add_artifact(b"film", "video/mp4")
        export = there.export_of(ExportId(new_id()), file.id, self._world.clock.now())
        await self._world.database.write(lambda tx: tx.exports.add(export))
        return export.id

    async def _ticket(self, headers: Headers) -> str:
        """Make a ticket of one's own, where one may."""
        target = f"{self._address}/api/stream/{there.TEMPLATE}/ticket"
        answer = await self._client.post(target, json={"kind": "mjpeg", "ttl_s": 60}, headers=headers)
        made: str = answer.json()["id"] if answer.status_code == HTTPStatus.CREATED else new_id()
        return made

    async def _headers(self, who: str) -> Headers:
        words = WORDS.fullmatch(who)
        if words:
            role, groups = Role.parse(words[1]), GROUPS[words[3]]
            made = self._user if words[2] == "user" else self._with_key
            return await made(role, groups=groups)
        match who:
            case "anonymous":
                return {}
            case "disabled user":
                return await self._user(Role.ADMIN, disabled=True)
            case "signed-out user":
                return await self._user(Role.ADMIN, session_epoch=1)
            case "revoked key":
                return {"x-api-key": _key(Role.ADMIN)[1]}
            case "expired key":
                return await self._with_key(Role.ADMIN, expires_at=self._world.clock.now())
        raise AssertionError(who)

    async def _user(self, role: Role, **changes: object) -> Headers:
        ordinary = User(
            id=UserId(new_id()),
            email=f"{new_id()}@example.org",
            role=role,
            password_hash=self._world.hasher.hash(PASSWORD),
            created_at=self._world.clock.now(),
        )
        user = replace(ordinary, **changes)  # type: ignore[arg-type] # fields by their names
        await self._world.database.write(lambda tx: tx.users.add(user))
        return {"Authorization": f"Bearer {self._world.tokens.issue(user.id, role)[0]}"}

    async def _with_key(self, role: Role, **changes: object) -> Headers:
        ordinary, text = _key(role)
        key = replace(ordinary, **changes)  # type: ignore[arg-type] # likewise
        await self._world.database.write(lambda tx: tx.api_keys.add(key))
        return {"x-api-key": text}


def _key(role: Role) -> tuple[ApiKey, str]:
    key_id = ApiKeyId(new_id())
    text = make_key_text(key_id)
    key = ApiKey(
        id=key_id,
        name="Door",
        role=role,
        key_hash=digest_of(text),
        created_by="Ann",
        created_at=time_of(key_id),
    )
    return key, text


async def _opened(address: str, headers: Headers) -> int:
    try:
        async with connect(address, additional_headers=headers, proxy=None):
            return HTTPStatus.SWITCHING_PROTOCOLS
    except InvalidStatus as refused:
        return refused.response.status_code


def _put_into_group(tx: Transaction) -> None:
    template = tx.templates.get(TemplateId(there.TEMPLATE))
    settings = replace(template.settings, groups=(GROUP,), schedule="0 * * * *")
    tx.templates.replace(template.id, settings, expected=template.version, now=template.updated_at)


if __name__ == "__main__":
    found = asyncio.run(explore())
    GOLDEN.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(f"{sum(map(len, found.values()))} cells written to {GOLDEN}\n")
