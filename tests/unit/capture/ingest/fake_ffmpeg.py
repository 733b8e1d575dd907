"""Programs that stand for an ffmpeg with the hardware it is asked for, and for one without."""

import sys
from pathlib import Path

_WORKING = """
import sys
import av
bitstream = sys.argv[sys.argv.index("-i") - 1]
stdin, stdout = open(0, "rb", buffering=0), sys.stdout.buffer
probe = {"probesize": "32768", "analyzeduration": "0", "fpsprobesize": "0"}
with av.open(stdin, format=bitstream, options=probe) as source, av.open(stdout, "w", format="nut") as sink:
    to = None
    for frame in source.decode(video=0):
        if to is None:
            to = sink.add_stream("rawvideo", rate=25)
            to.width, to.height, to.pix_fmt = frame.width, frame.height, "yuv420p"
        frame.pts = None
        sink.mux(to.encode(frame))
"""
_FAILING = """
import sys
sys.stderr.write("some warning\\nNo VA display found for rtsp://me:hush@camera/\\n")
sys.exit(1)
"""
_HANGING = """
import time
time.sleep(1000)
"""
_BREAKING = """
import os, sys
sys.stdin.buffer.read(20_000)
sys.stderr.write("GPU hang\\n")
os._exit(1)
"""


_REAL = """
import os, sys
arguments = sys.argv[1:]
at = arguments.index("-hwaccel")
del arguments[at:at + 4]
arguments[arguments.index("-vf") + 1] = "format=yuv420p"
os.execv({ffmpeg!r}, [{ffmpeg!r}, *arguments])
"""


def real(folder: Path, ffmpeg: str) -> str:
    """Write one that leaves the device out and is otherwise ffmpeg itself."""
    return _program(folder, _REAL.format(ffmpeg=ffmpeg))


def working(folder: Path) -> str:
    return _program(folder, _WORKING)


def failing(folder: Path) -> str:
    return _program(folder, _FAILING)


def hanging(folder: Path) -> str:
    return _program(folder, _HANGING)


def breaking(folder: Path) -> str:
    """Write one that fails after some packets."""
    return _program(folder, _BREAKING)


def _program(folder: Path, text: str) -> str:
    path = folder / "ffmpeg"
    path.write_text(f"#!{sys.executable} -I\n{text}")
    path.chmod(0o755)
    return str(path)
