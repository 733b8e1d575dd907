"""Kind `image`: the address of a picture, fetched again and again."""

import asyncio
from typing import Any

from pydantic import Field, model_validator

from glimpser.capture.conditional import WebFile
from glimpser.capture.configs import parse_config
from glimpser.capture.form_hints import shown
from glimpser.capture.pictures.reader import PictureReader
from glimpser.capture.web_address import Guarded, WebUrl, without_userinfo
from glimpser.core.contents import Content
from glimpser.core.errors import InvalidInput
from glimpser.core.health import HealthState
from glimpser.core.kinds import Config, Kind
from glimpser.core.live import Polled
from glimpser.core.sources import Shot, ViewFailed
from glimpser.egress.fetching import Fetcher

_BETWEEN_TRIES_S = 0.3


class ImageConfig(Guarded):
    """Where the picture is, and how often it is fetched."""

    url: WebUrl = Field(
        title="Address",
        description="Of a picture on the web, or of a camera that gives stills.",
        examples=["https://example.org/harbour.jpg", "http://192.168.1.20/snapshot.jpg"],
        max_length=4096,
    )
    interval_s: float = Field(
        default=10,
        title="Time between pictures",
        description="How often it is fetched.",
        ge=1,
        le=86_400,
        json_schema_extra=shown(half=True, unit="s"),
    )
    tries: int = Field(
        default=1,
        title="Pictures to choose from",
        description="Fetch so many at a time, take the largest: for cameras whose pictures often come torn.",
        ge=1,
        le=5,
        json_schema_extra=shown(advanced=True),
    )

    _move_userinfo = model_validator(mode="before")(without_userinfo)


class ImageSource:
    """Event loop's thread."""

    def __init__(self, config: ImageConfig, fetcher: Fetcher, reader: PictureReader) -> None:
        self._tries = config.tries
        self._file = WebFile(config.url, config.credentials(), fetcher)
        self._reader = reader
        self._known: Shot | None = None

    async def snapshot(self) -> Shot:
        """Fetch the picture; one that has not changed since is given again.

        Raises:
            ViewFailed: there is none, or none that can be read.
            Denied, InvalidInput: it can never be fetched.
        """
        if self._tries > 1:
            return await self._largest()
        data = await self._file.get()
        if data is not None or self._known is None:
            self._known = await self._read(data or b"")
            self._file.keep()
        return self._known

    async def _largest(self) -> Shot:
        """Of some tries take the picture of the most bytes: a torn one has fewer."""
        shots: list[Shot] = []
        failure: ViewFailed | None = None
        for number in range(self._tries):
            if number:
                await asyncio.sleep(_BETWEEN_TRIES_S)
            try:
                shots.append(await self._read(await self._file.get(unless_known=False) or b""))
            except ViewFailed as error:
                failure = error
                if error.state is HealthState.BLOCKED:
                    break  # cameras lock accounts that try a wrong password often
        if not shots:
            assert failure is not None
            raise failure
        return max(shots, key=lambda shot: len(shot.jpeg))

    async def _read(self, data: bytes) -> Shot:
        try:
            return await self._reader.read(data)
        except InvalidInput as error:
            raise ViewFailed(error.detail, state=HealthState.ERROR_PAGE) from error


def image_kind(fetcher: Fetcher, reader: PictureReader) -> Kind:
    """Make the kind for pictures that `fetcher` may reach."""

    def feed(config: Config) -> Polled:
        image = parse_config(ImageConfig, config)
        key = f"image {image.model_dump_json()}"
        return Polled(source=ImageSource(image, fetcher, reader), key=key, interval_s=image.interval_s)

    def parse(config: Config) -> dict[str, Any]:
        return parse_config(ImageConfig, config).model_dump(exclude_none=True)

    return Kind(
        name="image",
        title="Picture on the web",
        description="A picture that is fetched again and again: of a webcam, or a camera that gives stills.",
        schema=ImageConfig.model_json_schema(),
        parse=parse,
        feed=feed,
        secrets=frozenset({"password"}),
        shows=frozenset({Content.PICTURE}),
    )
