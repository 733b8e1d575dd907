"""What an S3 service calls bytes it was sent, so that its answer proves that it received them.

The MD5 of an object sent at once; of one sent in parts the MD5 of the parts' MD5s, a dash and their number
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html). Objects
encrypted with keys of a key service have another: then the name says nothing.
"""

import hashlib


class ETag:
    """Computes it while bytes pass. Any one thread."""

    def __init__(self, part_bytes: int) -> None:
        self._part_bytes = part_bytes
        self._whole = _md5()
        self._part = _md5()
        self._part_has_bytes = 0
        self._parts: list[bytes] = []

    def update(self, piece: bytes) -> None:
        self._whole.update(piece)
        rest = memoryview(piece)
        while rest:
            room = self._part_bytes - self._part_has_bytes
            taken, rest = rest[:room], rest[room:]
            self._part.update(taken)
            self._part_has_bytes += len(taken)
            if self._part_has_bytes == self._part_bytes:
                self._end_part()

    def matches(self, answer: str | None) -> bool:
        """Tell whether a service that answers this received what passed here."""
        return (answer or "").strip('"') in (self._whole.hexdigest(), self._of_parts())

    def _of_parts(self) -> str:
        parts = [*self._parts, self._part.digest()] if self._part_has_bytes else self._parts
        return f"{_md5(b''.join(parts)).hexdigest()}-{len(parts)}"

    def _end_part(self) -> None:
        self._parts.append(self._part.digest())
        self._part, self._part_has_bytes = _md5(), 0


def _md5(data: bytes = b"") -> "hashlib._Hash":
    return hashlib.md5(data, usedforsecurity=False)
