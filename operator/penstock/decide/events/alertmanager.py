"""What Alertmanager's webhook posts: one body for a group of alerts, each of which is an event of its own.

It can send a token and cannot sign, says no id, and posts a group again for as long as an alert of it fires. So each
alert is made a CloudEvent whose id is a function of which alert it is and since when it fires: what comes again is the
same event.
"""

from typing import Any

from penstock.decide.events.refusal import malformed

SOURCE, TYPE = "alertmanager", "alertmanager.alert"
_VERSION, _STATES = "4", ("firing", "resolved")


def is_of_alertmanager(found: Any) -> bool:
    """Return whether a body has the shape that Alertmanager documents for its webhook."""
    return (
        isinstance(found, dict)
        and found.get("version") == _VERSION
        and found.get("status") in _STATES
        and isinstance(found.get("groupKey"), str)
        and isinstance(found.get("receiver"), str)
        and isinstance(found.get("alerts"), list)
    )


def cloud_event_of(alert: Any) -> dict[str, Any]:
    """Return the CloudEvent, structured, that an alert is.

    Raises:
        RequestRefused: it does not say which alert it is, or since when.
    """
    if not isinstance(alert, dict) or not isinstance(alert.get("labels"), dict):
        raise malformed("It has no labels; send alerts as Alertmanager does.")
    status = alert.get("status")
    if status not in _STATES:
        raise malformed("Its status is neither firing nor resolved; send alerts as Alertmanager does.")
    begun = _require_text(alert, "startsAt")
    return {
        "specversion": "1.0",
        "id": f"{_require_text(alert, 'fingerprint')}/{begun}/{status}",
        "source": SOURCE,
        "type": f"{TYPE}.{status}",
        "subject": alert["labels"].get("alertname"),
        "time": begun if status == "firing" else _require_text(alert, "endsAt"),
        "data": alert,
    }


def _require_text(alert: dict[str, Any], name: str) -> str:
    found = alert.get(name)
    if not isinstance(found, str) or not found:
        raise malformed(f"It has no {name}, by which it is known; Alertmanager sends it since 0.16.")
    return found
