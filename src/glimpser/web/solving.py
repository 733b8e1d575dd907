"""Reads what a route takes out of a request that has no body, in the time of what the request says.

FastAPI looks at every parameter of a route in every request, given or not, which for a list with its nine
takes longer than to write the page. Here one that is not given is its default, as it is there; whatever is
given or must be is read, and refused, by FastAPI itself. Routes that want more are left to it.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import request_params_to_args
from fastapi.exceptions import RequestValidationError
from starlette.requests import Request
from starlette.responses import Response

PLAIN = (str, int, float, type(None))
"""Defaults that everybody may share."""
_BEYOND = (
    "body_params",
    "cookie_params",
    "http_connection_param_name",
    "websocket_param_name",
    "response_param_name",
    "background_tasks_param_name",
    "security_scopes_param_name",
)

_Found = tuple[dict[str, Any], list[Any]]


@dataclass(frozen=True, slots=True)
class Call:
    """A coroutine function and where its arguments come from. Event loop's thread.

    `optional` are the query's parameters by their names there, and `defaults` what they are by their names
    in the function; `parts` are what it depends on, `always` what the query must hold.
    """

    function: Callable[..., Awaitable[Any]]
    dependant: Dependant
    parts: Sequence[tuple[str, "Call"]]
    always: Sequence[Any]
    optional: Mapping[str, Any]
    defaults: Mapping[str, object]

    async def answer(self, request: Request) -> Response:
        """Call it with what the request says.

        Raises:
            RequestValidationError: with all that is wrong, as FastAPI words it.
        """
        arguments, wrong = await self.arguments(request, {})
        if wrong:
            raise RequestValidationError(wrong)
        answer: Response = await self.function(**arguments)
        return answer

    async def arguments(self, request: Request, made: MutableMapping[object, object]) -> _Found:
        """Give the arguments and what is wrong with them; `made` holds what was made for this request."""
        values, errors = dict(self.defaults), []
        for name, part in self.parts:
            if part.function not in made:
                inner, wrong = await part.arguments(request, made)
                if wrong:
                    errors += wrong
                    continue
                made[part.function] = await part.function(**inner)
            values[name] = made[part.function]
        errors += self._read(request, values)
        if self.dependant.request_param_name:
            values[self.dependant.request_param_name] = request
        return values, errors

    def _read(self, request: Request, values: dict[str, Any]) -> list[Any]:
        """Add the parameters to `values`; gives what is wrong with them."""
        errors: list[Any] = []
        given = [*self.always]
        if self.optional:
            given += [field for name, field in self.optional.items() if name in request.query_params]
        for fields, said in (
            (self.dependant.path_params, request.path_params),
            (given, request.query_params if given else {}),
            (self.dependant.header_params, request.headers),
        ):
            if fields:
                found, wrong = request_params_to_args(fields, said)
                values |= found
                errors += wrong
        return errors


def call_of(dependant: Dependant) -> Call | None:
    """Prepare a route's call; None if that is for FastAPI."""
    made = _call(dependant)
    if made is None:
        return None
    answer = inspect.signature(made.function, eval_str=True).return_annotation
    return made if inspect.isclass(answer) and issubclass(answer, Response) else None


def _call(dependant: Dependant) -> Call | None:
    function = dependant.call
    if not inspect.iscoroutinefunction(function) or any(getattr(dependant, name) for name in _BEYOND):
        return None
    parts: list[tuple[str, Call]] = []
    for each in dependant.dependencies:
        part = _call(each)
        if part is None or each.name is None or not each.use_cache:
            return None
        parts.append((each.name, part))
    optional = {field.alias: field for field in dependant.query_params if _is_optional(field)}
    return Call(
        function=function,
        dependant=dependant,
        parts=parts,
        always=[field for field in dependant.query_params if not _is_optional(field)],
        optional=optional,
        defaults={field.name: field.default for field in optional.values()},
    )


def _is_optional(field: Any) -> bool:
    """Tell whether the default is as good as if FastAPI had given it."""
    info = field.field_info
    is_told_apart = info.validate_default or field.validation_alias not in (None, field.alias)
    return not info.is_required() and not is_told_apart and isinstance(field.default, PLAIN)
