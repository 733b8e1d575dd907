"""The newest video of a folder that recordings come into."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from glimpser.capture.ingest.containers import begins_video
from glimpser.capture.ingest.failures import MediaError, Patience
from glimpser.capture.ingest.files import Entry, newest_files, open_folder_beneath, open_in_folder

_HEAD_BYTES = 1024


def newest_video(folder: str, roots: Sequence[Path], *, now_s: float) -> str:
    """Give the path of the newest file in it that is whole and begins like a video. Blocks for a few reads.

    `now_s` is in seconds since 1970: a file that was just written to may be half-written.

    Raises:
        MediaError: there is none yet.
        InvalidInput: the folder lies elsewhere, or is none.
        OSError: it cannot be read.
    """
    with open_folder_beneath(folder, roots) as descriptor:
        for entry, head in heads(descriptor):
            if entry.has_settled(now_s) and begins_video(head):
                return f"{folder}/{entry.name}"
    raise MediaError("There is no video in this folder yet.", Patience.LATER)


def heads(folder: int) -> Iterator[tuple[Entry, bytes]]:
    """Read how the newest files of an open folder begin; what cannot be read is passed over.

    Raises:
        OSError: the folder itself cannot be read.
    """
    for entry in newest_files(folder):
        try:
            with open_in_folder(entry.name, folder) as file:
                head = file.read(_HEAD_BYTES)
        except OSError:
            continue
        yield entry, head
