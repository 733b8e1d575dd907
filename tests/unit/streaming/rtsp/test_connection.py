import base64
import re
import socket

import pytest

from glimpser.streaming.rtsp import Lower
from tests.unit.streaming.rtsp.client import (
    DELTA,
    KEY,
    LIMITS,
    PPS,
    SPS,
    TCP,
    Connect,
    payloads,
    ready_mount,
    server_with,
    until,
)

pytestmark = pytest.mark.anyio


async def test_a_player_over_tcp_describes_sets_up_and_plays(connect: Connect) -> None:
    async with server_with() as server:
        mount = ready_mount(server)
        client = await connect(server)

        description = await client.ask("DESCRIBE", Accept="application/sdp")
        setup = await client.play()
        mount.push(KEY, 0, key=True)
        mount.push(DELTA, 3_600, key=False)
        packets = await client.packets(4)

        assert description["Content-Base"] == client.url + "/cam/"
        assert b"a=control:trackID=0\r\n" in description.body
        assert re.fullmatch(r"[0-9a-f]{32};timeout=60", setup["Session"])
        assert setup["Transport"].startswith(TCP + ";ssrc=")
        assert payloads(packets) == [SPS, PPS, b"\x65key", b"\x41delta"]


async def test_a_player_over_udp_gets_datagrams_from_the_announced_port(connect: Connect) -> None:
    async with server_with() as server:
        mount = ready_mount(server)
        client = await connect(server)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
            receiver.bind(("127.0.0.1", 0))
            receiver.settimeout(5)
            port = receiver.getsockname()[1]

            setup = await client.play(f"RTP/AVP;unicast;client_port={port}-{port ^ 1};destination=127.0.0.9")
            mount.push(KEY, 0, key=True)
            received = [receiver.recvfrom(2_048) for _ in range(3)]

        ports = re.search(r"server_port=(\d+)-(\d+)", setup["Transport"])
        assert ports is not None
        assert int(ports[1]) % 2 == 0
        assert int(ports[2]) == int(ports[1]) + 1
        assert payloads([data for data, _ in received]) == [SPS, PPS, b"\x65key"]
        assert {address for _, address in received} == {("127.0.0.1", int(ports[1]))}


async def test_play_announces_the_first_sequence_number(connect: Connect) -> None:
    async with server_with() as server:
        mount = ready_mount(server)
        client = await connect(server)
        setup = await client.ask("SETUP", Transport=TCP)
        client.session = setup["Session"].partition(";")[0]

        info = (await client.ask("PLAY"))["RTP-Info"]
        mount.push(KEY, 0, key=True)
        [packet, *_] = await client.packets(3)

        assert info == f"url={client.url}/cam/trackID=0;seq={int.from_bytes(packet[2:4], 'big')}"


async def test_pause_stops_the_packets_and_play_goes_on_with_a_key_frame(connect: Connect) -> None:
    async with server_with() as server:
        mount = ready_mount(server)
        client = await connect(server)
        await client.play()
        await client.ask("PAUSE")
        mount.push(KEY, 0, key=True)

        await client.ask("PLAY")
        mount.push(DELTA, 1, key=False)
        mount.push(KEY, 2, key=True)

        assert payloads(await client.packets(3)) == [SPS, PPS, b"\x65key"]
        assert client.rtp == []


async def test_after_teardown_the_connection_can_set_up_again(connect: Connect) -> None:
    async with server_with() as server:
        mount = ready_mount(server)
        client = await connect(server)
        await client.play()

        torn_down = await client.ask("TEARDOWN")
        viewers = mount.viewers
        client.session = ""
        await client.play("RTP/AVP/TCP;unicast;interleaved=4-5")

        assert torn_down.status == 200
        assert viewers == 0
        assert mount.viewers == mount.playing == 1


async def test_a_player_that_hangs_up_is_forgotten(connect: Connect) -> None:
    async with server_with() as server:
        mount = ready_mount(server)
        client = await connect(server)
        await client.play()

        client.writer.transport.abort()
        await until(lambda: server.connections == 0)

        assert mount.viewers == mount.playing == 0


async def test_without_credentials_the_answer_is_401_with_both_challenges_even_for_unknown_paths(
    connect: Connect,
) -> None:
    async with server_with({"ann": "secret"}) as server:
        ready_mount(server)
        client = await connect(server)

        known, unknown = await client.ask("DESCRIBE"), await client.ask("DESCRIBE", "nothing")

        challenges = [value for name, value in known.headers if name == "WWW-Authenticate"]
        assert known.status == unknown.status == 401
        assert challenges[0].startswith('Digest realm="Glimpser", nonce="')
        assert challenges[1] == 'Basic realm="Glimpser"'


async def test_with_credentials_the_answer_is_200_and_repeated_guessing_ends_the_connection(
    connect: Connect,
) -> None:
    right = "Basic " + base64.b64encode(b"ann:secret").decode()
    wrong = "Basic " + base64.b64encode(b"ann:guess").decode()
    async with server_with({"ann": "secret"}) as server:
        ready_mount(server)
        client = await connect(server)

        accepted = await client.ask("DESCRIBE", Authorization=right)
        refused = [await client.ask("DESCRIBE", Authorization=wrong) for _ in range(LIMITS.failed_logins)]

        assert accepted.status == 200
        assert {reply.status for reply in refused} == {401}
        assert await client.ended()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("cam", 200),
        ("cam/", 200),
        ("cam?token=1", 200),
        ("c%61m", 200),
        ("other", 404),
        ("cam/trackID=1", 404),
        ("../../etc/passwd", 404),
        ("%2e%2e/%2e%2e/etc/passwd", 404),
        ("cam/../cam", 404),
        ("cam%00", 404),
        ("", 404),
        ("cam#x", 400),
    ],
)
async def test_a_path_is_looked_up_and_nothing_else(connect: Connect, path: str, status: int) -> None:
    async with server_with() as server:
        ready_mount(server)
        client = await connect(server)

        assert (await client.ask("DESCRIBE", path)).status == status


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("SETUP", {}, 400),
        ("SETUP", {"Transport": "RTP/AVP;multicast"}, 461),
        ("SETUP", {"Transport": "RTP/AVP/TCP;interleaved=256-257"}, 461),
        ("SETUP", {"Transport": TCP, "Session": "stolen"}, 454),
        ("PLAY", {}, 454),
        ("PAUSE", {"Session": "stolen"}, 454),
        ("TEARDOWN", {"Session": "é"}, 454),
        ("RECORD", {}, 501),
        ("BREW", {}, 501),
        ("GET_PARAMETER", {}, 200),
        ("OPTIONS", {}, 200),
    ],
)
async def test_a_request_out_of_place_is_refused_and_the_connection_goes_on(
    connect: Connect, method: str, headers: dict[str, str], status: int
) -> None:
    async with server_with() as server:
        mount = ready_mount(server)
        client = await connect(server)

        reply = await client.ask(method, **headers)
        await client.play()

        assert reply.status == status
        assert mount.playing == 1


async def test_only_the_transports_on_offer_are_set_up(connect: Connect) -> None:
    async with server_with(accepted=frozenset({Lower.UDP})) as server:
        ready_mount(server)
        client = await connect(server)

        assert (await client.ask("SETUP", Transport=TCP)).status == 461
        assert (await client.ask("SETUP", Transport="RTP/AVP;unicast;client_port=5000-5001")).status == 200


async def test_a_playing_client_cannot_change_its_transport_or_its_mount(connect: Connect) -> None:
    async with server_with() as server:
        ready_mount(server)
        server.mount("other").push(KEY, 0, key=True)
        client = await connect(server)
        await client.play()

        assert (await client.ask("SETUP", Transport=TCP)).status == 455
        assert (await client.ask("DESCRIBE", "other")).status == 454
        client.session = ""
        assert (await client.ask("DESCRIBE", "other")).status == 455


@pytest.mark.parametrize(
    ("garbage", "answer"),
    [
        (b"\x16\x03\x01\x02\x00\x01", b"RTSP/1.0 400 "),
        (b"GET / HTTP/1.1\r\nCSeq: 1\r\n\r\n", b"RTSP/1.0 505 "),
        (b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: -1\r\n\r\n", b"RTSP/1.0 400 "),
        (b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 99999999\r\n\r\n", b"RTSP/1.0 413 "),
        (b"OPTIONS * RTSP/1.0\r\nX: " + b"y" * 100_000, b"RTSP/1.0 431 "),
    ],
)
async def test_garbage_is_answered_and_its_connection_closed_while_others_play_on(
    connect: Connect, garbage: bytes, answer: bytes
) -> None:
    async with server_with() as server:
        mount = ready_mount(server)
        good, bad = await connect(server), await connect(server)
        await good.play()

        bad.writer.write(garbage)
        status_line = await bad.reader.readline()
        await bad.ended()
        mount.push(KEY, 0, key=True)

        assert status_line.startswith(answer)
        assert len(await good.packets(3)) == 3


async def test_interleaved_data_on_any_channel_is_passed_over(connect: Connect) -> None:
    async with server_with() as server:
        ready_mount(server)
        client = await connect(server)
        await client.play()

        client.writer.write(b"$\xff\x00\x04junk$\x01\x00\x00")

        assert (await client.ask("OPTIONS")).status == 200
