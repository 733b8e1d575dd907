"""What is sent to be let in: credentials, the code of the setup, the wish for a ticket to a stream."""

from typing import Annotated

from pydantic import Field

from glimpser.core.stream_tickets import StreamKind
from glimpser.web.forms import Form, Whole

MAX_TICKET_S = 366 * 86_400


class LoginForm(Form):
    email: Annotated[str, Field(max_length=320)]
    password: Annotated[str, Field(max_length=1024, repr=False)]


class SetupForm(LoginForm):
    code: Annotated[str, Field(max_length=64, repr=False)]


class StreamTicketForm(Form):
    """A ticket to a stream: what for, and for how many seconds."""

    ttl_s: Annotated[int, Field(ge=10, le=MAX_TICKET_S), Whole] = 86_400
    kind: StreamKind = "mjpeg"
