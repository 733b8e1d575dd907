"""The response against a server made of two lists. On a real socket it is tested in the contract suite."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.types import Message

from glimpser.core.clock import SystemClock
from glimpser.core.errors import TooMany, Unavailable
from glimpser.core.frames import Frame
from glimpser.core.ids import TemplateId
from glimpser.streaming.hub import Hub, HubLimits
from glimpser.streaming.mjpeg import MjpegResponse, Timing, chunked_part, part

CAM = TemplateId("01JD0000000000000000000CAM")
QUICK = Timing(check_s=0.02, stuck_s=0.08, farewell_s=0.02)


class Silence:
    def subscribers_changed(self, template_id: TemplateId, count: int) -> None: ...
    def frame_dropped(self, template_id: TemplateId, consumer: str) -> None: ...


def frame(sequence: int) -> Frame:
    return Frame(CAM, sequence, datetime(2026, 11, 22, tzinfo=UTC), b"jpeg%d" % sequence, 4, 3)


def make_hub(limits: HubLimits | None = None) -> Hub:
    return Hub(clock=SystemClock(), metrics=Silence(), limits=limits)


class Server:
    """Plays the server for one request: what it was sent, and when the client goes."""

    def __init__(
        self, *, method: str = "GET", version: str = "1.1", state: dict[str, Any] | None = None
    ) -> None:
        self.scope = {"type": "http", "method": method, "http_version": version, "state": state or {}}
        self.sent: list[Message] = []
        self.arrived = asyncio.Event()
        self.gone = asyncio.Event()
        self._asked = False

    async def receive(self) -> Message:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.sent.append(message)
        if message["type"] == "http.response.body":
            self.arrived.set()

    @property
    def bodies(self) -> list[bytes]:
        return [message["body"] for message in self.sent if message["type"] == "http.response.body"]


async def yes() -> bool:
    return True


async def no() -> bool:
    return False


async def locked() -> bool:
    raise Unavailable("the database is locked")


def play(scenario: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(5):
            await scenario()

    asyncio.run(bounded())


def test_a_chunk_is_a_part_in_chunked_coding() -> None:
    plain = part(frame(1))

    assert plain == b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: 5\r\n\r\njpeg1\r\n"
    assert chunked_part(frame(1)) == b"%x\r\n%b\r\n" % (len(plain), plain)


def test_pictures_go_past_the_middlewares_and_the_rest_through_them() -> None:
    async def scenario() -> None:
        hub = make_hub()
        hub.publish(frame(1))
        raw = Server()
        server = Server(state={"raw_send": raw.send})
        response = MjpegResponse(hub.subscribe(CAM, client="me"), still_allowed=yes, timing=QUICK)
        serving = asyncio.ensure_future(response(server.scope, server.receive, server.send))
        await raw.arrived.wait()
        hub.end_all()
        await serving

        assert raw.bodies == [part(frame(1))]
        assert [message["type"] for message in server.sent] == ["http.response.start", "http.response.body"]
        assert server.sent[-1] == {"type": "http.response.body", "body": b"--frame--\r\n", "more_body": False}

    play(scenario)


def test_a_refused_viewer_gets_no_response_from_here() -> None:
    async def scenario() -> None:
        hub = make_hub(HubLimits(subscribers=9, per_client=0))
        server = Server()
        response = MjpegResponse(hub.subscribe(CAM, client="me"), still_allowed=yes)

        with pytest.raises(TooMany):
            await response(server.scope, server.receive, server.send)

        assert server.sent == []

    play(scenario)


@pytest.mark.parametrize("answer", [no, locked])
def test_whoever_may_not_watch_any_more_is_shown_nothing_more(answer: Callable[[], Awaitable[bool]]) -> None:
    async def scenario() -> None:
        hub = make_hub()
        server = Server()
        response = MjpegResponse(hub.subscribe(CAM, client="me"), still_allowed=answer, timing=QUICK)

        await response(server.scope, server.receive, server.send)

        assert server.bodies == [b"--frame--\r\n"]
        assert hub.subscriber_count(CAM) == 0

    play(scenario)


def test_the_stream_ends_when_the_server_does() -> None:
    async def scenario() -> None:
        hub, server, ending = make_hub(), Server(), asyncio.Event()
        response = MjpegResponse(hub.subscribe(CAM, client="me"), still_allowed=yes, ending=ending)
        serving = asyncio.ensure_future(response(server.scope, server.receive, server.send))
        await asyncio.sleep(0.01)
        ending.set()
        await serving

        assert server.bodies == [b"--frame--\r\n"]

    play(scenario)


def test_the_stream_ends_when_the_viewer_goes() -> None:
    async def scenario() -> None:
        hub, server = make_hub(), Server()
        response = MjpegResponse(hub.subscribe(CAM, client="me"), still_allowed=yes)
        server.gone.set()

        await response(server.scope, server.receive, server.send)

        assert hub.subscriber_count(CAM) == 0

    play(scenario)


def test_a_send_that_takes_nothing_is_given_up() -> None:
    async def scenario() -> None:
        hub, server, stuck = make_hub(), Server(), asyncio.Event()

        async def blocked(message: Message) -> None:
            if message["type"] == "http.response.body":
                await stuck.wait()
            await server.send(message)

        hub.publish(frame(1))
        response = MjpegResponse(hub.subscribe(CAM, client="me"), still_allowed=yes, timing=QUICK)

        await response(server.scope, server.receive, blocked)

        assert server.bodies == []
        assert hub.subscriber_count(CAM) == 0

    play(scenario)


def test_head_gives_the_head_and_asks_for_nothing() -> None:
    async def scenario() -> None:
        hub = make_hub(HubLimits(subscribers=0))
        server = Server(method="HEAD")
        response = MjpegResponse(hub.subscribe(CAM, client="me"), still_allowed=no)

        await response(server.scope, server.receive, server.send)

        assert server.sent[0]["status"] == 200
        assert server.bodies == [b""]

    play(scenario)


def test_http_1_0_is_told_a_length_where_the_server_would_send_chunks() -> None:
    async def scenario() -> None:
        hub, server = make_hub(), Server(version="1.0")
        response = MjpegResponse(hub.subscribe(CAM, client="me"), still_allowed=no, timing=QUICK)

        await response(server.scope, server.receive, server.send)

        length = dict(server.sent[0]["headers"])[b"content-length"]
        assert int(length) > 10**18

    play(scenario)
