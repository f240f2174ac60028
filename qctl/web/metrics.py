"""`/metrics`: the figures as Prometheus reads them."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from prometheus_client.metrics_core import Metric

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
PERCENTILES = (("p50", "50"), ("p95", "95"), ("p99", "99"))
LEVELS = ("healthy", "degraded", "unhealthy")


class Figures:
    """What `stats` and `health` say, as metrics. All are gauges: a purge makes every count smaller."""

    def __init__(self, stats: dict[str, Any], health: dict[str, Any], at: float) -> None:
        self.stats = stats
        self.health = health
        self.at = at

    def collect(self) -> Iterator[Metric]:
        from prometheus_client.core import GaugeMetricFamily

        stats, queue = self.stats, self.stats["queue"]
        jobs = GaugeMetricFamily("qctl_jobs", "Jobs by type and status.", labels=["type", "status"])
        for row in stats["by_type"]:
            jobs.add_metric([text(row["type"]), row["status"]], row["count"])
        yield jobs
        for name, meaning, value in (
            ("qctl_due_jobs", "Pending jobs that are due.", queue["due"]),
            ("qctl_oldest_due_seconds", "How long the oldest due job has waited.", queue["oldest_pending_age"] or 0),
            (
                "qctl_dead_letters_unreviewed",
                "Dead letters nobody has reviewed.",
                stats["dead_letter_queue"]["unreviewed"],
            ),
            ("qctl_completed_last_hour", "Jobs completed within the last hour.", queue["completed_last_hour"]),
            ("qctl_rate_per_minute", "Jobs completed a minute, over the window.", stats["rate_per_minute"]),
            ("qctl_failure_ratio", "Failed attempts among all, over the window.", stats["failure_rate"] or 0),
            ("qctl_window_seconds", "The window of rates and percentiles.", stats["window"]),
            ("qctl_read_at_seconds", "When these figures were read, in seconds since 1970.", self.at),
            ("qctl_workers_alive", "Workers that gave a sign of life of late.", stats["workers"]["alive"]),
            ("qctl_worker_slots", "Jobs that they can run at once.", stats["workers"]["slots"]),
        ):
            yield GaugeMetricFamily(name, meaning, value=value)
        for name in ("wait", "run"):
            times = GaugeMetricFamily(  # a label `quantile` is for summaries, which never forget
                f"qctl_{name}_seconds",
                f"Percentiles of the {name} time, over the window.",
                labels=["type", "percentile"],
            )
            for one in stats["types"]:
                for key, percentile in PERCENTILES:
                    if one[name][key] is not None:
                        times.add_metric([text(one["type"]), percentile], one[name][key])
            yield times
        state = GaugeMetricFamily("qctl_health", "1 for the state the queue is in.", labels=["status"])
        for level in LEVELS:
            state.add_metric([level], int(self.health["status"] == level))
        yield state
        checks = GaugeMetricFamily("qctl_check_failed", "1 where a health check fails.", labels=["check"])
        for check in self.health["checks"]:
            checks.add_metric([check["name"]], int(not check["ok"]))
        yield checks


def text(value: Any) -> str:
    """A label that can be written as UTF-8, whatever plain SQL stored as the type."""
    return str(value).encode("utf-8", "replace").decode()


def exposition(stats: dict[str, Any], health: dict[str, Any], at: float) -> bytes:
    """The text that a scrape gets."""
    from prometheus_client import CollectorRegistry, generate_latest

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Figures(stats, health, at))
    return generate_latest(registry)
