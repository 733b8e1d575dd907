"""Archives that somebody made to do harm, each beside the one that is in order."""

import io
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from glimpser.core.errors import InvalidInput
from glimpser.services.backup_archive import DATABASE, HEAD, SECRETS, ArchiveWriter, Head
from glimpser.services.backup_secrets import seal, unseal
from glimpser.services.restoring import Checked, check_archive

HEADER = Head(version="1.0", revision="0001", created_at="2026-01-01T00:00:00Z", with_artifacts=True)
FIRST, SECOND = "objects/01JDARTF0000000000000000AA", "objects/01JDARTF0000000000000000AB"
PARTS = ((HEAD, HEADER.as_bytes()), (DATABASE, b"rows" * 200), (FIRST, b"picture"), (SECOND, b"film"))


def archive(parts: Sequence[tuple[str, bytes]] = PARTS) -> bytes:
    written = io.BytesIO()
    writer = ArchiveWriter(written, io.BytesIO())
    for name, data in parts:
        writer.add(name, data)
    writer.finish()
    return written.getvalue()


def checked(content: bytes, directory: Path) -> Checked:
    return check_archive(io.BytesIO(content), directory)


def with_member(change: Callable[[tarfile.TarInfo], None]) -> bytes:
    """Make an archive whose third member is another."""
    before = archive(PARTS[:2])
    member = tarfile.TarInfo(FIRST)
    change(member)
    position = before.index(b"manifest.jsonl")
    return before[:position] + member.tobuf(tarfile.GNU_FORMAT) + before[position:]


def test_what_was_written_is_read(tmp_path: Path) -> None:
    found = checked(archive(), tmp_path)

    assert (found.head.version, found.objects, found.has_secrets) == ("1.0", 2, False)
    assert (tmp_path / DATABASE).read_bytes() == b"rows" * 200


def test_any_program_for_tar_reads_it() -> None:
    with tarfile.open(fileobj=io.BytesIO(archive())) as opened:
        assert opened.getnames() == [HEAD, DATABASE, FIRST, SECOND, "manifest.jsonl"]


@pytest.mark.parametrize(
    "kind",
    [
        *(tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE),
        *(tarfile.FIFOTYPE, tarfile.GNUTYPE_SPARSE, tarfile.XHDTYPE, tarfile.XGLTYPE),
        *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.CONTTYPE),
    ],
    ids=[
        *("symlink", "link", "directory", "character", "block", "fifo", "sparse", "pax", "global"),
        *("longname", "longlink", "contiguous"),
    ],
)
def test_nothing_but_regular_files_is_read(tmp_path: Path, kind: bytes) -> None:
    def change(member: tarfile.TarInfo) -> None:
        member.type = kind
        member.linkname = "/etc/passwd"

    with pytest.raises(InvalidInput, match="no regular file"):
        checked(with_member(change), tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        *("../evil", "/etc/passwd", "objects/../../evil", "objects/", "objects/01jdartf0000000000000000aa"),
        *("glimpser.toml", "objects/01JDARTF0000000000000000AA.jpg", f"./{FIRST}"),
    ],
)
def test_no_other_name_is_read(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="belongs in none"):
        checked(archive([*PARTS[:2], (name, b"evil")]), tmp_path)

    assert {path.name for path in tmp_path.iterdir()} <= {DATABASE, "seen.jsonl"}


@pytest.mark.parametrize(
    "order",
    [(1, 0, 2, 3), (0, 2, 1, 3), (0, 1, 3, 2), (0, 1, 2, 2), (0, 1, 1, 2), (0, 2, 3)],
    ids=["head", "database", "objects", "twice", "two databases", "no database"],
)
def test_parts_come_once_and_in_their_order(tmp_path: Path, order: Sequence[int]) -> None:
    with pytest.raises(InvalidInput):
        checked(archive([PARTS[number] for number in order]), tmp_path)


@pytest.mark.parametrize("share", [0, 0.01, 0.2, 0.5, 0.8, 0.99])
def test_an_archive_that_ends_early_is_refused(tmp_path: Path, share: float) -> None:
    content = archive()

    with pytest.raises(InvalidInput):
        checked(content[: int(len(content) * share)], tmp_path)


def test_a_bit_that_was_flipped_anywhere_in_content_is_found(tmp_path: Path) -> None:
    content = archive()
    for number, text in enumerate((b'"version"', b"rowsrows", b"picture", b"film", b'"sha256"')):
        flipped = bytearray(content)
        flipped[content.index(text) + 1] ^= 1
        directory = tmp_path / str(number)
        directory.mkdir()

        with pytest.raises(InvalidInput):
            checked(bytes(flipped), directory)


def test_what_stands_behind_the_end_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="end where it should"):
        checked(archive() + b"more", tmp_path)


def test_a_member_larger_than_the_file_is_refused(tmp_path: Path) -> None:
    def change(member: tarfile.TarInfo) -> None:
        member.size = 1 << 50

    with pytest.raises(InvalidInput, match="not whole"):
        checked(with_member(change), tmp_path)


@pytest.mark.parametrize(
    "text",
    [b"[]", b"{}", b"null", b'{"format": 2}', b'{"format": 1}', b"[" * 100_000, b"\xff"],
    ids=["list", "empty", "null", "newer", "fields", "deep", "binary"],
)
def test_an_archive_that_does_not_say_what_it_is_is_refused(tmp_path: Path, text: bytes) -> None:
    with pytest.raises(InvalidInput):
        checked(archive([(HEAD, text), *PARTS[1:]]), tmp_path)


def test_objects_of_an_archive_that_says_it_has_none_are_refused(tmp_path: Path) -> None:
    silent = Head(version="1.0", revision="0001", created_at="2026-01-01T00:00:00Z")

    with pytest.raises(InvalidInput, match="contradicts itself"):
        checked(archive([(HEAD, silent.as_bytes()), *PARTS[1:]]), tmp_path)


def test_a_member_that_is_not_what_its_row_says_is_taken_back(tmp_path: Path) -> None:
    written = io.BytesIO()
    writer = ArchiveWriter(written, io.BytesIO())
    for name, data in PARTS[:2]:
        writer.add(name, data)
    writer.begin(FIRST, 7)
    writer.write(b"damage")

    assert writer.end(FIRST) is False
    writer.add(SECOND, b"film")
    writer.finish()
    assert checked(written.getvalue(), tmp_path).objects == 1


def test_secrets_open_with_their_passphrase_alone() -> None:
    sealed = seal(b"secret", "seven lean cows")

    assert b"secret" not in sealed[20:]
    assert unseal(sealed, "seven lean cows") == b"secret"
    for text, passphrase in ((sealed, "seven fat cows"), (sealed[:-1], "seven lean cows"), (b"", "x")):
        with pytest.raises(InvalidInput):
            unseal(text, passphrase)


def test_a_short_passphrase_is_refused_and_one_of_twelve_characters_taken() -> None:
    with pytest.raises(InvalidInput, match="12 to"):
        seal(b"secret", "elevenchars")

    assert unseal(seal(b"secret", "twelve chars"), "twelve chars") == b"secret"


def test_secrets_stand_before_the_objects(tmp_path: Path) -> None:
    found = checked(archive([*PARTS[:2], (SECRETS, b"sealed"), *PARTS[2:]]), tmp_path)

    assert found.has_secrets
    assert (tmp_path / SECRETS).read_bytes() == b"sealed"
