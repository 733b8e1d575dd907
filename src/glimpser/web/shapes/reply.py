"""Answers as they leave: values as JSON."""

import msgspec
from pydantic import BaseModel
from starlette.responses import JSONResponse


def _plain(value: object) -> object:
    """Write what only pydantic knows how to write."""
    if isinstance(value, BaseModel):
        return value.model_dump(by_alias=True)
    raise NotImplementedError(f"{type(value).__name__} has no JSON")


_encoder = msgspec.json.Encoder(enc_hook=_plain)


def as_json(value: object) -> object:
    """Turn values into what a client would read: lists, objects, texts, numbers."""
    return msgspec.json.decode(_encoder.encode(value))


class Reply(JSONResponse):
    """An answer that leaves as ready bytes: times with `Z`, no second validation."""

    def render(self, content: object) -> bytes:
        return _encoder.encode(content)
