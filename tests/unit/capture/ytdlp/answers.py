"""A runner that runs nothing: it gives what yt-dlp would have written."""

import json

from glimpser.process.command import Command, Finished


class Answers:
    """`video` is answered with status 0; `complaint`, if there is one, with status 1. `error` is raised."""

    def __init__(self, video: object = None, *, complaint: str = "", error: Exception | None = None) -> None:
        self._video = video
        self._complaint = complaint
        self._error = error
        self.commands: list[Command] = []

    async def run(self, command: Command, *, timeout_s: float, max_output_bytes: int) -> Finished:
        self.commands.append(command)
        if self._error:
            raise self._error
        stdout = json.dumps(self._video).encode()
        return Finished(stdout, 1 if self._complaint else 0, 1.0, self._complaint)
