"""How yt-dlp is asked: one command line, of which but an address and a choice come from outside."""

import sys

from glimpser.process.command import Command, Limits, Operand

NAME = "yt-dlp"
TIMEOUT_S = 50.0
MAX_ANSWER_BYTES = 16 << 20
BEST = "best"
"""The format that stands for our own choice."""

_LIMITS = Limits(memory_bytes=2 << 30, file_size_bytes=16 << 20, open_files=256, cpu_s=60)
_OPTIONS = (
    # Nothing is read from this machine, and nothing but what is installed is run.
    *("--ignore-config", "--no-plugin-dirs", "--no-js-runtimes", "--no-remote-components", "--no-exec"),
    *("--no-cookies", "--no-cookies-from-browser", "--no-cache-dir", "--no-update"),
    *("--color", "never", "--no-progress"),
    # One video, and only what is known of it.
    *("--no-playlist", "--playlist-items", "1", "--no-live-from-start", "--no-check-formats"),
    *("--socket-timeout", "10", "--retries", "2", "--extractor-retries", "1"),
    "--dump-single-json",
)


def command_for(url: str, *, choice: str, proxy_url: str) -> Command:
    """Make the command that looks up `url`; it reaches the network through the proxy alone.

    The proxy stands in the environment, which others on this machine cannot read: its URL may hold a token.

    Raises:
        InvalidInput: the address or the choice could be taken for an option.
    """
    chosen = () if choice == BEST else ("--format", Operand(choice))
    return Command(
        name=NAME,
        argv=(sys.executable, "-I", "-m", "yt_dlp", *_OPTIONS, *chosen, "--", Operand(url)),
        # Without a PATH it finds no other program, which would not know of the proxy.
        # It also fetches by ftp and WebSocket what a page names: all of it goes to the proxy, which refuses.
        environment={
            "PATH": "/nonexistent",
            **dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), proxy_url),
        },
        limits=_LIMITS,
    )
