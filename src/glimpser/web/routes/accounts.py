"""Users, API keys, and who did what."""

from typing import Annotated

from fastapi import Query, Request, Response

from glimpser.core.accounts import AuditFilter, User
from glimpser.web.account_forms import ApiKeyForm, UserForm, UserPatch
from glimpser.web.conditions import strong_tag, version_match
from glimpser.web.routes.paging import ApiKeyPage, AuditPage, UserPage
from glimpser.web.routes.parameters import IfMatch, Period, ThisApiKey, ThisUser
from glimpser.web.shapes import Listing, Reply, account_view, api_key_view, audit_view, new_key_view
from glimpser.web.wiring import By, Wired


async def users(services: Wired, page: UserPage) -> Response:
    """List users, oldest first."""
    found = await services.users.list(page)
    return Reply(Listing(items=[account_view(user) for user in found.items], next_cursor=found.next_cursor))


async def create_user(form: UserForm, services: Wired, by: By, request: Request) -> Response:
    """Add a user."""
    user = await services.users.create(form.draft(), by=by)
    reply = _reply(user, status=201)
    reply.headers["Location"] = f"{request.url.path}/{user.id}"
    return reply


async def read_user(user_id: ThisUser, services: Wired) -> Response:
    """Read one."""
    return _reply(await services.users.get(user_id))


async def change_user(
    user_id: ThisUser, form: UserPatch, services: Wired, by: By, if_match: IfMatch = None
) -> Response:
    """Change some of a user. A new password, and `disabled`, end all sessions of the account.

    The last admin who can sign in stays one: 409.
    """
    expected = version_match(if_match)
    return _reply(await services.users.change(user_id, form.changes(), expected=expected, by=by))


async def remove_user(user_id: ThisUser, services: Wired, by: By, if_match: IfMatch = None) -> Response:
    """Remove a user, whose sessions end. The last admin who can sign in stays: 409."""
    await services.users.remove(user_id, expected=version_match(if_match), by=by)
    return Response(status_code=204)


async def api_keys(services: Wired, page: ApiKeyPage) -> Response:
    """List API keys, oldest first."""
    found = await services.api_keys.list(page)
    return Reply(Listing(items=[api_key_view(key) for key in found.items], next_cursor=found.next_cursor))


async def create_api_key(form: ApiKeyForm, services: Wired, by: By) -> Response:
    """Make an API key. Its text is in this answer and nowhere else."""
    return Reply(new_key_view(await services.api_keys.create(form.draft(), by=by)), status_code=201)


async def revoke_api_key(key_id: ThisApiKey, services: Wired, by: By) -> Response:
    """Remove an API key; streams it opened end within ten seconds."""
    await services.api_keys.revoke(key_id, by=by)
    return Response(status_code=204)


async def audit(
    services: Wired,
    page: AuditPage,
    period: Period,
    *,
    actor: Annotated[str | None, Query(max_length=320)] = None,
    action: Annotated[str | None, Query(max_length=64)] = None,
) -> Response:
    """List what was changed by whom, newest first."""
    where = AuditFilter(actor=actor, action=action, start=period.start, end=period.end)
    found = await services.audit.list(where, page)
    return Reply(Listing(items=[audit_view(made) for made in found.items], next_cursor=found.next_cursor))


def _reply(user: User, *, status: int = 200) -> Response:
    return Reply(account_view(user), status_code=status, headers={"ETag": strong_tag(user.version)})
