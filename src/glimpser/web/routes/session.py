"""Setting up, signing in and out, and who one is."""

from fastapi import Request, Response

from glimpser.services.accounts import Session
from glimpser.web.account_forms import PasswordForm
from glimpser.web.security import clear_session, principal_of, set_session
from glimpser.web.session_forms import LoginForm, SetupForm
from glimpser.web.shapes import LoginView, Reply, SessionView, SetupDone, SetupState, me_view, user_view
from glimpser.web.wiring import Caller, Wired


async def setup_state(services: Wired) -> Response:
    """Tell whether the first account is still to be made."""
    return Reply(SetupState(needed=await services.accounts.needs_setup()))


async def set_up(form: SetupForm, services: Wired, request: Request) -> Response:
    """Make the first account, an admin, with the code from the program's output. Works once."""
    user = await services.accounts.create_first_admin(
        form.code, form.email, password=form.password, client_ip=request.state.client_ip
    )
    return Reply(SetupDone(user=user_view(user)), status_code=201)


async def login(form: LoginForm, services: Wired, request: Request) -> Response:
    """Sign in. The token works as a bearer token and, in the cookie, for browsers."""
    session = await services.accounts.login(form.email, form.password, client_ip=request.state.client_ip)
    return _signed_in(session, request)


async def logout(services: Wired, caller: Caller, request: Request) -> Response:
    """Revoke the token that made this request."""
    await services.accounts.logout(caller)
    reply = Response(status_code=204)
    clear_session(reply, request=request)
    return reply


async def state(request: Request) -> Response:
    """Tell who makes the request, if anybody: it may be asked before signing in."""
    principal = await principal_of(request)
    return Reply(SessionView(me=me_view(principal) if principal else None))


async def change_password(form: PasswordForm, services: Wired, caller: Caller, request: Request) -> Response:
    """Give oneself another password. All sessions of the account end; the answer is a new one."""
    session = await services.accounts.change_password(
        caller, form.current_password, form.new_password, client_ip=request.state.client_ip
    )
    return _signed_in(session, request)


async def me(caller: Caller) -> Response:
    """Tell who makes the request, as the database says now."""
    return Reply(me_view(caller))


def _signed_in(session: Session, request: Request) -> Response:
    reply = Reply(
        LoginView(access_token=session.token, expires_in=session.lifetime_s, user=user_view(session.user))
    )
    set_session(reply, session, request=request)
    return reply
