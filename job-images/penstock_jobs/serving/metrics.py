"""Counters of the server, and their text for Prometheus.

Plain numbers in one process and one thread: a counter costs an addition. The text format is
https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable

BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """What happened since the start.

    Attributes:
        requests: by (route, status).
        in_flight: requests being answered now.
        rows: answered.
    """

    def __init__(self, information: dict[str, str]) -> None:
        """Take the labels of the Model that is served."""
        self.requests: Counter[tuple[str, int]] = Counter()
        self.in_flight = 0
        self.rows = 0
        self._information = information
        self._buckets = [0] * (len(BUCKETS) + 1)
        self._seconds = 0.0

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Count a request to a route, its status, and how long it took from its headers to its answer."""
        self.requests[route, status] += 1
        if route == "infer":
            self._buckets[bisect_left(BUCKETS, seconds)] += 1
            self._seconds += seconds

    def text(self, runs: int) -> bytes:
        """Return the metrics; `runs` is how many times the Model was run."""
        lines = [
            *_family("penstock_model_info", "gauge", "The Model that is served.", [(self._information, 1)]),
            *_family(
                "penstock_requests_total",
                "counter",
                "Requests, by route and HTTP status.",
                [
                    ({"route": route, "code": str(status)}, count)
                    for (route, status), count in sorted(self.requests.items())
                ],
            ),
            *_family("penstock_requests_in_flight", "gauge", "Requests being answered.", [({}, self.in_flight)]),
            *_family("penstock_rows_total", "counter", "Rows answered.", [({}, self.rows)]),
            *_family(
                "penstock_model_runs_total",
                "counter",
                "Runs of the Model; each answers the rows that wait.",
                [({}, runs)],
            ),
            *self._histogram(),
        ]
        return ("\n".join(lines) + "\n").encode()

    def _histogram(self) -> Iterable[str]:
        name = "penstock_inference_seconds"
        yield f"# HELP {name} From a request's headers to its answer, inference only."
        yield f"# TYPE {name} histogram"
        total = 0
        for bound, count in zip((*BUCKETS, float("inf")), self._buckets, strict=True):
            total += count
            yield f'{name}_bucket{{le="{"+Inf" if bound == float("inf") else bound}"}} {total}'
        yield f"{name}_sum {self._seconds}"
        yield f"{name}_count {total}"


def _family(name: str, kind: str, words: str, samples: Iterable[tuple[dict[str, str], int]]) -> Iterable[str]:
    yield f"# HELP {name} {words}"
    yield f"# TYPE {name} {kind}"
    for labels, value in samples:
        inside = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
        yield f"{name}{{{inside}}} {value}" if inside else f"{name} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
