"""Parameters are read and refused as FastAPI does, only sooner."""

from typing import Annotated, Any

import httpx2
import pytest
from fastapi import Depends, FastAPI, Header, Query, Request
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from glimpser.web.solving import call_of

pytestmark = pytest.mark.anyio


async def _page(
    limit: Annotated[int, Query(ge=1, le=9)] = 5,
    cursor: Annotated[str | None, Query(alias="after", max_length=3)] = None,
) -> list[object]:
    return [limit, cursor]


async def _both(request: Request, page: Annotated[list[object], Depends(_page)]) -> list[object]:
    return [request.method, page]


async def listing(
    number: int,
    page: Annotated[list[object], Depends(_page)],
    both: Annotated[list[object], Depends(_both)],
    must: Annotated[float, Query()],
    q: Annotated[str | None, Query(max_length=3)] = None,
    x_note: Annotated[str | None, Header(max_length=3)] = None,
) -> JSONResponse:
    return JSONResponse([number, page, both, must, q, x_note])


async def free() -> dict[str, Any]:
    return {}


def _served_by(route_class: type[APIRoute]) -> FastAPI:
    app = FastAPI()
    app.router.route_class = route_class
    app.get("/{number}", response_model=None)(listing)
    return app


class Sooner(APIRoute):
    def get_route_handler(self) -> Any:
        call = call_of(self.dependant)
        assert call is not None
        return call.answer


@pytest.mark.parametrize("note", ["ok", "long"])
@pytest.mark.parametrize(
    "path",
    [
        "/1?must=2",
        "/1?must=2&limit=9&after=abc&q=door",
        "/1?must=2&limit=1&q=a&q=b&unknown=1",
        "/1?must=2&limit=&q=",
        "/1",
        "/one?must=two&limit=10&after=abcd&q=door",
        "/1?must=2&after=abcd",
        "/1?must=2&cursor=abcd",
        "/1?must=2&limit=%00&q=%ff",
    ],
)
async def test_the_answer_is_that_of_fastapi(path: str, note: str) -> None:
    answers = []
    for route_class in (APIRoute, Sooner):
        transport = httpx2.ASGITransport(_served_by(route_class))
        async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
            answers.append(await client.get(path, headers={"X-Note": note}))

    assert answers[0].status_code == answers[1].status_code
    assert answers[0].json() == answers[1].json()


def test_what_answers_with_no_response_or_wants_a_body_is_left_to_fastapi() -> None:
    async def write(body: dict[str, Any]) -> JSONResponse:
        return JSONResponse(body)

    async def read() -> JSONResponse:
        return JSONResponse({})

    prepared = {one: call_of(APIRoute("/", one, methods=["POST"]).dependant) for one in (free, write, read)}

    assert prepared[free] is None
    assert prepared[write] is None
    assert prepared[read] is not None
