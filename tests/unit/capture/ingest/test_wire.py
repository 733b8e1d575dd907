import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glimpser.capture.ingest.wire import (
    MAX_MESSAGE_BYTES,
    PREFIX,
    AnyReport,
    BrokenWire,
    BurstReport,
    Configure,
    FrameReport,
    JudgedReport,
    MeasureReport,
    Ping,
    Pong,
    Reader,
    Sender,
    Snapshot,
    SnapshotReport,
    Start,
    StateReport,
    Stop,
    Want,
    decode_command,
    decode_report,
    pack,
)
from glimpser.core.health import HealthState
from glimpser.core.ids import TemplateId
from glimpser.core.live import Caption, LiveSpec, MediaInput, State
from glimpser.core.motion import Box, MotionSettings

NOW = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)
SPEC = LiveSpec(
    template_id=TemplateId("A"),
    feed=MediaInput(address="rtsp://u:p%40@10.0.0.1/ü", transport="udp", fps=2.5),
    motion=MotionSettings(sensitivity=0.3),
    zones=(((0.0, 0.0), (1.0, 0.0), (1.0, 1.0)),),
    motion_masks=(((0.5, 0.5), (0.6, 0.5), (0.6, 0.6)),),
    privacy_masks=(((0.1, 0.1), (0.2, 0.1), (0.2, 0.2)),),
    caption=Caption(name="Tür", time=True),
)
COMMANDS = [
    Configure(
        allowed_networks=["10.0.0.0/8"], own_sockets=[("::1", 8080)], file_roots=["/x"], stall_timeout_s=8
    ),
    Start(spec=SPEC, run=3, first_epoch=7),
    Stop(id="A"),
    Want(id="A", widths={0: 0.0, 320: 5.0}),
    Snapshot(id="A", request=1, width=640),
    Ping(),
]
REPORTS: list[AnyReport] = [
    Pong(),
    StateReport(id="A", run=2, state=State.LIVE, since=NOW, epoch=1, fps=25.0, w=640, h=360, ident=2**47),
    BurstReport(
        id="A", step="closed", started_at=NOW, peak_at=NOW, ended_at=NOW, score=0.5, boxes=[Box(0, 0, 1, 1)]
    ),
    JudgedReport(id="A", run=2, state=HealthState.FROZEN, reason="Nothing changes.", at=NOW),
    SnapshotReport(id="A", request=9, error="no"),
    FrameReport(id="A", run=4, seq=1, ts=NOW, w=2, h=2, wanted=0),
    MeasureReport(id="A", fps=1.0, last_packet_age_s=0.1, dropped_frames=2, restarts=3),
]


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair()
    with one, other:
        one.setblocking(False)
        other.setblocking(False)
        yield one, other


def received(data: bytes, *, cut: int | None = None) -> list[tuple[bytes, bytes]]:
    """What a reader makes of these bytes and the end of file after them, sent in two pieces."""
    one, other = socket.socketpair()
    found: list[tuple[bytes, bytes]] = []
    with one, other:
        other.setblocking(False)
        reader = Reader(other)
        for piece in (data[:cut], data[cut:]) if cut is not None else (data,):
            one.sendall(piece)
            if not took_all(reader, found):
                return found
        one.close()
        while took_all(reader, found):
            pass
    return found


def took_all(reader: Reader, found: list[tuple[bytes, bytes]]) -> bool:
    """Take what has come; false when the wire is broken."""
    try:
        for header, payload in reader.messages(budget=1000):
            found.append((bytes(header), bytes(payload)))
    except BrokenWire:
        return False
    return True


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: type(c).__name__)
def test_a_command_arrives_as_it_was_sent(command: Start) -> None:
    [(header, payload)] = received(b"".join(pack(command)))

    assert decode_command(header) == command
    assert payload == b""


@pytest.mark.parametrize("report", REPORTS, ids=lambda r: type(r).__name__)
def test_a_report_arrives_as_it_was_sent_with_its_payload(report: AnyReport) -> None:
    [(header, payload)] = received(b"".join(pack(report, b"\xff\xd8 picture")))

    assert decode_report(header) == report
    assert payload == b"\xff\xd8 picture"


@given(st.lists(st.binary(max_size=300), max_size=5), st.data())
def test_messages_arrive_whole_and_in_order_wherever_the_stream_is_cut(
    payloads: list[bytes], data: st.DataObject
) -> None:
    stream = b"".join(b"".join(pack(Pong(), payload)) for payload in payloads)
    cut = data.draw(st.integers(0, len(stream)))

    assert [payload for _, payload in received(stream, cut=cut)] == payloads


@given(st.binary(max_size=200))
def test_garbage_is_a_broken_wire_and_nothing_else(garbage: bytes) -> None:
    for header, _ in received(garbage):
        with suppress(BrokenWire):  # by chance it may be a report, which is no harm
            decode_report(header)


@given(st.binary(max_size=60))
def test_a_header_that_is_no_message_is_a_broken_wire(header: bytes) -> None:
    for decode in (decode_command, decode_report):
        with suppress(BrokenWire):
            decode(header)


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"\xc1",
        msgspec.msgpack.encode({"t": "nobody knows"}),
        msgspec.msgpack.encode({"t": "stop"}),
        msgspec.msgpack.encode({"t": "stop", "id": 5}),
        b"\x82\xa1t\xa4stop\xa2id\xa1\xff",
        b"\x91" * 5000,
    ],
    ids=["empty", "unused byte", "unknown", "field missing", "wrong type", "no UTF-8", "deep"],
)
def test_what_is_not_a_command_is_a_broken_wire(header: bytes) -> None:
    with pytest.raises(BrokenWire):
        decode_command(header)


@pytest.mark.parametrize(
    "prefix",
    [(0, 0), (1, 0), (2, 0), (10, 0), (10, 9), (MAX_MESSAGE_BYTES + 3, 1), (2**32 - 1, 1)],
    ids=[
        "empty",
        "shorter than itself",
        "no header",
        "header of nothing",
        "header too long",
        "too large",
        "largest",
    ],
)
def test_an_impossible_size_is_refused_before_memory_is_taken_for_it(
    ends: tuple[socket.socket, socket.socket], prefix: tuple[int, int]
) -> None:
    ends[0].sendall(PREFIX.pack(*prefix) + b"x" * 20)

    with pytest.raises(BrokenWire, match="not a message"):
        list(Reader(ends[1]).messages())


def test_a_message_of_one_byte_of_header_is_taken() -> None:
    assert received(struct.pack("<IH", 3, 1) + b"\x80") == [(b"\x80", b"")]


def test_a_truncated_message_is_never_given() -> None:
    whole = b"".join(pack(Stop(id="A"), b"payload"))

    for size in range(len(whole)):
        assert received(whole[:size]) == []


def test_a_reader_gives_no_more_than_its_budget(ends: tuple[socket.socket, socket.socket]) -> None:
    ends[0].sendall(b"".join(pack(Pong())) * 5)
    reader = Reader(ends[1])

    assert len(list(reader.messages(budget=3))) == 3
    assert len(list(reader.messages(budget=3))) == 2


def test_a_sender_keeps_what_a_full_socket_does_not_take(ends: tuple[socket.socket, socket.socket]) -> None:
    payload = bytes(range(256)) * 20_000
    waiting = [pack(Pong(), payload), pack(Ping())]
    sender = Sender(ends[0], lambda: waiting.pop(0) if waiting else [])
    reader, found = Reader(ends[1]), []

    assert not sender.flush()
    done = False
    while not done:
        found += [bytes(payload) for _, payload in reader.messages()]
        done = sender.flush()
    found += [bytes(payload) for _, payload in reader.messages()]

    assert found == [payload, b""]


def test_sending_to_nobody_is_a_broken_wire(ends: tuple[socket.socket, socket.socket]) -> None:
    ends[1].close()
    waiting = [pack(Ping())]

    with pytest.raises(BrokenWire):
        Sender(ends[0], lambda: waiting.pop() if waiting else []).flush()
