"""Kind `pdf`: pages drawn by a real process of their own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import simplejpeg

from glimpser.capture.pdf.kind import pdf_kind
from glimpser.capture.pdf.renderer import PdfRenderer
from glimpser.core.clock import SystemClock
from glimpser.core.errors import InvalidInput
from glimpser.core.health import HealthState
from glimpser.core.kinds import Kind
from glimpser.core.live import Polled
from glimpser.core.sources import Shot, Source, ViewFailed
from glimpser.egress.fetching import open_fetcher
from glimpser.egress.gate import Gate, GatePolicy
from glimpser.process.runner import open_runner
from tests.documents import a_pdf

pytestmark = pytest.mark.anyio


class SilentRecorder:
    def command_succeeded(self, program: str) -> None: ...
    def command_timed_out(self, program: str) -> None: ...
    def command_ended(self, program: str, duration_s: float) -> None: ...


LOCK = f"/Filter /Standard /V 1 /R 2 /P -4 /O <{'ab' * 32}> /U <{'cd' * 32}>"
ENCRYPTED = a_pdf("secret", trailer=f"/ID [<00> <00>] /Encrypt << {LOCK} >>")


@pytest.fixture
async def renderer(tmp_path: Path) -> AsyncIterator[PdfRenderer]:
    async with open_runner(tmp_path / "run", clock=SystemClock(), recorder=SilentRecorder()) as runner:
        yield PdfRenderer(runner)


async def test_a_page_is_drawn_with_its_text(renderer: PdfRenderer) -> None:
    shot = await renderer.render(a_pdf("one", "two"), page=2, width=640)

    rows, columns, *_ = simplejpeg.decode_jpeg_header(shot.jpeg)
    assert (columns, rows) == (shot.width, shot.height) == (640, 320)
    assert shot.text == "two"
    assert shot.details == {"pages": 2}
    assert simplejpeg.decode_jpeg(shot.jpeg).min() < 100  # there is ink on it


@pytest.mark.parametrize(
    ("document", "page", "words"),
    [
        pytest.param(a_pdf("one"), 2, "1 pages: there is no page 2", id="no such page"),
        pytest.param(ENCRYPTED, 1, "encrypted", id="encrypted"),
        pytest.param(b"%PDF-1.7 and nothing else", 1, "broken", id="broken"),
        pytest.param(b"<html>", 1, "no PDF", id="html"),
        pytest.param(b"", 1, "no PDF", id="empty"),
        pytest.param(a_pdf("long", width=10, height=14_000), 1, "too long", id="page bomb"),
    ],
)
async def test_what_cannot_be_drawn_is_refused_with_the_reason(
    renderer: PdfRenderer, document: bytes, page: int, words: str
) -> None:
    with pytest.raises(InvalidInput, match=words):
        await renderer.render(document, page=page, width=640)


# The kind --------------------------------------------------------------------------------------------


class FakeRenderer:
    def __init__(self) -> None:
        self.drawn: list[tuple[bytes, int, int]] = []

    async def render(self, document: bytes, *, page: int, width: int) -> Shot:
        self.drawn.append((document, page, width))
        if document.startswith(b"broken"):
            raise InvalidInput("The document is broken.")
        return Shot(jpeg=document, width=width, height=width)


@pytest.fixture
def drawing() -> FakeRenderer:
    return FakeRenderer()


@pytest.fixture
async def kind(tmp_path: Path, drawing: FakeRenderer) -> AsyncIterator[Kind]:
    async with open_fetcher(Gate(GatePolicy()), agent="Test/1") as fetcher:
        yield pdf_kind(fetcher, drawing, roots=[tmp_path])


def source_of(kind: Kind, **config: object) -> Source:
    feed = kind.feed(config)
    assert isinstance(feed, Polled)
    return feed.source


async def test_a_document_is_drawn_again_only_when_it_has_changed(
    kind: Kind, drawing: FakeRenderer, tmp_path: Path
) -> None:
    (tmp_path / "menu.pdf").write_bytes(b"monday")
    source = source_of(kind, path="menu.pdf", page=2, width=320)

    first = await source.snapshot()
    second = await source.snapshot()
    (tmp_path / "menu.pdf").write_bytes(b"tuesday")
    third = await source.snapshot()

    assert second is first
    assert third.jpeg == b"tuesday"
    assert drawing.drawn == [(b"monday", 2, 320), (b"tuesday", 2, 320)]


async def test_a_document_that_cannot_be_drawn_is_no_reason_to_give_up(kind: Kind, tmp_path: Path) -> None:
    (tmp_path / "menu.pdf").write_bytes(b"broken")
    source = source_of(kind, path="menu.pdf")

    with pytest.raises(ViewFailed) as caught:
        await source.snapshot()
    (tmp_path / "menu.pdf").write_bytes(b"whole")

    assert caught.value.state is HealthState.ERROR_PAGE
    assert (await source.snapshot()).jpeg == b"whole"


async def test_a_document_that_is_a_link_or_not_there_fails(kind: Kind, tmp_path: Path) -> None:
    (tmp_path / "link.pdf").symlink_to("/etc/hostname")

    for path in ("link.pdf", "gone.pdf"):
        with pytest.raises(ViewFailed):
            await source_of(kind, path=path).snapshot()


@pytest.mark.parametrize(
    ("config", "pointer"),
    [
        ({}, "/config"),
        ({"url": "http://example.org/a.pdf", "path": "a.pdf"}, "/config"),
        ({"path": "/etc/passwd"}, "/config/path"),
        ({"path": "../a.pdf"}, "/config/path"),
        ({"path": "a.pdf", "page": 0}, "/config/page"),
        ({"path": "a.pdf", "width": 100_000}, "/config/width"),
        ({"url": "file:///etc/passwd"}, "/config/url"),
    ],
    ids=str,
)
async def test_a_config_that_cannot_be_used_names_its_field(
    kind: Kind, config: dict[str, object], pointer: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        kind.parse(config)

    assert [error.pointer for error in caught.value.errors] == [pointer]


async def test_a_document_in_an_allowed_folder_or_on_the_web_is_taken(kind: Kind) -> None:
    assert kind.parse({"path": "a.pdf"}) == {"path": "a.pdf", "page": 1, "width": 1280, "interval_s": 300}
    assert kind.parse({"url": "http://ann:pw@example.org/a.pdf"})["password"] == "pw"
