import re

import pytest
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from glimpser.core.health import HealthState
from glimpser.core.ids import ChannelId, TemplateId
from glimpser.core.live import StreamMeasured
from glimpser.observability.metrics import CONTENT_TYPE, Metrics

HALL = TemplateId("01ARZ3NDEKTSV4RRFFQ69G5FAV")
YARD = TemplateId("01BX5ZZKBKACTAV9WEVGEMMVRZ")

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture
def metrics() -> Metrics:
    return Metrics("1.2.3")


def samples(metrics: Metrics) -> Samples:
    families = text_string_to_metric_families(metrics.expose().decode())
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return samples(metrics).get((name, tuple(sorted(labels.items()))))


def measured(template_id: TemplateId = HALL, *, restarts: int = 0, dropped_frames: int = 0) -> StreamMeasured:
    return StreamMeasured(template_id, 24.5, 0.2, dropped_frames, restarts)


def test_the_names_are_those_of_the_contract(metrics: Metrics) -> None:
    families = set(re.findall(r"^# TYPE (glimpser_\w+)", metrics.expose().decode(), re.MULTILINE))

    assert families == {
        "glimpser_http_requests_total",
        "glimpser_http_request_duration_seconds",
        "glimpser_stream_subscribers",
        "glimpser_frames_dropped_total",
        "glimpser_source_fps",
        "glimpser_source_restarts_total",
        "glimpser_source_last_packet_age_seconds",
        "glimpser_events_total",
        "glimpser_view_health",
        "glimpser_jobs_total",
        "glimpser_job_duration_seconds",
        "glimpser_deliveries_total",
        "glimpser_build_info",
    }


def test_requests_are_counted_and_timed(metrics: Metrics) -> None:
    for status in (200, 200, 404):
        metrics.request_served(method="GET", route="/api/events/{event_id}", status=status, duration_s=0.25)

    labels = {"method": "GET", "route": "/api/events/{event_id}"}
    assert value(metrics, "glimpser_http_requests_total", **labels, status="200") == 2
    assert value(metrics, "glimpser_http_requests_total", **labels, status="404") == 1
    assert value(metrics, "glimpser_http_request_duration_seconds_count", **labels) == 3
    assert value(metrics, "glimpser_http_request_duration_seconds_sum", **labels) == 0.75


def test_invented_methods_make_no_series_of_their_own(metrics: Metrics) -> None:
    for number in range(100):
        metrics.request_served(method=f"HACK{number}", route="/", status=405, duration_s=0.0)

    assert value(metrics, "glimpser_http_requests_total", method="OTHER", route="/", status="405") == 100
    assert b"HACK" not in metrics.expose()


def test_what_viewers_do_is_seen(metrics: Metrics) -> None:
    metrics.subscribers_changed(HALL, 3)
    metrics.subscribers_changed(HALL, 2)
    metrics.frame_dropped(HALL, "mjpeg")
    metrics.frame_dropped(HALL, "mjpeg")

    assert value(metrics, "glimpser_stream_subscribers", template=HALL) == 2
    assert value(metrics, "glimpser_frames_dropped_total", template=HALL, consumer="mjpeg") == 2


def test_the_figures_of_a_source_are_those_of_its_newest_measurement(metrics: Metrics) -> None:
    metrics.source_measured(measured(restarts=1, dropped_frames=10))
    metrics.source_measured(measured(restarts=3, dropped_frames=12))

    assert value(metrics, "glimpser_source_fps", template=HALL) == 24.5
    assert value(metrics, "glimpser_source_last_packet_age_seconds", template=HALL) == 0.2
    assert value(metrics, "glimpser_source_restarts_total", template=HALL) == 3
    assert value(metrics, "glimpser_frames_dropped_total", template=HALL, consumer="ingest") == 12


def test_counters_go_on_when_a_worker_is_replaced(metrics: Metrics) -> None:
    metrics.source_measured(measured(restarts=5, dropped_frames=7))
    metrics.source_measured(measured(restarts=0, dropped_frames=2))
    metrics.source_measured(measured(restarts=1, dropped_frames=2))

    assert value(metrics, "glimpser_source_restarts_total", template=HALL) == 6
    assert value(metrics, "glimpser_frames_dropped_total", template=HALL, consumer="ingest") == 9


def test_events_and_jobs_are_counted(metrics: Metrics) -> None:
    metrics.event_recorded(HALL, "motion")
    metrics.job_ended(kind="capture", status="success", duration_s=1.5)

    assert value(metrics, "glimpser_events_total", template=HALL, kind="motion") == 1
    assert value(metrics, "glimpser_jobs_total", kind="capture", status="success") == 1
    assert value(metrics, "glimpser_job_duration_seconds_sum", kind="capture") == 1.5


def test_a_deleted_view_leaves_no_series_and_the_others_stay(metrics: Metrics) -> None:
    for template_id in (HALL, YARD):
        metrics.subscribers_changed(template_id, 1)
        metrics.frame_dropped(template_id, "mjpeg")
        metrics.source_measured(measured(template_id, restarts=1, dropped_frames=1))
        metrics.event_recorded(template_id, "motion")
        metrics.health_changed(template_id, HealthState.OK)
    before = len(_naming(metrics, YARD))

    metrics.forget(HALL)

    assert not _naming(metrics, HALL)
    assert len(_naming(metrics, YARD)) == before == 7 + len(HealthState)


def test_of_the_verdicts_on_a_view_the_one_that_holds_is_one(metrics: Metrics) -> None:
    for state in (HealthState.OK, HealthState.ERROR_PAGE):
        metrics.health_changed(HALL, state)

    values = {each: value(metrics, "glimpser_view_health", template=HALL, state=each) for each in HealthState}
    assert values == dict.fromkeys(HealthState, 0.0) | {HealthState.ERROR_PAGE: 1.0}


def test_a_view_that_comes_back_begins_anew(metrics: Metrics) -> None:
    metrics.source_measured(measured(restarts=5))
    metrics.forget(HALL)

    metrics.source_measured(measured(restarts=7))

    assert value(metrics, "glimpser_source_restarts_total", template=HALL) == 7


def test_forgetting_a_view_nobody_heard_of_is_ignored(metrics: Metrics) -> None:
    before = samples(metrics).keys()

    metrics.forget(HALL)

    assert samples(metrics).keys() == before


def test_the_process_and_the_version_describe_themselves(metrics: Metrics) -> None:
    names = {name for name, _ in samples(metrics)}

    assert {"process_resident_memory_bytes", "python_info", "python_gc_collections_total"} <= names
    assert b'glimpser_build_info{python="3.' in metrics.expose()
    assert b'version="1.2.3"' in metrics.expose()


def test_the_time_a_series_was_made_is_not_another_series(metrics: Metrics) -> None:
    metrics.job_ended(kind="capture", status="success", duration_s=1.0)

    assert b"_created" not in metrics.expose()


def test_two_programs_in_one_process_do_not_share_figures(metrics: Metrics) -> None:
    other = Metrics("1.2.3")

    metrics.event_recorded(HALL, "motion")

    assert value(other, "glimpser_events_total", template=HALL, kind="motion") is None
    assert not any(name.startswith("glimpser") for name in REGISTRY._names_to_collectors)


def test_the_media_type_is_that_of_the_text_format() -> None:
    assert CONTENT_TYPE.startswith("text/plain; version=")


def _naming(metrics: Metrics, template_id: TemplateId) -> list[str]:
    return [line for line in metrics.expose().decode().splitlines() if template_id in line]


def test_deliveries_are_counted_by_channel_and_outcome(metrics: Metrics) -> None:
    channel = ChannelId("01ARZ3NDEKTSV4RRFFQ69G5FAV")
    for status in ("retrying", "retrying", "sent"):
        metrics.delivery_ended(channel_id=channel, status=status)

    assert value(metrics, "glimpser_deliveries_total", channel=channel, status="retrying") == 2
    assert value(metrics, "glimpser_deliveries_total", channel=channel, status="sent") == 1
