"""The one socket through which a page shows what happens now."""

from starlette.websockets import WebSocket

from glimpser.core.accounts import Principal
from glimpser.web.live_wall import WallSocket
from glimpser.web.wiring import Services


async def live(socket: WebSocket) -> None:
    """Send the newest pictures of the tiles a client sees, and states, events and alerts as they come."""
    services, principal = socket.app.state.services, socket.state.principal
    assert isinstance(services, Services)
    assert isinstance(principal, Principal)
    await WallSocket(socket, services, principal).serve()
