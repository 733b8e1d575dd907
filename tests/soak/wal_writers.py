"""Clients that have the program write, and note what it acknowledged and how far its log had come then."""

import itertools
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx2

from tests.soak.wal_files import Position, position_of

_THREADS = 2
_LOOK_EVERY = 5
_PAGE = 50


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A row that the program told somebody of, and where in the log it ends at the latest."""

    id: str
    position: Position


class Writers:
    """Threads that trigger captures and look at what has come of them, until `stop`."""

    def __init__(self, client: httpx2.Client, database: Path) -> None:
        self._client = client
        self._database = database
        self._views = [view["id"] for view in self._items("templates")]
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._known: dict[str, Position] = {}
        self._threads = [threading.Thread(target=self._work, args=(number,)) for number in range(_THREADS)]
        self.failed: Exception | None = None

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Let them finish what they ask for; the program must still answer."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def acknowledged(self) -> Sequence[Acknowledged]:
        """Give what has been acknowledged up to now."""
        with self._lock:
            return [Acknowledged(name, position) for name, position in self._known.items()]

    def _work(self, number: int) -> None:
        try:
            for turn in itertools.count(number):
                if self._stopping.is_set():
                    return
                view = self._views[turn % len(self._views)]
                answer = self._client.post(f"/api/admin/schedules/{view}/trigger").raise_for_status()
                self._note([answer.json()["job_id"]])
                if turn % _LOOK_EVERY == 0:
                    self._note(list(self._finished()))
        except (httpx2.HTTPError, KeyError) as error:  # told by whoever started us
            self.failed = error

    def _finished(self) -> Iterator[str]:
        """Name what the program shows: a reader sees nothing that is not synchronised yet."""
        for capture in self._items("captures"):
            yield capture["id"]
            yield from [capture["artifact_id"]] if capture["artifact_id"] else []
        for alert in self._items("alerts"):
            yield alert["id"]
            yield alert["event_id"]
            yield from (delivery["id"] for delivery in alert["deliveries"])

    def _items(self, what: str) -> Sequence[dict[str, Any]]:
        answer = self._client.get(f"/api/{what}", params={"limit": _PAGE}).raise_for_status()
        items: Sequence[dict[str, Any]] = answer.json()["items"]
        return items

    def _note(self, ids: Sequence[str]) -> None:
        """Note how far the log has come now: what was acknowledged before lies before that."""
        while (position := position_of(self._database)) is None:
            pass
        with self._lock:
            for name in ids:
                self._known.setdefault(name, position)
