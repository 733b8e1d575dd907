"""Commands, options and templates in what people may set: refused at every way in, and nothing is run.

`docs/security/attacks.md` lists them. One program runs for the whole table; that it runs no command shows by
a file that none of them makes.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
import simplejpeg

from glimpser.app.single import take_snapshot
from glimpser.config import load
from glimpser.core.errors import GlimpserError
from tests.attack_rows import MARK, Config, Row, rows
from tests.program import Program, glimpser, running
from tests.unit.capture.pictures.test_reading import a_png_header

pytestmark = pytest.mark.timeout(180)

ROWS = tuple(rows())
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    limits = {
        f"GLIMPSER_SECURITY__RATE_LIMITS__{whose}": "off"
        for whose in ("ADDRESS", "ADDRESS_WRITES", "PRINCIPAL", "PRINCIPAL_WRITES")
    }
    with running(tmp_path_factory.mktemp("attacks") / "data", limits) as program:
        yield program


@pytest.fixture(scope="module")
def client(program: Program) -> Iterator[httpx2.Client]:
    with program.set_up() as client:
        yield client


def view(kind: str, config: Config) -> dict[str, Any]:
    return {"name": "Attacked", "kind": kind, "config": config, "enabled": False}


def refused_at(answer: httpx2.Response) -> list[str]:
    assert answer.status_code == 422, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    return [error["pointer"] for error in answer.json()["errors"]]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_it_is_refused_at_every_way_in_and_its_twin_is_taken(
    client: httpx2.Client, program: Program, row: Row
) -> None:
    added = client.post("/api/templates", json=view(row.kind, row.twin))
    assert added.status_code == 201, added.text
    where, match = added.headers["Location"], {"If-Match": added.headers["ETag"]}
    hostile = view(row.kind, row.config)
    given = {"config": row.config}

    assert refused_at(client.post("/api/templates", json=hostile)) == [row.pointer]
    assert refused_at(client.put(where, json=hostile, headers=match)) == [row.pointer]
    assert row.pointer in refused_at(client.patch(where, json=given, headers=match))
    assert refused_at(client.post("/api/templates/probe", json={"kind": row.kind, **given})) == [row.pointer]
    brought = client.post(
        "/api/templates/import?dry_run=false", content=json.dumps({"templates": [hostile]}), headers=JSON
    )
    assert [item["action"] for item in brought.json()["items"]] == ["refused"]
    assert [error["pointer"] for error in brought.json()["items"][0]["errors"]] == [row.pointer]

    assert client.get(where).headers["ETag"] == added.headers["ETag"]
    assert client.delete(where, headers=match).status_code == 204
    assert not list(program.data_dir.parent.rglob(MARK))


@pytest.mark.parametrize("kind", ["ffmpeg", "file"])
def test_a_text_with_nul_is_refused_whole_wherever_it_stands(client: httpx2.Client, kind: str) -> None:
    config = {"url": "rtsp://127.0.0.2/a\0", "path": "a\0.mp4"}
    hostile = view(kind, config)

    body = json.dumps({"templates": [hostile]})
    added = client.post("/api/templates", json=hostile)
    tried = client.post("/api/templates/probe", json={"kind": kind, "config": config})
    brought = client.post("/api/templates/import?dry_run=false", content=body, headers=JSON)

    assert (added.status_code, tried.status_code) == (422, 422)
    assert [item["action"] for item in brought.json()["items"]] == ["refused"]


def test_the_command_that_imports_refuses_the_same_and_takes_the_twins(tmp_path: Path) -> None:
    hostile = [view(row.kind, row.config) | {"name": row.name} for row in ROWS]
    legal = {f"{row.kind} {json.dumps(row.twin)}": view(row.kind, row.twin) for row in ROWS}
    twins = [twin | {"name": name} for name, twin in legal.items()]
    file = tmp_path / "views.json"
    file.write_text(json.dumps({"templates": hostile + twins}))

    ran = glimpser("template", "import", str(file), "--apply", "--json", "--data-dir", str(tmp_path / "data"))

    assert ran.returncode == 1
    changes = json.loads(ran.stdout)
    taken = [(change["name"], change["errors"]) for change in changes[len(ROWS) :]]
    assert taken == [(name, []) for name in legal]
    pointers = [change["errors"][0]["pointer"] for change in changes[: len(ROWS)]]
    assert pointers == [row.pointer for row in ROWS]
    assert not list(tmp_path.rglob(MARK))


NO_SNAPSHOT = {
    "option": "-i",
    "file": "file:///etc/passwd",
    "concat": "concat:/etc/passwd",
    "javascript": "javascript://a/%0aalert(1)",
    "source": "view-source:http://127.0.0.2/",
    "metadata": "http://169.254.169.254/latest/meta-data/",
    "multicast": "rtsp://239.0.0.1/a",
    "shell": f"$(touch {MARK})",
    "no picture": "/etc/passwd",
}


@pytest.mark.anyio
@pytest.mark.parametrize("what", NO_SNAPSHOT.values(), ids=NO_SNAPSHOT)
async def test_a_snapshot_of_what_is_none_is_refused(data_dir: Path, what: str) -> None:
    with pytest.raises(GlimpserError):
        await take_snapshot(load({"data_dir": str(data_dir)}), what)


@pytest.mark.anyio
async def test_a_snapshot_of_an_odd_but_honest_name_is_taken(data_dir: Path, tmp_path: Path) -> None:
    picture = tmp_path / "-i $(touch x); `y`|concat:z.jpg"
    picture.write_bytes(a_jpeg())

    shot = await take_snapshot(load({"data_dir": str(data_dir)}), str(picture))

    assert (shot.width, shot.height) == (32, 16)


def a_jpeg() -> bytes:
    return bytes(simplejpeg.encode_jpeg(np.full((16, 32, 1), 99, np.uint8), colorspace="GRAY"))


NO_PICTURES = {
    "bomb": a_png_header(30_000, 30_000),
    "page": b"<!doctype html><script>1</script>",
    "SVG": b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
    "playlist": b"#EXTM3U\n#EXTINF:9,\nfile:///etc/passwd\n",
    "script": b"ffconcat version 1.0\nfile /etc/passwd\n",
    "PostScript": b"%!PS\n(/etc/passwd) (r) file",
    "half": a_jpeg()[:-30],
}


def test_what_is_sent_is_a_picture_or_refused(client: httpx2.Client) -> None:
    added = client.post("/api/templates", json=view("push", {}) | {"enabled": True, "name": "Sent"})
    where = f"/api/stream/{added.json()['id']}/push"

    def send(content: bytes) -> int:
        told = {"Content-Type": "image/jpeg"}
        return client.post(where, content=content, headers=told).status_code

    assert {name: send(content) for name, content in NO_PICTURES.items()} == dict.fromkeys(NO_PICTURES, 422)
    assert send(a_jpeg()) == 202
