"""Figures for Prometheus. Methods are named by what happened; the names of the series are a contract."""

import platform
from collections.abc import Iterable
from threading import Lock

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    Info,
    Metric,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

from glimpser.core.health import HealthState
from glimpser.core.ids import ChannelId, TemplateId
from glimpser.core.live import StreamMeasured

CONTENT_TYPE = CONTENT_TYPE_LATEST
"""The media type of `Metrics.expose`."""

_METHODS = frozenset(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
_REQUEST_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_COMMAND_BUCKETS_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 600.0, 3600.0)
_JOB_BUCKETS_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)


class _Registry(CollectorRegistry):
    """Leaves the time of creation out, which doubles the series and which nobody asked for."""

    def collect(self) -> Iterable[Metric]:
        for metric in super().collect():
            metric.samples = [sample for sample in metric.samples if not sample.name.endswith("_created")]
            yield metric


class Metrics:
    """All series of one program, in a registry of their own. Any thread may call any method.

    Series of a view carry its id as `template`; `forget` removes them when the view is deleted.
    """

    def __init__(self, version: str) -> None:
        self._registry = _Registry()
        self._http = _HttpSeries(self._registry)
        self._views = _ViewSeries(self._registry)
        self._commands = _CommandSeries(self._registry)
        self._jobs = Counter(
            "glimpser_jobs_total", "Jobs that ended.", ["kind", "status"], registry=self._registry
        )
        self._job_durations_s = Histogram(
            "glimpser_job_duration_seconds",
            "Time from the start of a job to its end.",
            ["kind"],
            buckets=_JOB_BUCKETS_S,
            registry=self._registry,
        )
        self._deliveries = Counter(
            "glimpser_deliveries_total",
            "Attempts to tell somebody through a channel, by how they ended.",
            ["channel", "status"],
            registry=self._registry,
        )
        self._describe_process(version)

    def request_served(self, *, method: str, route: str, status: int, duration_s: float) -> None:
        """Count a request. `route` is the template of the route; methods unknown to HTTP count as OTHER."""
        known = method if method in _METHODS else "OTHER"
        self._http.requests.labels(known, route, str(status)).inc()
        self._http.durations_s.labels(known, route).observe(duration_s)

    def subscribers_changed(self, template_id: TemplateId, count: int) -> None:
        """Note that so many viewers watch a view now."""
        self._views.subscribers.labels(template_id).set(count)

    def frame_dropped(self, template_id: TemplateId, consumer: str) -> None:
        """Count a picture that a consumer of this kind could not take in time."""
        self._views.dropped.labels(template_id, consumer).inc()

    def source_measured(self, measured: StreamMeasured) -> None:
        """Take over a stream's figures. Its counters begin at 0 again when its worker is replaced."""
        template_id = measured.template_id
        self._views.fps.labels(template_id).set(measured.fps)
        self._views.packet_age_s.labels(template_id).set(measured.last_packet_age_s)
        restarts, dropped = self._views.growth(measured)
        self._views.restarts.labels(template_id).inc(restarts)
        self._views.dropped.labels(template_id, "ingest").inc(dropped)

    def event_recorded(self, template_id: TemplateId, kind: str) -> None:
        self._views.events.labels(template_id, kind).inc()

    def health_changed(self, template_id: TemplateId, state: HealthState) -> None:
        """Note the verdict on a view: its series is 1, those of the other states are 0."""
        for each in HealthState:
            self._views.health.labels(template_id, each.value).set(each is state)

    def job_ended(self, *, kind: str, status: str, duration_s: float) -> None:
        self._jobs.labels(kind, status).inc()
        self._job_durations_s.labels(kind).observe(duration_s)

    def delivery_ended(self, *, channel_id: ChannelId, status: str) -> None:
        """Count an attempt that ended `sent`, `retrying` or `dead`."""
        self._deliveries.labels(channel_id, status).inc()

    def command_succeeded(self, program: str) -> None:
        """Count a program that we ran and that ended with status 0."""
        self._commands.successes.labels(program).inc()

    def command_timed_out(self, program: str) -> None:
        """Count a program that was ended because it took too long."""
        self._commands.timeouts.labels(program).inc()

    def command_ended(self, program: str, duration_s: float) -> None:
        """Take over how long a program ran, however it ended."""
        self._commands.durations_s.labels(program).observe(duration_s)

    def forget(self, template_id: TemplateId) -> None:
        """Remove the series of a view that was deleted. Call it last: any later figure makes a new series."""
        self._views.forget(template_id)

    def expose(self) -> bytes:
        """Write all series in the text format of Prometheus (`CONTENT_TYPE`)."""
        return generate_latest(self._registry)

    def _describe_process(self, version: str) -> None:
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)
        build = Info("glimpser_build", "The version that runs.", registry=self._registry)
        build.info({"version": version, "python": platform.python_version()})


class _HttpSeries:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "glimpser_http_requests_total",
            "Requests that were answered.",
            ["method", "route", "status"],
            registry=registry,
        )
        self.durations_s = Histogram(
            "glimpser_http_request_duration_seconds",
            "Time from the head of a request to the end of its answer; for a stream, its whole life.",
            ["method", "route"],
            buckets=_REQUEST_BUCKETS_S,
            registry=registry,
        )


class _CommandSeries:
    """Of the programs we run; `program` is one of few names."""

    def __init__(self, registry: CollectorRegistry) -> None:
        label = ["program"]
        self.successes = Counter(
            "command_success_total", "Programs that ended with status 0.", label, registry=registry
        )
        self.timeouts = Counter(
            "command_timeout_total", "Programs ended because they took too long.", label, registry=registry
        )
        self.durations_s = Histogram(
            "command_duration_seconds",
            "Time from the start of a program to its end.",
            label,
            buckets=_COMMAND_BUCKETS_S,
            registry=registry,
        )


class _ViewSeries:
    """The series that carry a view's id."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, meaning: str, *labels: str) -> Gauge:
            return Gauge(f"glimpser_{name}", meaning, ["template", *labels], registry=registry)

        def counter(name: str, meaning: str, *labels: str) -> Counter:
            return Counter(f"glimpser_{name}", meaning, ["template", *labels], registry=registry)

        self.subscribers = gauge("stream_subscribers", "Viewers of a view's stream.")
        self.fps = gauge("source_fps", "Frames a source gives each second.")
        self.packet_age_s = gauge("source_last_packet_age_seconds", "Age of a source's newest packet.")
        self.health = gauge("view_health", "1 for the verdict on a view, 0 for all others.", "state")
        self.restarts = counter("source_restarts_total", "Times a source was opened again.")
        self.dropped = counter("frames_dropped_total", "Frames a consumer did not take in time.", "consumer")
        self.events = counter("events_total", "Events recorded.", "kind")
        self._totals: dict[TemplateId, StreamMeasured] = {}
        self._lock = Lock()

    def growth(self, measured: StreamMeasured) -> tuple[int, int]:
        """Give the restarts and dropped frames since the last measurement of this stream."""
        with self._lock:
            before = self._totals.get(measured.template_id)
            self._totals[measured.template_id] = measured
        if before is None:
            return measured.restarts, measured.dropped_frames
        return (
            _grown(before.restarts, measured.restarts),
            _grown(before.dropped_frames, measured.dropped_frames),
        )

    def forget(self, template_id: TemplateId) -> None:
        with self._lock:
            self._totals.pop(template_id, None)
        gauges = (self.subscribers, self.fps, self.packet_age_s, self.health)
        for metric in (*gauges, self.restarts, self.dropped, self.events):
            metric.remove_by_labels({"template": template_id})


def _grown(before: int, now: int) -> int:
    """Give how far a counter went on; one that is smaller than it was began anew."""
    return now - before if now >= before else now
