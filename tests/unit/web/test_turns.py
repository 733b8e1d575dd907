"""A burst of one client's requests, and whoever asks beside it."""

import asyncio

import pytest
from starlette.types import Message, Receive, Scope, Send

from glimpser.web.turns import AT_ONCE, PAUSE_S, Turns

pytestmark = pytest.mark.anyio

BURST = 10 * AT_ONCE


class Requests:
    """Requests through the layer; `begun` names them in the order in which the application saw them."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self._turns = Turns(self._app)

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.begun.append(scope["path"])

    def start(self, client: str, path: str) -> asyncio.Task[None]:
        scope = {"type": "http", "path": path, "state": {"client_ip": client}}
        return asyncio.create_task(self._turns(scope, _nothing, _nowhere))

    def burst(self, client: str) -> list[asyncio.Task[None]]:
        return [self.start(client, f"{client} {number}") for number in range(BURST)]


async def _nothing() -> Message:
    raise AssertionError("nobody reads")


async def _nowhere(message: Message) -> None:
    raise AssertionError("nobody writes")


async def test_another_client_begins_in_the_midst_of_a_burst() -> None:
    requests = Requests()
    burst = requests.burst("192.0.2.1")

    await requests.start("192.0.2.2", "other")
    place = requests.begun.index("other")
    await asyncio.gather(*burst)

    assert place == AT_ONCE
    assert len(requests.begun) == BURST + 1


async def test_a_burst_is_served_whole_and_in_its_order() -> None:
    requests = Requests()

    await asyncio.gather(*requests.burst("192.0.2.1"))

    assert requests.begun == [f"192.0.2.1 {number}" for number in range(BURST)]


async def test_addresses_of_one_subscriber_share_a_line() -> None:
    requests = Requests()
    burst = requests.burst("2001:db8::1")
    other = requests.start("2001:db8::2", "neighbour")

    await asyncio.gather(*burst, other)

    assert requests.begun[-1] == "neighbour"


async def test_who_leaves_the_line_takes_nobodys_place() -> None:
    requests = Requests()
    burst = requests.burst("192.0.2.1")
    await asyncio.sleep(0)  # they stand in line

    for waiting in burst[AT_ONCE : BURST - 1]:
        waiting.cancel()
    done = await asyncio.gather(*burst, return_exceptions=True)

    assert requests.begun == [f"192.0.2.1 {number}" for number in (*range(AT_ONCE), BURST - 1)]
    assert sum(isinstance(outcome, asyncio.CancelledError) for outcome in done) == BURST - 1 - AT_ONCE


async def test_requests_one_after_the_other_do_not_wait() -> None:
    requests = Requests()
    for number in range(BURST):
        one = requests.start("192.0.2.1", str(number))
        await asyncio.sleep(2 * PAUSE_S)
        assert one.done()


async def test_one_that_arrives_late_stands_behind_those_that_wait() -> None:
    requests = Requests()
    burst = requests.burst("192.0.2.1")
    await asyncio.sleep(0)

    late = requests.start("192.0.2.1", "late")
    await asyncio.gather(*burst, late)

    assert requests.begun[-1] == "late"
