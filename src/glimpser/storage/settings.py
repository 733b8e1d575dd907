"""What a store needs to be opened."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Settings:
    """How an S3 service is reached. No keys: those the environment of a cloud gives (role, profile)."""

    endpoint_url: str | None = None
    region: str = "us-east-1"
    access_key_id: str | None = None
    secret_access_key: str | None = field(default=None, repr=False)
    virtual_hosted: bool = False
    timeout_s: float = 30.0
    retries: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """`url` names the store, `mirror_url` one that gets a copy of everything, `former_url` the one before.

    Without `sweep`, what another program is about to write is left alone.
    Below `state` lies what is still to be sent to a store that is away.
    """

    url: str
    state: Path
    mirror_url: str | None = None
    former_url: str | None = None
    sweep: bool = True
    s3: S3Settings = field(default_factory=S3Settings)
