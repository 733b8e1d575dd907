"""An S3 service of our own on loopback, which can be away, slow, or wrong."""

import itertools
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

import httpx2
import obstore
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends
from moto.server import ThreadedMotoServer
from obstore.store import S3Store as Remote

from glimpser.storage.settings import S3Settings

_NUMBERS = itertools.count(1)


@dataclass
class S3Service:
    """`url` is where it listens. Stop it, and it is away; start it again, and what it kept is there."""

    port: int = 0
    server: ThreadedMotoServer = field(init=False, repr=False)

    def start(self) -> None:
        self.server = ThreadedMotoServer(ip_address="127.0.0.1", port=self.port, verbose=False)
        self.server.start()
        _, self.port = self.server.get_host_and_port()

    def stop(self) -> None:
        self.server.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def settings(self) -> S3Settings:
        return S3Settings(
            endpoint_url=self.url, access_key_id="test", secret_access_key="test", timeout_s=2, retries=0
        )

    def damage(self, bucket: str, key: str, data: bytes) -> None:
        """Put other bytes in the place of an object's, and leave its hash as it is."""
        service = Remote(
            bucket,
            endpoint=self.url,
            access_key_id="test",
            secret_access_key="test",
            region="us-east-1",
            client_options={"allow_http": True},
        )
        kept = obstore.get(service, key, options={"head": True}).attributes
        obstore.put(service, key, data, attributes=kept)

    def arrivals(self, bucket: str) -> Sequence[tuple[str, datetime]]:
        """Give the keys of all objects and when each was put last, the earliest first."""
        keys = s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets[bucket].keys
        found = [(name, key.last_modified) for name, key in keys.items()]
        return sorted(found, key=lambda one: one[1])

    def new_bucket(self) -> str:
        name = f"bucket-{next(_NUMBERS)}"
        httpx2.put(f"{self.url}/{name}").raise_for_status()
        return name


@contextmanager
def s3_service() -> Iterator[S3Service]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    service = S3Service()
    service.start()
    try:
        yield service
    finally:
        service.stop()
