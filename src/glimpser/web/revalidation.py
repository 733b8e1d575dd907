"""What a client knows already is not sent again: the same way for everything that is read as JSON."""

from hashlib import blake2b
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from glimpser.web.conditions import none_match
from glimpser.web.shapes.reply import Reply

TAG_BYTES = 12


def unless_known(request: Request, answer: Response) -> Response:
    """Give a read answer its entity tag, or 304 in its place to who knows it (RFC 9110, section 13.1.2).

    An answer that names no version of its own has a weak tag of its bytes: it changes with whatever the
    caller may see. Other answers pass as they are; who may not read has been refused before.
    """
    if request.method not in ("GET", "HEAD") or not isinstance(answer, Reply):
        return answer
    if answer.status_code != HTTPStatus.OK:
        return answer
    etag = answer.headers.setdefault("ETag", _weak_tag(bytes(answer.body)))
    # Lines of one field make one list (RFC 9110, section 5.3).
    known = ", ".join(request.headers.getlist("if-none-match")) or None
    if not none_match(known, etag):
        return answer
    return Response(status_code=HTTPStatus.NOT_MODIFIED, headers={"ETag": etag})


def _weak_tag(content: bytes) -> str:
    return f'W/"{blake2b(content, digest_size=TAG_BYTES).hexdigest()}"'
