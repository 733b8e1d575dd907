"""The root of an ingest worker: `python -m glimpser.ingest_main CONTROL_FD DATA_FD PARENT_PID`.

Started by the main process alone. It imports capture and vision and nothing of the web or database.
"""

import ctypes
import faulthandler
import os
import signal
import socket
import sys

import av
import cv2

from glimpser.capture.ingest.outbox import Outbox
from glimpser.capture.ingest.serve import IngestWorker
from glimpser.core.clock import SystemClock
from glimpser.core.live import LiveSpec, MediaInput
from glimpser.vision.health import HealthWatch, health_watch_for
from glimpser.vision.watch import MotionWatch, watch_for

_PR_SET_PDEATHSIG = 1


def main() -> None:
    control_fd, data_fd, parent_pid = (int(argument) for argument in sys.argv[1:4])
    _die_with(parent_pid)
    faulthandler.enable()
    av.logging.set_level(av.logging.PANIC)
    cv2.setNumThreads(1)
    outbox = Outbox(socket.socket(fileno=control_fd), socket.socket(fileno=data_fd))
    worker = IngestWorker(
        outbox, make_watch=_make_watch, make_health_watch=_make_health_watch, clock=SystemClock()
    )
    worker.run()
    os._exit(0)  # the main process is gone: wait for no camera's thread


def _die_with(parent_pid: int) -> None:
    """Have the kernel kill this process when the parent's thread that started it ends (Linux).

    The parent may have died before the call: then nobody would ever kill us.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:
        os._exit(0)
    for ignored in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ignored, signal.SIG_IGN)  # a Ctrl-C reaches the whole group; our end is the socket's


def _make_watch(spec: LiveSpec[MediaInput]) -> MotionWatch | None:
    return watch_for(spec.motion, zones=spec.zones, masks=spec.motion_masks)


def _make_health_watch(spec: LiveSpec[MediaInput]) -> HealthWatch:
    return health_watch_for(spec.privacy_masks)


if __name__ == "__main__":
    main()
