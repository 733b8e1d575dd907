"""Backups of the real program that writes meanwhile, and restores of them, killed and whole."""

import asyncio
import json
import shutil
import sqlite3
import stat
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from glimpser.app.backups import back_up as write_backup
from glimpser.app.offline import check_integrity
from glimpser.app.restore import Restored, RestoreOrder
from glimpser.app.restore import restore as put_back
from glimpser.config import Config, load
from glimpser.core.errors import InvalidInput
from glimpser.core.keys import artifact_key
from glimpser.db.engine import open_database
from glimpser.db.migrate import migrate
from glimpser.db.settings import DatabaseSettings
from glimpser.services.backing_up import BackedUp, Wanted
from glimpser.services.backup_archive import DATABASE, MANIFEST, ArchiveWriter, read_parts
from glimpser.services.integrity import CheckLevel
from glimpser.services.retention import SilentProgress
from glimpser.storage.files import open_files
from tests.contract.given import add
from tests.contract.samples import artifact
from tests.program import Program, glimpser, running, wait_for

PASSPHRASE = "seven lean cows of the Nile"
CAMERA_PASSWORD = "opensesame-99"
URL_PASSWORD = "hunter22hunter"
CAMERA_URL = f"rtsp://ann:{URL_PASSWORD}@127.0.0.1:9/1"
HOOK_SECRET = "shared-secret-17"
OBJECTS = 8
KEPT = {"GLIMPSER_RETENTION__MAX_AGE_DAYS": "36000"}


def rows(data_dir: Path, table: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(data_dir / "glimpser.db")) as connection:
        return connection.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()


def config_of(data_dir: Path) -> Config:
    return load({"data_dir": str(data_dir)})


def restore(file: Path, data_dir: Path, passphrase: str | None = PASSPHRASE) -> Restored:
    order = RestoreOrder(passphrase=passphrase)
    return asyncio.run(put_back(config_of(data_dir), file, order, SilentProgress()))


def command(verb: str, file: Path, data_dir: Path, *more: str, **settings: str) -> CompletedProcess[str]:
    return glimpser(verb, str(file), "--data-dir", str(data_dir), *more, **settings)


def assert_whole(data_dir: Path) -> None:
    report = asyncio.run(check_integrity(config_of(data_dir), level=CheckLevel.HASH, repair=False))
    assert report.problems == ()


@pytest.fixture(scope="module")
def passphrase_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("secret") / "passphrase"
    file.write_text(f"{PASSPHRASE}\n")
    return file


async def keep_objects(data_dir: Path, numbers: range) -> None:
    """Store objects with their rows, as the program does."""
    settings = DatabaseSettings(url=f"sqlite:///{data_dir / 'glimpser.db'}")
    migrate(settings)
    async with open_database(settings) as database, open_files(data_dir / "objects") as store:
        for number in numbers:
            key = artifact_key(artifact(number).id, "jpg", artifact(number).created_at)
            stored = await store.put(key, _once(f"picture {number}" * 1000), content_type="image/jpeg")
            row = artifact(number, uri=stored.uri, size_bytes=stored.size_bytes, sha256=stored.sha256)
            await add(database, row)


async def _once(text: str) -> AsyncIterator[bytes]:
    yield text.encode()


@pytest.fixture(scope="module")
def backed_up(tmp_path_factory: pytest.TempPathFactory, passphrase_file: Path) -> tuple[Path, Path]:
    """A data directory of a program that ran and wrote, and a backup made while it did."""
    directory = tmp_path_factory.mktemp("backed-up")
    data_dir, file = directory / "data", directory / "backup.tar"
    data_dir.mkdir()
    asyncio.run(keep_objects(data_dir, range(OBJECTS)))
    with running(data_dir, KEPT) as program:
        with program.set_up() as client:
            config = {"url": CAMERA_URL, "username": "ann", "password": CAMERA_PASSWORD}
            view = {"name": "Door", "kind": "ffmpeg", "config": config, "live": False}
            assert client.post("/api/templates", json=view).status_code == 201
            hook = {"url": "https://example.org/hook", "secret": HOOK_SECRET}
            channel = {"name": "Ann", "kind": "webhook", "config": hook}
            assert client.post("/api/admin/channels", json=channel).status_code == 201
        with writing(program) as written:
            wait_for(lambda: len(written) > 3, what="rows")
            made = glimpser(
                *("backup", str(file), "--data-dir", str(data_dir), "--with-artifacts", "--json"),
                *("--passphrase-file", str(passphrase_file)),
            )
            before = len(written)
            wait_for(lambda: len(written) > before, what="a program that goes on")
        assert made.returncode == 0, made.stderr
        assert json.loads(made.stdout)["artifacts"] == OBJECTS
        assert program.terminate() == 0
    return data_dir, file


@contextmanager
def writing(program: Program) -> Iterator[list[str]]:
    """Have the program write rows all the time; gives their ids."""
    written: list[str] = []
    stop = threading.Event()

    def write() -> None:
        with program.sign_in() as client:
            while not stop.wait(0.1):
                body = {"name": f"View {len(written)}", "kind": "push", "config": {}}
                answer = client.post("/api/templates", json=body)
                if answer.status_code == 201:
                    written.append(answer.json()["id"])

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield written
    finally:
        stop.set()
        writer.join()


def test_a_backup_under_writes_comes_back_whole_in_an_empty_directory(
    backed_up: tuple[Path, Path], passphrase_file: Path, tmp_path: Path
) -> None:
    data_dir, file = backed_up
    empty = tmp_path / "data"

    done = command("restore", file, empty, "--json", "--passphrase-file", str(passphrase_file))

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["stored"] == OBJECTS
    assert_whole(empty)
    views, kept = rows(empty, "templates"), rows(data_dir, "templates")
    assert 3 < len(views) <= len(kept)
    assert views == kept[: len(views)]
    assert rows(empty, "channels") == rows(data_dir, "channels")
    assert [row[0] for row in rows(empty, "users")] == [row[0] for row in rows(data_dir, "users")]
    assert len(rows(empty, "artifacts")) == OBJECTS
    assert json.loads(str(document(empty)))["config"]["password"] == CAMERA_PASSWORD


def back_up(file: Path, data_dir: Path, *, force: bool = False) -> BackedUp:
    return asyncio.run(
        write_backup(config_of(data_dir), file, Wanted(), force=force, progress=SilentProgress())
    )


def document(data_dir: Path) -> object:
    with closing(sqlite3.connect(data_dir / "glimpser.db")) as connection:
        return connection.execute("SELECT document FROM templates WHERE name = 'Door'").fetchone()[0]


def test_no_secret_stands_in_a_backup_in_the_clear(backed_up: tuple[Path, Path], tmp_path: Path) -> None:
    data_dir, sealed = backed_up
    plain = tmp_path / "plain.tar"
    made = back_up(plain, data_dir)

    assert made.secrets == "left out"
    signing = (data_dir / "jwt_secret").read_bytes().strip()
    for file in (sealed, plain):
        content = file.read_bytes()
        for secret in (CAMERA_PASSWORD, URL_PASSWORD, HOOK_SECRET, PASSPHRASE):
            assert secret.encode() not in content
        assert signing not in content
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_restore_over_data_keeps_what_came_after_for_a_while(
    backed_up: tuple[Path, Path], tmp_path: Path
) -> None:
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    asyncio.run(keep_objects(data_dir, range(4, OBJECTS + 4)))

    done = restore(backed_up[1], data_dir)

    assert (done.stored, done.there, done.adopted) == (OBJECTS, 0, OBJECTS)
    assert done.aside is not None
    assert Path(done.aside).is_file()
    assert_whole(data_dir)
    again = restore(backed_up[1], data_dir)
    assert (again.stored, again.there, again.adopted) == (0, OBJECTS, OBJECTS)
    assert_whole(data_dir)


def test_a_restore_without_pictures_keeps_the_rows_of_those_that_are_there(
    backed_up: tuple[Path, Path], tmp_path: Path
) -> None:
    data_dir, file = tmp_path / "data", tmp_path / "rows.tar"
    shutil.copytree(backed_up[0], data_dir)
    back_up(file, backed_up[0])
    lost = next((data_dir / "objects").rglob("*.jpg"))
    lost.unlink()

    done = restore(file, data_dir, None)

    assert (done.stored, done.removed, done.secrets_missing) == (0, 1, 0)
    assert_whole(data_dir)
    assert len(rows(data_dir, "artifacts")) == OBJECTS - 1
    assert json.loads(str(document(data_dir)))["config"]["password"] == CAMERA_PASSWORD


def test_a_restored_program_runs_and_lets_people_in_anew(
    backed_up: tuple[Path, Path], passphrase_file: Path, tmp_path: Path
) -> None:
    data_dir = tmp_path / "data"
    restore(backed_up[1], data_dir)

    with running(data_dir, KEPT) as program, program.sign_in() as client:
        assert client.get("/api/templates").json()["items"][0]["name"] == "Door"
        refused = command("restore", backed_up[1], data_dir, "--passphrase-file", str(passphrase_file))
        assert program.terminate() == 0

    assert refused.returncode == 78
    assert f"pid {program.process.pid}" in refused.stderr


@pytest.mark.parametrize(
    "place",
    [
        *("restore.object_stored:kill:3", "restore.staged", "restore.kept_aside"),
        "restore.replaced",
    ],
)
def test_a_kill_leaves_the_old_state_or_the_new_one_whole(
    backed_up: tuple[Path, Path], passphrase_file: Path, tmp_path: Path, place: str
) -> None:
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    asyncio.run(keep_objects(data_dir, range(OBJECTS, OBJECTS + 3)))
    before = rows(data_dir, "artifacts")
    point = place if ":" in place else f"{place}:kill"
    secret = ("--passphrase-file", str(passphrase_file))

    killed = command("restore", backed_up[1], data_dir, *secret, GLIMPSER_FAILPOINT=point)

    assert killed.returncode == -9
    assert_whole(data_dir)
    assert (rows(data_dir, "artifacts") == before) is (place != "restore.replaced")
    restore(backed_up[1], data_dir)
    assert_whole(data_dir)


@pytest.mark.parametrize("place", ["backup.object:kill:3", "backup.before_publish:kill"])
def test_a_backup_that_is_killed_leaves_the_file_before_it(
    backed_up: tuple[Path, Path], tmp_path: Path, place: str
) -> None:
    file = tmp_path / "backup.tar"
    file.write_bytes(b"the one before")

    killed = command("backup", file, backed_up[0], "--with-artifacts", "--force", GLIMPSER_FAILPOINT=place)

    assert killed.returncode == -9
    assert file.read_bytes() == b"the one before"
    back_up(file, backed_up[0], force=True)
    assert restore(file, tmp_path / "data", None).secrets == "left out"


def test_a_file_that_is_there_is_replaced_on_demand_alone(
    backed_up: tuple[Path, Path], tmp_path: Path
) -> None:
    file = tmp_path / "backup.tar"
    file.write_bytes(b"the one before")

    with pytest.raises(InvalidInput, match="--force"):
        back_up(file, backed_up[0])

    assert [path.name for path in tmp_path.iterdir()] == ["backup.tar"]
    assert file.read_bytes() == b"the one before"


@pytest.mark.parametrize("passphrase", [None, "seven fat cows of the Nile"], ids=["none", "another"])
def test_sealed_secrets_open_with_their_passphrase_alone(
    backed_up: tuple[Path, Path], tmp_path: Path, passphrase: str | None
) -> None:
    with pytest.raises(InvalidInput, match="passphrase"):
        restore(backed_up[1], tmp_path / "data", passphrase)

    assert not (tmp_path / "data" / "glimpser.db").exists()


def test_a_damaged_picture_is_found_before_anything_is_replaced(
    backed_up: tuple[Path, Path], tmp_path: Path
) -> None:
    data_dir, file = tmp_path / "data", tmp_path / "backup.tar"
    content = bytearray(backed_up[1].read_bytes())
    content[content.index(b"picture 3")] ^= 1
    file.write_bytes(content)

    with pytest.raises(InvalidInput, match="manifest does not agree with objects/"):
        restore(file, data_dir)

    assert not (data_dir / "glimpser.db").exists()
    assert not list(data_dir.rglob("*.jpg"))


def forged(file: Path, target: Path, statement: str) -> Path:
    """Write a backup again, whole and proved, with a database in which a statement was run."""
    database = target.with_suffix(".db")
    with file.open("rb") as source, target.open("x+b") as archive, target.with_suffix(".m").open("x+b") as m:
        writer = ArchiveWriter(archive, m)
        for part in read_parts(source):
            content = part.read_all(1 << 30)
            if part.name == DATABASE:
                database.write_bytes(content)
                with closing(sqlite3.connect(database, isolation_level=None)) as connection:
                    assert connection.execute(statement).rowcount in (-1, OBJECTS)
                content = database.read_bytes()
            if part.name != MANIFEST:
                writer.add(part.name, content)
        writer.finish()
    return target


def test_a_database_that_brings_a_program_is_refused_before_anything_is_replaced(
    backed_up: tuple[Path, Path], tmp_path: Path
) -> None:
    statement = "CREATE TRIGGER t AFTER INSERT ON audit BEGIN UPDATE users SET role = 3; END"
    file = forged(backed_up[1], tmp_path / "forged.tar", statement)

    with pytest.raises(InvalidInput, match="statements of its own: 't'"):
        restore(file, tmp_path / "data")

    assert not (tmp_path / "data" / "glimpser.db").exists()


@pytest.mark.parametrize("uri", ["file:///etc/hostname", "file:///DATA/../../etc/hostname", "s3://other/key"])
def test_no_row_of_a_backup_names_what_lies_outside_the_store(
    backed_up: tuple[Path, Path], tmp_path: Path, uri: str
) -> None:
    data_dir = tmp_path / "data"
    here = uri.replace("/DATA", f"{backed_up[0]}/objects")
    file = forged(backed_up[1], tmp_path / "forged.tar", f"UPDATE artifacts SET uri = '{here}' || id")

    assert restore(file, data_dir).stored == OBJECTS

    with closing(sqlite3.connect(data_dir / "glimpser.db")) as connection:
        uris = [uri for (uri,) in connection.execute("SELECT uri FROM artifacts")]
    assert len(uris) == OBJECTS
    assert all(uri.startswith(f"file://{data_dir}/objects/artifacts/") for uri in uris)
    assert_whole(data_dir)
