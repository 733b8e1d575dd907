"""One stream under one path: access units in, packets out to its subscriptions.

Everything here runs on the event loop's thread and never waits for a viewer.
"""

import secrets
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from glimpser.core.clock import Clock
from glimpser.streaming.rtsp.delivery import Delivery
from glimpser.streaming.rtsp.rtp import (
    NAL_PPS,
    NAL_SPS,
    RtpSender,
    RtpUnit,
    nal_type,
    packetize,
    split_annex_b,
)
from glimpser.streaming.rtsp.sdp import ParameterSets

MAX_ACCESS_UNIT_BYTES: Final = 8 * 1024 * 1024
_REPORT_PERIOD_S: Final = 5.0  # RFC 3550, section 6.2
_SHORTEST_SPS_BYTES: Final = 4

OnDemand = Callable[[bool], None]
"""Told True when the first viewer asks for a mount, False when the last one has gone."""


class Subscription:
    """One viewer's playing of a mount: begins, and begins anew after a congestion, with a key frame."""

    def __init__(self, delivery: Delivery, *, clock: Clock) -> None:
        self.delivery = delivery
        self.dropped_units = 0
        self._clock = clock
        self._awaits_key = True
        self._reported_at_s: float | None = None
        self._sender = RtpSender(
            ssrc=secrets.randbits(32), sequence=secrets.randbits(16), timestamp_offset=secrets.randbits(32)
        )

    @property
    def ssrc(self) -> int:
        return self._sender.ssrc

    @property
    def next_sequence(self) -> int:
        return self._sender.next_sequence

    def rest(self) -> None:
        """Skip to the next key frame: something before it is missing."""
        self._awaits_key = True

    def send(self, unit: RtpUnit) -> None:
        if self.delivery.congested:
            self._awaits_key = True
        if self._awaits_key and (self.delivery.congested or not unit.key):
            self.dropped_units += 1
            return
        self._awaits_key = False
        if unit.key:
            self._report(unit)
        self.delivery.send(self._sender.packets(unit))

    def _report(self, unit: RtpUnit) -> None:
        now_s = self._clock.monotonic()
        if self._reported_at_s is None or now_s - self._reported_at_s >= _REPORT_PERIOD_S:
            self._reported_at_s = now_s
            self.delivery.send_report(self._sender.report(pts_90k=unit.pts_90k, now=self._clock.now()))


class Viewer(Protocol):
    """What a mount needs of a connection that asked for it."""

    def mount_ready(self) -> None:
        """Hear that the mount can be described now."""
        ...

    def mount_removed(self) -> None:
        """Hear that the mount is gone."""
        ...


class Mount:
    """A stream that viewers find under `path`. Made by `RtspServer.mount`."""

    def __init__(self, path: str, *, on_demand: OnDemand | None = None) -> None:
        self.path = path
        self.parameter_sets: ParameterSets | None = None
        self.dropped_units = 0
        self._on_demand = on_demand
        self._viewers: set[Viewer] = set()
        self._playing: set[Subscription] = set()

    @property
    def viewers(self) -> int:
        """Count the connections that have asked for this mount, playing or about to."""
        return len(self._viewers)

    @property
    def playing(self) -> int:
        return len(self._playing)

    def push(self, access_unit: bytes, pts_90k: int, *, key: bool) -> None:
        """Send one H.264 access unit to every viewer who plays.

        `access_unit` is an Annex B byte stream, units come in decoding order; `pts_90k` is the presentation
        time in 1/90,000 s, of any sign and size. Parameter sets are learnt from key frames, and put before
        those that lack them; until they are known nothing can be described or played. Units above 8 MiB are
        dropped, and everybody waits for the next key frame.
        """
        if len(access_unit) > MAX_ACCESS_UNIT_BYTES:
            return self._drop()
        if not key and not self._playing:
            return None
        units = split_annex_b(access_unit)
        if key:
            units = self._with_parameter_sets(units)
        payloads = packetize(units) if self._playing else ()
        if payloads and self.parameter_sets is not None:
            unit = RtpUnit(payloads, pts_90k, key)
            for subscription in tuple(self._playing):
                subscription.send(unit)
        return None

    def _drop(self) -> None:
        self.dropped_units += 1
        for subscription in self._playing:
            subscription.rest()

    def _with_parameter_sets(self, units: Sequence[bytes]) -> list[bytes]:
        sps = [unit for unit in units if nal_type(unit) == NAL_SPS and len(unit) >= _SHORTEST_SPS_BYTES]
        pps = [unit for unit in units if nal_type(unit) == NAL_PPS]
        if sps and pps:
            self._learn(ParameterSets(sps[0], tuple(pps)))
        elif self.parameter_sets is not None:
            return [*self.parameter_sets, *units]
        return list(units)

    def _learn(self, sets: ParameterSets) -> None:
        first = self.parameter_sets is None
        self.parameter_sets = sets
        if first:
            for viewer in tuple(self._viewers):
                viewer.mount_ready()

    def enter(self, viewer: Viewer) -> None:
        """Count a viewer in, once; the first one calls for the stream."""
        if viewer in self._viewers:
            return
        self._viewers.add(viewer)
        if len(self._viewers) == 1 and self._on_demand is not None:
            self._on_demand(True)

    def leave(self, viewer: Viewer) -> None:
        """Count a viewer out, once."""
        if viewer in self._viewers:
            self._viewers.remove(viewer)
            if not self._viewers and self._on_demand is not None:
                self._on_demand(False)

    def play(self, subscription: Subscription) -> None:
        self._playing.add(subscription)

    def pause(self, subscription: Subscription) -> None:
        self._playing.discard(subscription)
        subscription.rest()

    def remove(self) -> None:
        """Tell every viewer that the stream is over."""
        for viewer in tuple(self._viewers):
            viewer.mount_removed()
