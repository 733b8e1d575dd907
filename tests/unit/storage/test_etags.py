"""The name S3 gives to bytes."""

import hashlib

import pytest

from glimpser.storage.etags import ETag


def etag_of(*pieces: bytes) -> ETag:
    etag = ETag(part_bytes=4)
    for piece in pieces:
        etag.update(piece)
    return etag


def md5(data: bytes) -> "hashlib._Hash":
    return hashlib.md5(data, usedforsecurity=False)


@pytest.mark.parametrize("pieces", [[b"abcdefghij"], [b"ab", b"cdefg", b"", b"hij"]], ids=["one", "some"])
def test_an_object_is_known_whether_it_was_sent_at_once_or_in_parts(pieces: list[bytes]) -> None:
    etag = etag_of(*pieces)
    parts = b"".join(md5(part).digest() for part in (b"abcd", b"efgh", b"ij"))

    assert etag.matches(f'"{md5(b"abcdefghij").hexdigest()}"')
    assert etag.matches(f'"{md5(parts).hexdigest()}-3"')


@pytest.mark.parametrize("answer", [None, "", '""', md5(b"abcdefghi").hexdigest(), "x-3"], ids=repr)
def test_any_other_answer_proves_nothing(answer: str | None) -> None:
    assert not etag_of(b"abcdefghij").matches(answer)


def test_the_last_part_may_be_a_whole_one() -> None:
    parts = b"".join(md5(part).digest() for part in (b"abcd", b"efgh"))

    assert etag_of(b"abcdefgh").matches(f"{md5(parts).hexdigest()}-2")
