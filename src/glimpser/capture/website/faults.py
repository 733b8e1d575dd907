"""What went wrong with an address, in words: Chromium's codes (net/base/net_error_list.h)."""

import re

_CODE = re.compile(r"net::(ERR_[A-Z0-9_]+)")
_DOWNLOAD = "The address gives a file to download, not a page."
_WORDS = {
    "ERR_NAME_NOT_RESOLVED": "The name of the site does not resolve: check it, and the network.",
    "ERR_CONNECTION_REFUSED": "The site refuses the connection.",
    "ERR_CONNECTION_RESET": "The site broke the connection.",
    "ERR_CONNECTION_CLOSED": "The site closed the connection without an answer.",
    "ERR_CONNECTION_TIMED_OUT": "The site does not answer.",
    "ERR_TIMED_OUT": "The site does not answer.",
    "ERR_EMPTY_RESPONSE": "The site gives an empty answer.",
    "ERR_TUNNEL_CONNECTION_FAILED": "The site cannot be reached, or its address is closed to us.",
    "ERR_PROXY_CONNECTION_FAILED": "The proxy cannot be reached.",
    "ERR_TOO_MANY_REDIRECTS": "The site redirects without end.",
    "ERR_UNSAFE_PORT": "Browsers do not connect to this port.",
    "ERR_INVALID_AUTH_CREDENTIALS": "The site refuses this user name and password.",
    "ERR_HTTP_RESPONSE_CODE_FAILURE": "The site answers with an error and without a page.",
    "ERR_BLOCKED_BY_CLIENT": "The browser does not go to this address.",
    "ERR_ABORTED": "The site gives no page.",
}


def fault_of(message: str, *, downloading: bool = False) -> str:
    """Say why a navigation failed, from what the browser said of it."""
    found = _CODE.search(message)
    if downloading:
        return _DOWNLOAD
    if found is None:
        return "The browser cannot go to this address."
    code = found[1]
    if code.startswith(("ERR_CERT_", "ERR_SSL_")):
        return f"The site's certificate or its TLS is not in order ({code}): mend it there."
    return _WORDS.get(code, f"The browser cannot go there ({code}).")
