"""Fetching again what may not have changed since (RFC 9110, section 13.1)."""

from collections.abc import Mapping

from glimpser.capture.answers import body_of, sooner_than
from glimpser.core.errors import Unavailable
from glimpser.core.sources import ViewFailed
from glimpser.egress.fetching import Credentials, Fetch, Fetcher

_NAMES = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}


class WebFile:
    """A file behind an address. Event loop's thread."""

    def __init__(self, url: str, credentials: Credentials | None, fetcher: Fetcher) -> None:
        self._url = url
        self._credentials = credentials
        self._fetcher = fetcher
        self._validators: Mapping[str, str] = {}
        self._latest: Mapping[str, str] = {}

    async def get(self, *, unless_known: bool = True) -> bytes | None:
        """Fetch it; None when it has not changed since the fetch that `keep` was called after.

        Raises:
            ViewFailed: it cannot be had now.
            Denied, InvalidInput: it can never be.
        """
        known = self._validators if unless_known else {}
        try:
            answer = await self._fetcher.get(
                Fetch(url=self._url, headers=known, credentials=self._credentials)
            )
        except Unavailable as error:
            raise ViewFailed(error.detail, sooner_than(error.retry_after_s)) from error
        if answer.status == 304 and known:
            return None
        body = body_of(answer)
        self._latest = {_NAMES[key]: value for key, value in answer.headers.items() if key in _NAMES}
        return body

    def keep(self) -> None:
        """What was fetched last was good: only something else needs to be sent."""
        self._validators = self._latest
