"""HTTPS as people use it: the real program with a certificate of its own, and one that is renewed."""

import asyncio
import hashlib
import re
import ssl
from pathlib import Path

import httpx2
import pytest

from glimpser.testing.clock import START
from glimpser.web.certificates import Tls, self_signed
from glimpser.web.server import WebServer, listen
from glimpser.web.wiring import WebSettings
from tests.program import EMAIL, PASSWORD, Program, glimpser
from tests.web_world import open_world

pytestmark = pytest.mark.anyio


def trusting(tls: Tls) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=tls.certificate)


def pair(directory: Path) -> Tls:
    return self_signed(directory, ["127.0.0.1"], now=START)


@pytest.mark.parametrize("fast", [False, True], ids=["plain", "fast"])
async def test_a_stream_passes_and_a_renewed_certificate_is_shown_without_a_restart(
    data_dir: Path, *, fast: bool
) -> None:
    settings = WebSettings(version="1", https_only=True)
    tls, renewed = pair(data_dir / "tls"), pair(data_dir / "renewed")
    async with open_world(data_dir, settings, fast_streams=fast) as world, asyncio.TaskGroup() as tasks:
        server = WebServer(world.app, listen("127.0.0.1", 0), ending=world.services.ending, tls=tls)
        tasks.create_task(server.serve())
        url, headers = f"https://127.0.0.1:{server.port}", await world.sign_in()
        template_id = (await world.add_template(headers)).json()["id"]
        world.live.hub.publish(world.frame(template_id, b"picture"))

        async with httpx2.AsyncClient(verify=trusting(tls), base_url=url) as client:
            path = f"/api/stream/{template_id}/mjpeg"
            async with client.stream("GET", path, headers=headers) as answer:
                assert b"picture" in await anext(answer.aiter_bytes())
            assert answer.headers["strict-transport-security"] == "max-age=31536000"
        renewed.key.replace(tls.key)
        renewed.certificate.replace(tls.certificate)
        assert server._certificates is not None
        assert server._certificates.follow()
        async with httpx2.AsyncClient(verify=trusting(tls), base_url=url) as client:
            assert (await client.get("/healthz")).status_code == 200
        server.stop()


async def test_http_spoken_to_https_ends_and_harms_nobody(data_dir: Path) -> None:
    tls = pair(data_dir / "tls")
    async with open_world(data_dir) as world, asyncio.TaskGroup() as tasks:
        server = WebServer(world.app, listen("127.0.0.1", 0), ending=world.services.ending, tls=tls)
        tasks.create_task(server.serve())
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        assert b"200" not in await reader.read()
        writer.close()

        async with httpx2.AsyncClient(
            verify=trusting(tls), base_url=f"https://127.0.0.1:{server.port}"
        ) as client:
            answer = await client.get("/healthz")
        assert answer.status_code == 200
        assert "strict-transport-security" not in answer.headers
        server.stop()


def test_the_program_makes_its_own_certificate_and_tells_its_fingerprint(tmp_path: Path) -> None:
    settings = {
        "GLIMPSER_SERVER__TLS__MODE": "self-signed",
        "GLIMPSER_ADMIN_EMAIL": EMAIL,
        "GLIMPSER_ADMIN_PASSWORD": PASSWORD,
    }
    program = Program(tmp_path / "data", settings).start(verify=False)
    try:
        assert program.process.stdout is not None
        told = program.process.stdout.readline()
        shown = ssl.get_server_certificate(("127.0.0.1", int(program.url.rpartition(":")[2])))
        digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(shown)).hexdigest().upper()
        context = ssl.create_default_context(cadata=shown)
        with httpx2.Client(base_url=program.url, verify=context) as client:
            signed_in = client.post("/api/auth/login", json={"email": EMAIL, "password": PASSWORD})

        assert program.url.startswith("https://127.0.0.1:")
        assert told.endswith(":".join(re.findall("..", digest)) + "\n")
        assert signed_in.status_code == 200
        assert "Secure" in signed_in.headers["set-cookie"]
        assert program.terminate() == 0
    finally:
        if program.process.poll() is None:
            program.kill()


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"GLIMPSER_SERVER__STATIC_DIR": "nothing-here"}, "there is no index.html"),
        (
            {
                "GLIMPSER_SERVER__TLS__MODE": "files",
                "GLIMPSER_SERVER__TLS__CERT": "no.pem",
                "GLIMPSER_SERVER__TLS__KEY": "no.pem",
            },
            "no.pem cannot be read",
        ),
    ],
    ids=["static_dir", "tls"],
)
def test_files_that_are_missing_end_the_start_with_one_sentence(
    tmp_path: Path, settings: dict[str, str], named: str
) -> None:
    ports = {"GLIMPSER_OBSERVABILITY__PORT": "0"}

    ended = glimpser("up", "--port", "0", "--data-dir", str(tmp_path / "data"), **ports, **settings)

    assert ended.returncode == 78
    last = ended.stderr.splitlines()[-1]
    assert last.startswith("glimpser: ")
    assert named in last
    assert "Traceback" not in ended.stderr
