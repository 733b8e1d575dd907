"""Kind `pdf`: where the document is, and which page of it is shown."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, Self

from pydantic import Field, model_validator

from glimpser.capture.conditional import WebFile
from glimpser.capture.configs import parse_config
from glimpser.capture.form_hints import shown
from glimpser.capture.ingest.files import place_of
from glimpser.capture.reading_files import read_beneath
from glimpser.capture.web_address import Guarded, WebUrl, without_userinfo
from glimpser.core.contents import Content
from glimpser.core.errors import InvalidInput, Unavailable
from glimpser.core.health import HealthState
from glimpser.core.kinds import Config, Kind
from glimpser.core.live import Polled
from glimpser.core.sources import Shot, ViewFailed
from glimpser.egress.fetching import Fetcher

_BROKEN_RETRY_S = 60


class PdfConfig(Guarded):
    """A document on the web or in one of the allowed folders."""

    url: WebUrl | None = Field(
        default=None,
        title="Address",
        description="Of a document on the web.",
        max_length=4096,
        json_schema_extra=shown(placeholder="https://example.org/timetable.pdf"),
    )
    path: str | None = Field(
        default=None,
        title="Path",
        description="Or of a document on the server, below one of the allowed folders.",
        min_length=1,
        max_length=4096,
    )
    page: int = Field(default=1, title="Page", ge=1, le=100_000, json_schema_extra=shown(half=True))
    width: int = Field(
        default=1280,
        title="Width of the picture",
        ge=160,
        le=4096,
        json_schema_extra=shown(advanced=True, half=True, unit="px"),
    )
    interval_s: float = Field(
        default=300,
        title="Time between looks",
        ge=10,
        le=604_800,
        json_schema_extra=shown(half=True, unit="s"),
    )

    _move_userinfo = model_validator(mode="before")(without_userinfo)

    @model_validator(mode="after")
    def _is_in_one_place(self) -> Self:
        if (self.url is None) == (self.path is None):
            raise ValueError("Say where the document is: by url or by path, one of them.")
        return self


class Document(Protocol):
    """Where a document is read from."""

    async def get(self) -> bytes | None:
        """Give it; None: it has not changed since `keep`. Raises: ViewFailed, Denied, InvalidInput."""
        ...

    def keep(self) -> None: ...


class Renders(Protocol):
    """What draws pages; `renderer.PdfRenderer` is one."""

    async def render(self, document: bytes, *, page: int, width: int) -> Shot: ...


class _LocalFile:
    """A document below the allowed folders."""

    def __init__(self, path: str, roots: Sequence[Path]) -> None:
        self._path = path
        self._roots = roots
        self._kept = self._latest = b""

    async def get(self) -> bytes | None:
        data = await read_beneath(self._path, self._roots)
        if data == self._kept:
            return None
        self._latest = data
        return data

    def keep(self) -> None:
        self._kept = self._latest


class PdfSource:
    """Event loop's thread."""

    def __init__(self, config: PdfConfig, document: Document, renderer: Renders) -> None:
        self._config = config
        self._document = document
        self._renderer = renderer
        self._known: Shot | None = None

    async def snapshot(self) -> Shot:
        """Draw the page; one of a document that has not changed is given again.

        Raises:
            ViewFailed: the document is not there, cannot be read, or has no such page.
            Denied, InvalidInput: it can never be had.
        """
        data = await self._document.get()
        if data is not None or self._known is None:
            self._known = await self._rendered(data or b"")
            self._document.keep()
        return self._known

    async def _rendered(self, data: bytes) -> Shot:
        try:
            return await self._renderer.render(data, page=self._config.page, width=self._config.width)
        except InvalidInput as error:
            raise ViewFailed(error.detail, _BROKEN_RETRY_S, state=HealthState.ERROR_PAGE) from error
        except Unavailable as error:
            raise ViewFailed(error.detail, error.retry_after_s) from error


def pdf_kind(fetcher: Fetcher, renderer: Renders, *, roots: Sequence[Path]) -> Kind:
    """Make the kind for documents that `fetcher` may reach, or that lie below `roots`."""

    def parse(config: Config) -> dict[str, Any]:
        checked = parse_config(PdfConfig, config)
        if checked.path is not None:
            place_of(checked.path, roots)
        return checked.model_dump(exclude_none=True)

    def feed(config: Config) -> Polled:
        pdf = parse_config(PdfConfig, config)
        document: Document
        if pdf.url is not None:
            document = WebFile(pdf.url, pdf.credentials(), fetcher)
        else:
            document = _LocalFile(pdf.path or "", roots)
        key = f"pdf {pdf.model_dump_json()}"
        return Polled(source=PdfSource(pdf, document, renderer), key=key, interval_s=pdf.interval_s)

    return Kind(
        name="pdf",
        title="PDF document",
        description="A page of a document on the web or on this machine, with its text.",
        schema=PdfConfig.model_json_schema(),
        parse=parse,
        feed=feed,
        secrets=frozenset({"password"}),
        shows=frozenset({Content.DOCUMENT}),
    )
