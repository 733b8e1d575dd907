"""JSON in columns: from values to text and back."""

import msgspec

_decode = msgspec.json.Decoder().decode


def dump_json(value: object) -> str:
    """Write dataclasses as objects, tuples as arrays, and what is no number (NaN) as null."""
    return msgspec.json.encode(value).decode()


def load_json(text: str | bytes) -> object:
    return _decode(text)
