"""The file a backup is: a tar archive (POSIX.1-2017, pax, section "ustar Interchange Format") of our own.

Its members are, in this order: `glimpser.json`, which says what it is; `database.db`; `secrets.enc`, if
there is one; `objects/<id of the artifact>`, in the order of the ids; and `manifest.jsonl`, one line with
name, size and SHA-256 for each member before it. Nothing is compressed, so nothing grows when it is read.

Whoever hands in such a file may have made it to do harm. So it is read by our own reader, which knows regular
files of these names in this order alone: links, paths, devices, sparse files and extensions do not exist for
it, and no name in the archive ever becomes the name of a file.
"""

import hashlib
import json
import re
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import IO

from glimpser.core.errors import InvalidInput

FORMAT = 1
HEAD, DATABASE, SECRETS, MANIFEST = "glimpser.json", "database.db", "secrets.enc", "manifest.jsonl"
OBJECTS = "objects/"
PIECE_BYTES = 1 << 20

_BLOCK = tarfile.BLOCKSIZE
_OBJECT = re.compile(r"objects/[0-9A-HJKMNP-TV-Z]{26}", re.ASCII)
_ORDER: Mapping[str, int] = {HEAD: 0, DATABASE: 1, SECRETS: 2, MANIFEST: 4}
_OF_OBJECTS = 3
_MAX_LINE_BYTES = 512
_MAX_HEAD_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Member:
    """What an archive holds under a name; `sha256` in hex."""

    name: str
    size_bytes: int
    sha256: str

    @property
    def line(self) -> bytes:
        """Its line of the manifest."""
        return json.dumps(asdict(self), separators=(",", ":")).encode() + b"\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What a backup is, told before the rest is read.

    `bases` are what the URIs of its artifacts may begin with; a key follows. `views` and `channels` are the
    ids of those whose secrets are not in the database.
    """

    format: int = FORMAT
    version: str
    revision: str
    created_at: str
    with_artifacts: bool = False
    bases: Sequence[str] = ()
    views: Sequence[str] = field(default=(), repr=False)
    channels: Sequence[str] = field(default=(), repr=False)

    def as_bytes(self) -> bytes:
        return json.dumps(asdict(self), indent=1).encode()

    @classmethod
    def parse(cls, text: bytes) -> "Head":
        """Raises: InvalidInput: it is none, or that of a form this version does not know."""
        try:
            values = json.loads(text)
            number = values["format"]
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise InvalidInput("This is no backup of Glimpser: it does not say what it is.") from error
        if number != FORMAT:
            raise InvalidInput(
                f"The backup has form {str(number)[:20]}, made by another version of Glimpser; this one knows"
                f" form {FORMAT}: restore it with the version that made it, or a newer one."
            )
        if not _is_head(values):
            raise InvalidInput("This is no backup of Glimpser: what it says of itself cannot be read.")
        return cls(**values)


def _is_head(values: Mapping[str, object]) -> bool:
    texts = all(isinstance(values.get(name), str) for name in ("version", "revision", "created_at"))
    lists = (values.get(name) for name in ("bases", "views", "channels"))
    listed = all(isinstance(one, list) and all(isinstance(item, str) for item in one) for one in lists)
    known = set(values) == set(Head.__slots__)
    return texts and listed and known and isinstance(values.get("with_artifacts"), bool)


class ArchiveWriter:
    """Writes to two files, opened for reading and writing, that are empty: the archive, and the manifest
    while it grows. Threads that may block; one call at a time.
    """

    def __init__(self, archive: IO[bytes], manifest: IO[bytes]) -> None:
        self._archive = archive
        self._manifest = manifest
        self._begun_at = 0
        self._declared_bytes = 0
        self._written_bytes = 0
        self._digest = hashlib.sha256()

    def add(self, name: str, data: bytes) -> None:
        """Add a member whose bytes are at hand."""
        self.begin(name, len(data))
        self.write(data)
        self.end(name)

    def add_file(self, name: str, source: IO[bytes], size_bytes: int) -> None:
        self.begin(name, size_bytes)
        while piece := source.read(PIECE_BYTES):
            self.write(piece)
        self.end(name)

    def begin(self, name: str, size_bytes: int) -> None:
        self._begun_at = self._archive.tell()
        self._declared_bytes, self._written_bytes = size_bytes, 0
        self._digest = hashlib.sha256()
        self._archive.write(_header(name, size_bytes))

    def write(self, piece: bytes) -> None:
        self._digest.update(piece)
        self._written_bytes += len(piece)
        self._archive.write(piece)

    def end(self, name: str, *, sha256: str | None = None) -> bool:
        """End a member; False when it is not as long as `begin` said, or not `sha256`: it is taken back."""
        digest = self._digest.hexdigest()
        if self._written_bytes != self._declared_bytes or sha256 not in (None, digest):
            self.take_back()
            return False
        self._archive.write(_padding(self._written_bytes))
        self._manifest.write(Member(name, self._written_bytes, digest).line)
        return True

    def take_back(self) -> None:
        """Remove the member that was begun."""
        self._archive.seek(self._begun_at)
        self._archive.truncate()

    def finish(self) -> int:
        """Add the manifest and the end; gives the archive's size in bytes."""
        size_bytes = self._manifest.tell()
        self._manifest.seek(0)
        self._archive.write(_header(MANIFEST, size_bytes))
        while piece := self._manifest.read(PIECE_BYTES):
            self._archive.write(piece)
        self._archive.write(_padding(size_bytes) + bytes(2 * _BLOCK))
        return self._archive.tell()


def _header(name: str, size_bytes: int) -> bytes:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size_bytes, 0o600
    return member.tobuf(tarfile.GNU_FORMAT, "ascii", "strict")


def _padding(size_bytes: int) -> bytes:
    return bytes(-size_bytes % _BLOCK)


class Part:
    """A member that is being read: `read` gives its bytes piece by piece, then nothing."""

    def __init__(self, archive: IO[bytes], name: str, size_bytes: int) -> None:
        self.name = name
        self.size_bytes = size_bytes
        self._archive = archive
        self._left_bytes = size_bytes

    def read(self) -> bytes:
        """Give the next piece. Raises: InvalidInput: the file ends in it."""
        wanted = min(PIECE_BYTES, self._left_bytes)
        piece = self._archive.read(wanted)
        if len(piece) != wanted:
            raise InvalidInput(f"The backup is not whole: it ends within {self.name}.")
        self._left_bytes -= wanted
        return piece

    def read_all(self, most_bytes: int) -> bytes:
        """Raises: InvalidInput: it is larger than that, or not whole."""
        if self.size_bytes > most_bytes:
            raise InvalidInput(f"The backup's {self.name} is larger than {most_bytes} bytes.")
        return b"".join(iter(self.read, b""))


def read_parts(archive: IO[bytes]) -> Iterator[Part]:
    """Give the members in order, from the file's beginning; what of one is not read is passed over. Blocks.

    Raises:
        InvalidInput: it is no backup, was changed, is not whole, or holds anything no backup holds.
    """
    size_bytes = archive.seek(0, 2)
    position, last = 0, ""
    while last != MANIFEST:
        archive.seek(position)
        name, length = _parse_header(archive.read(_BLOCK), position)
        _check_place(name, last)
        position += _BLOCK
        if length > size_bytes - position:
            raise InvalidInput(f"The backup is not whole: it ends within {name}.")
        yield Part(archive, name, length)
        position += length + len(_padding(length))
        last = name
    archive.seek(position)
    rest = archive.read(2 * _BLOCK + 1)
    if rest != bytes(2 * _BLOCK):
        raise InvalidInput("The backup does not end where it should: it is not whole, or was added to.")


def _parse_header(block: bytes, position: int) -> tuple[str, int]:
    """Give name and size. `tarfile` checks the checksum and reads numbers, nothing more is asked of it."""
    if position == 0 and not block.startswith(HEAD.encode()):
        raise InvalidInput("This is no backup of Glimpser: it does not begin as one.")
    try:
        member = tarfile.TarInfo.frombuf(block, "ascii", "strict")
    except (tarfile.HeaderError, UnicodeError) as error:
        raise InvalidInput(f"The backup is not whole, or damaged, at byte {position}.") from error
    if member.type != tarfile.REGTYPE:
        raise InvalidInput(f"The backup holds something that is no regular file: {member.name[:100]!r}.")
    if member.size < 0:
        raise InvalidInput(f"The backup is damaged at byte {position}.")
    return member.name, member.size


def _check_place(name: str, last: str) -> None:
    is_object = _OBJECT.fullmatch(name) is not None
    if name not in _ORDER and not is_object:
        raise InvalidInput(f"The backup holds something that belongs in none: {name[:100]!r}.")
    if not last:
        return
    place, before = _place(name), _place(last)
    is_next = name > last if place == before == _OF_OBJECTS else place > before
    if not is_next or (before == 0 and name != DATABASE):
        raise InvalidInput(f"The backup holds {name} where it does not belong.")


def _place(name: str) -> int:
    return _ORDER.get(name, _OF_OBJECTS)


def read_head(archive: IO[bytes]) -> Head:
    """Read what the file says of itself. Blocks. Raises: InvalidInput."""
    return Head.parse(next(read_parts(archive)).read_all(_MAX_HEAD_BYTES))


class Prover:
    """Compares what was read with the manifest. `seen` is an empty file for the lines of what was read.

    Threads that may block.
    """

    def __init__(self, seen: IO[bytes]) -> None:
        self._seen = seen
        self.members = 0

    def copy(self, part: Part, target: IO[bytes] | None = None) -> Member:
        """Read a member, to a file if there is one, and remember what it was. Raises: InvalidInput."""
        digest = hashlib.sha256()
        while piece := part.read():
            digest.update(piece)
            if target is not None:
                target.write(piece)
        member = Member(part.name, part.size_bytes, digest.hexdigest())
        self._seen.write(member.line)
        self.members += 1
        return member

    def prove(self, manifest: Part) -> None:
        """Raises: InvalidInput: something was changed, added or taken away; the first is named."""
        self._seen.seek(0)
        written = _lines(manifest)
        for line in self._seen:
            if line != next(written, b""):
                name = json.loads(line)["name"]
                raise InvalidInput(f"The backup was changed: its manifest does not agree with {name}.")
        if next(written, None) is not None:
            raise InvalidInput("The backup is not whole: its manifest names more than is there.")


def _lines(part: Part) -> Iterator[bytes]:
    rest = b""
    while piece := part.read():
        *lines, rest = (rest + piece).split(b"\n")
        if len(rest) > _MAX_LINE_BYTES:
            raise InvalidInput("The backup's manifest cannot be read.")
        yield from (line + b"\n" for line in lines)
    if rest:
        yield rest
