"""Which pages yt-dlp knows, by its own list: no page is asked."""

import sys

from glimpser.capture.ytdlp.locating import Runs
from glimpser.core.errors import Unavailable
from glimpser.process.command import Command, Limits, Operand

_TIMEOUT_S = 8.0
_LIMITS = Limits(memory_bytes=1 << 30, file_size_bytes=1 << 20, open_files=64, cpu_s=8)
_QUESTION = """\
import sys
from yt_dlp.extractor import gen_extractor_classes
known = (site for site in gen_extractor_classes() if site.IE_NAME != "generic")
print(int(any(site.suitable(sys.argv[1]) for site in known)))
"""
"""Run apart from us, because it is a thousand regular expressions on a text from outside."""


class VideoSites:
    """Event loop's thread."""

    def __init__(self, runner: Runs) -> None:
        self._runner = runner

    async def knows(self, url: str) -> bool:
        """Tell whether a page is one of a site of videos; one that cannot be found out about is none.

        Raises:
            InvalidInput: the URL could be taken for an option.
        """
        command = Command(
            name="yt-dlp",
            argv=(sys.executable, "-I", "-c", _QUESTION, Operand(url)),
            environment={"PATH": "/nonexistent"},
            limits=_LIMITS,
        )
        try:
            finished = await self._runner.run(command, timeout_s=_TIMEOUT_S, max_output_bytes=1024)
        except Unavailable:
            return False
        return finished.status == 0 and finished.stdout.strip() == b"1"
