"""Objects in S3, or in a service that speaks its protocol.

Every upload carries the SHA-256 of its bytes, which the service compares with what it received
(`x-amz-checksum-sha256`); our own hash is kept beside the object, so that a read can be proved too. An
answer whose ETag is not that of the bytes is not believed: the object is read back first.
"""

import hashlib
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from tempfile import SpooledTemporaryFile
from typing import NoReturn
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store as Remote

from glimpser.core.errors import Damaged, InvalidInput, Misconfigured, NotFound, Unavailable
from glimpser.core.keys import is_key, require_key
from glimpser.core.ports import StoredEntry, StoredObject
from glimpser.storage.etags import ETag
from glimpser.storage.settings import S3Settings

HASH = "sha256"
"""Name of the metadata that holds our own hash, in hex."""
_IN_MEMORY_BYTES = 8 << 20
_PART_BYTES = 8 << 20
_PARTS_AT_ONCE = 4
_LIST_BATCH = 500
_AGAIN_IN_S = 5
_RETRY_FOR = timedelta(seconds=20)


class S3Store:
    """Implements `core.ports.ObjectStore` for `s3://BUCKET/PREFIX`. Any task of one loop."""

    def __init__(self, url: str, settings: S3Settings) -> None:
        """Raises: Misconfigured: the URL names no bucket, or a setting is none the service takes."""
        bucket, prefix = parse_s3_url(url)
        self._base_uri = f"s3://{bucket}/{prefix}"
        self._prefix = prefix
        self._remote = _connect(bucket, settings)

    def uri_of(self, key: str) -> str:
        """Give the URI that an object of this key has."""
        return self._base_uri + key

    async def put(self, key: str, data: AsyncIterable[bytes], *, content_type: str) -> StoredObject:
        """Bytes are hashed before they are sent: large ones wait in a temporary file.

        Raises:
            InvalidInput: the key is none.
        """
        require_key(key)
        async with _gathered(data) as upload:
            answer = await self._send(key, upload, content_type=content_type)
            if not upload.etag.matches(answer):
                await self._prove(self._prefix + key, upload)
        return StoredObject(self._base_uri + key, upload.size_bytes, upload.sha256)

    async def _send(self, key: str, upload: "_Upload", *, content_type: str) -> str | None:
        """Send an object; gives the ETag the service answered."""
        try:
            answer = await obstore.put_async(
                self._remote,
                self._prefix + key,
                upload.body,
                attributes={"Content-Type": content_type, HASH: upload.sha256},
                chunk_size=_PART_BYTES,
                max_concurrency=_PARTS_AT_ONCE,
            )
        except (BaseError, OSError, ValueError) as error:
            _raise(error)
        return answer["e_tag"]

    async def _prove(self, path: str, upload: "_Upload") -> None:
        """Read back what was sent.

        Raises:
            Damaged: the service has something else.
        """
        kept = hashlib.sha256()
        if upload.size_bytes:
            async for piece in self._pieces(path, 0, upload.size_bytes):
                kept.update(piece)
        size_bytes, _ = await self._look(path)
        if (size_bytes, kept.hexdigest()) != (upload.size_bytes, upload.sha256):
            raise Damaged("The object store did not keep what it was sent.")

    async def get(self, uri: str, *, start: int = 0, end: int | None = None) -> AsyncGenerator[bytes, None]:
        """A whole object is proved by its hash while it is read.

        Raises:
            InvalidInput: the range is none.
            Damaged: at the end, when the bytes were not those that had been stored.
        """
        if start < 0 or (end is not None and end < start):
            raise InvalidInput(f"Bytes {start} to {end} are no range.")
        path = self._path_of(uri)
        size_bytes, expected = await self._look(path)
        stop = size_bytes if end is None else min(end, size_bytes)
        if start >= stop:
            return
        proved = hashlib.sha256() if (start, stop) == (0, size_bytes) and expected else None
        async for piece in self._pieces(path, start, stop):
            if proved:
                proved.update(piece)
            yield piece
        if proved and proved.hexdigest() != expected:
            raise Damaged("A stored object is damaged: its bytes are not those that were stored.")

    async def _look(self, path: str) -> tuple[int, str | None]:
        """Give size and hash."""
        try:
            found = await obstore.get_async(self._remote, path, options={"head": True})
        except (BaseError, OSError) as error:
            _raise(error)
        kept = found.attributes.get(HASH)
        return int(found.meta["size"]), kept if isinstance(kept, str) else None

    async def _pieces(self, path: str, start: int, stop: int) -> AsyncIterator[bytes]:
        try:
            found = await obstore.get_async(self._remote, path, options={"range": (start, stop)})
            async for piece in found.stream():
                yield bytes(piece)
        except (BaseError, OSError) as error:
            _raise(error)

    async def delete(self, uri: str) -> None:
        try:
            await obstore.delete_async(self._remote, self._path_of(uri))
        except (NotFound, FileNotFoundError):
            return
        except (BaseError, OSError) as error:
            _raise(error)

    async def list(self, prefix: str = "") -> AsyncIterator[StoredEntry]:
        """Give the entries; S3 lists in the order of UTF-8 bytes, which is that of keys.

        The library lists by whole directories, so the rest of `prefix` is compared here.
        """
        directory = self._prefix + prefix.rpartition("/")[0]
        try:
            async for batch in obstore.list(self._remote, directory or None, chunk_size=_LIST_BATCH):
                for entry in batch:
                    key = entry["path"].removeprefix(self._prefix)
                    if key.startswith(prefix) and is_key(key):
                        yield StoredEntry(self._base_uri + key, key, int(entry["size"]))
        except (BaseError, OSError) as error:
            _raise(error)

    def _path_of(self, uri: str) -> str:
        key = uri.removeprefix(self._base_uri)
        if not uri.startswith(self._base_uri) or not is_key(key):
            raise NotFound("There is no object with this URI in this store.")
        return self._prefix + key


def parse_s3_url(url: str) -> tuple[str, str]:
    """Take bucket and prefix, which is empty or ends with a slash, out of `s3://BUCKET/PREFIX`.

    Raises:
        Misconfigured: it is no such URL.
    """
    parts = urlsplit(url)
    prefix = parts.path.strip("/")
    if parts.scheme != "s3" or not parts.netloc or parts.query or (prefix and not is_key(prefix)):
        raise Misconfigured("storage.object_store_url: write s3://BUCKET or s3://BUCKET/PREFIX.")
    return parts.netloc, f"{prefix}/" if prefix else ""


def _connect(bucket: str, settings: S3Settings) -> Remote:
    given = {
        "endpoint": settings.endpoint_url,
        "access_key_id": settings.access_key_id,
        "secret_access_key": settings.secret_access_key,
    }
    timeout = timedelta(seconds=settings.timeout_s)
    try:
        return Remote(
            bucket,
            region=settings.region,
            virtual_hosted_style_request=settings.virtual_hosted,
            checksum_algorithm="SHA256",
            client_options={
                "timeout": timeout,
                "connect_timeout": min(timeout, timedelta(seconds=5)),
                "allow_http": (settings.endpoint_url or "").startswith("http://"),
            },
            retry_config={"max_retries": settings.retries, "retry_timeout": _RETRY_FOR},
            **{name: value for name, value in given.items() if value},  # type: ignore[arg-type] # texts all
        )
    except (BaseError, ValueError) as error:
        raise Misconfigured(
            "The S3 service cannot be used: check storage.endpoint_url and storage.region."
        ) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class _Upload:
    """Bytes that are ready to be sent."""

    body: "SpooledTemporaryFile[bytes]"
    size_bytes: int
    sha256: str
    etag: ETag


@asynccontextmanager
async def _gathered(data: AsyncIterable[bytes]) -> AsyncIterator[_Upload]:
    """Gather bytes, those of a large object in a temporary file that ends with the context."""
    digest, etag, size_bytes = hashlib.sha256(), ETag(_PART_BYTES), 0
    with SpooledTemporaryFile(_IN_MEMORY_BYTES) as body:
        async for piece in data:
            digest.update(piece)
            etag.update(piece)
            size_bytes += len(piece)
            body.write(piece)
        body.seek(0)
        yield _Upload(body=body, size_bytes=size_bytes, sha256=digest.hexdigest(), etag=etag)


def _raise(error: Exception) -> NoReturn:
    """Say whose business an error is. What the service said may hold keys, so it is not passed on."""
    if isinstance(error, FileNotFoundError):
        raise NotFound("The object is gone from the store.") from error
    if isinstance(error, PermissionDeniedError | UnauthenticatedError):
        raise Unavailable(
            "The object store refuses the keys in storage.access_key_id: check them, and what they may do.",
            retry_after_s=60,
        ) from error
    raise Unavailable("The object store does not answer as it should now.", _AGAIN_IN_S) from error
