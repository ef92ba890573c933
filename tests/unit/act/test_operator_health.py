"""What the operator answers over HTTP."""

import asyncio
from urllib.error import HTTPError
from urllib.request import urlopen

from penstock.act.health import health_server
from penstock.act.metrics import OperatorMetrics


def _asked(path: str, *, healthy: bool = True, ready: bool = True) -> tuple[int, str]:
    async def all_of_it() -> tuple[int, str]:
        async with health_server(0, OperatorMetrics(), lambda: healthy, lambda: ready) as port:
            return await asyncio.to_thread(_get, f"http://127.0.0.1:{port}{path}")

    return asyncio.run(all_of_it())


def _get(address: str) -> tuple[int, str]:
    try:
        with urlopen(address, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()


def test_who_is_well_says_ok() -> None:
    assert _asked("/healthz") == (200, "ok")
    assert _asked("/readyz") == (200, "ok")


def test_who_listed_all_objects_too_long_ago_is_not_well() -> None:
    assert _asked("/healthz", healthy=False) == (503, "All objects were listed too long ago.")


def test_who_has_not_listed_them_yet_is_not_ready() -> None:
    assert _asked("/readyz", ready=False) == (503, "The objects were not all listed yet.")


def test_metrics_are_as_prometheus_reads_them() -> None:
    code, text = _asked("/metrics")

    assert code == 200
    assert "# TYPE penstock_api_writes_total counter" in text
