"""A receiver of webhooks with moods: it fails, dawdles and hangs up, and remembers what it took."""

import asyncio
import hmac
import random
import re
import threading
import time
from asyncio import StreamWriter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Self

from tests.receiver import OK, Received, answering, open_receiver

MOODY_SHARE = 0.35
"""Of the requests that may fail, so many do."""
MOST_FAULTS = 2
"""So often one message is refused at most: the pauses after later tries are of minutes."""
_SLOW_S = (0.3, 1.5)
_CLOCK_MAY_DIFFER_S = 60
_SIGNATURE = re.compile(r"t=(?P<t>[0-9]+),v1=(?P<v1>[0-9a-f]{64})")


@dataclass(slots=True)
class Letter:
    """What came under one idempotency key: how often, how often it was taken, and the newest document."""

    came: int = 0
    taken: int = 0
    faults: int = 0
    document: Any = None
    alert_ids: set[str] = field(default_factory=set)


class MoodyReceiver(threading.Thread):
    """Listens on loopback in a thread of its own while the context is open.

    `calm` ends all moods. `letters`, by idempotency key, may be read from other threads once nobody sends.
    """

    def __init__(self, secret: str, chance: random.Random) -> None:
        super().__init__(name="receiver", daemon=True)
        self._secret = secret.encode()
        self._chance = chance
        self._opened, self._closing = threading.Event(), threading.Event()
        self._moods: tuple[Callable[[Letter, Received, StreamWriter], Awaitable[None]], ...] = (
            self._fail,
            self._be_busy,
            self._dawdle,
            self._hang_up,
            self._take_and_hang_up,
        )
        self.calm = False
        self.url = ""
        self.requests = 0
        self.forged = 0
        self.letters: dict[str, Letter] = {}

    def __enter__(self) -> Self:
        self.start()
        assert self._opened.wait(10), "the receiver does not listen"
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self.join(10)

    def run(self) -> None:
        asyncio.run(self._listen())

    async def _listen(self) -> None:
        async with open_receiver(self._receive) as receiver:
            self.url = receiver.url
            self._opened.set()
            await asyncio.to_thread(self._closing.wait)

    async def _receive(self, received: Received, writer: StreamWriter) -> None:
        letter = self.letters.setdefault(received.headers.get("idempotency-key", ""), Letter())
        letter.came += 1
        letter.document = received.json()
        letter.alert_ids.add(letter.document["alert"]["id"])
        self.forged += not self._is_genuine(received)
        self.requests += 1
        if self.calm or letter.faults == MOST_FAULTS or self._chance.random() > MOODY_SHARE:
            await self._take(letter, received, writer)
        else:
            letter.faults += 1
            await self._chance.choice(self._moods)(letter, received, writer)

    def _is_genuine(self, received: Received) -> bool:
        """Check the signature as a receiver that knows nothing but the contract."""
        form = _SIGNATURE.fullmatch(received.headers.get("x-glimpser-signature", ""))
        if form is None or abs(time.time() - int(form["t"])) > _CLOCK_MAY_DIFFER_S:
            return False
        mac = hmac.new(self._secret, form["t"].encode() + b"." + received.body, sha256)
        return hmac.compare_digest(mac.hexdigest(), form["v1"])

    async def _take(self, letter: Letter, received: Received, writer: StreamWriter) -> None:
        letter.taken += 1
        await OK(received, writer)

    async def _fail(self, _letter: Letter, received: Received, writer: StreamWriter) -> None:
        await answering(500, "I fell over")(received, writer)

    async def _be_busy(self, _letter: Letter, received: Received, writer: StreamWriter) -> None:
        await answering(503, "later", retry_after="1")(received, writer)

    async def _dawdle(self, letter: Letter, received: Received, writer: StreamWriter) -> None:
        await asyncio.sleep(self._chance.uniform(*_SLOW_S))
        await self._take(letter, received, writer)

    async def _hang_up(self, _letter: Letter, _received: Received, writer: StreamWriter) -> None:
        writer.transport.abort()

    async def _take_and_hang_up(self, letter: Letter, _received: Received, writer: StreamWriter) -> None:
        """Lose the reply: nobody but the receiver knows that the message arrived."""
        letter.taken += 1
        writer.transport.abort()
