"""One object on its way to the disk."""

import hashlib
import os
import threading
from contextlib import suppress

from glimpser.core.failpoints import hit
from glimpser.core.ids import new_id
from glimpser.storage.directories import NEW, Directories

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Upload:
    """Write pieces, then finish; or discard, at any moment and from any thread. All calls block."""

    def __init__(self, directories: Directories, key: str) -> None:
        self._directories = directories
        self._directory, _, self._name = key.rpartition("/")
        self._temporary = new_id()
        self._descriptor: int | None = None
        self._hash = hashlib.sha256()
        self._is_in_place = False
        # A cancelled put discards while a thread may still be writing.
        self._lock = threading.Lock()
        self.size_bytes = 0

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def write(self, piece: bytes | bytearray) -> None:
        with self._lock:
            self._write(piece)

    def finish(self, piece: bytes | bytearray = b"") -> None:
        """Write the last piece, make the object durable, then visible, then its name durable."""
        with self._lock:
            self._write(piece)
            self._directories.sync(self._open())
            self._close()
            hit("storage.written")
            self._rename()
            hit("storage.renamed")

    def discard(self) -> None:
        with self._lock, suppress(OSError):
            self._close()
            if self._is_in_place:
                self._directories.remove(f"{self._directory}/{self._name}")
            else:
                self._directories.remove(f"{NEW}/{self._temporary}")

    def _write(self, piece: bytes | bytearray) -> None:
        descriptor = self._open()
        rest = memoryview(piece)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        self._hash.update(piece)
        self.size_bytes += len(piece)

    def _open(self) -> int:
        if self._descriptor is None:
            with self._directories.opened(NEW, create=True) as directory:
                self._descriptor = os.open(self._temporary, _CREATE, mode=0o600, dir_fd=directory)
        return self._descriptor

    def _close(self) -> None:
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            os.close(descriptor)

    def _rename(self) -> None:
        with (
            self._directories.opened(NEW) as source,
            self._directories.opened(self._directory, create=True) as target,
        ):
            os.rename(self._temporary, self._name, src_dir_fd=source, dst_dir_fd=target)
            self._is_in_place = True
            self._directories.sync(target)
