"""Who may connect to whom, where the chart says so: nobody is cut off by what it does without being asked."""

from typing import Any

import pytest

from chart.helm_program import HelmError, Object, render_chart
from penstock.decide.objects.serving import PORT

RECEIVER: dict[str, Any] = {"receiver__enabled": True, "receiver__tls__secretName": "receiver-tls"}
OF_JOBS: dict[str, Any] = {"namespaces": ["team-a", "team-b"], "networkPolicies__jobs__enabled": True}
OF_SERVERS: dict[str, Any] = {"namespaces": ["team-a"], "networkPolicies__serving__enabled": True}
STORAGE = [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}], "ports": [{"port": 9000, "protocol": "TCP"}]}]


def policy(name: str, **values: Any) -> Object:
    [found] = [each for each in render_chart(**values).all("NetworkPolicy") if each["metadata"]["name"] == name]
    return found["spec"]  # type: ignore[no-any-return]


def selects(spec: Object, labels: dict[str, str]) -> bool:
    selector = spec["podSelector"]
    wanted = {each["key"]: each["operator"] == "Exists" for each in selector.get("matchExpressions", [])}
    return selector["matchLabels"].items() <= labels.items() and all(
        (key in labels) == has for key, has in wanted.items()
    )


def test_the_operator_and_the_receiver_keep_their_own_ports_open_to_everybody_and_close_nothing_else() -> None:
    made = render_chart(**RECEIVER)

    for name in ("penstock", "penstock-receiver"):
        [spec] = [each["spec"] for each in made.all("NetworkPolicy") if each["metadata"]["name"] == name]
        template = made.one("Deployment", name)["spec"]["template"]
        assert selects(spec, template["metadata"]["labels"])
        assert spec["policyTypes"] == ["Ingress"]
        assert all("from" not in each for each in spec["ingress"])
        opened = {port["port"] for each in spec["ingress"] for port in each["ports"]}
        assert opened == {each["containerPort"] for each in template["spec"]["containers"][0]["ports"]}


def test_who_may_ask_for_metrics_and_who_may_bring_events_are_named_apart() -> None:
    monitoring, gateway = (
        [{"namespaceSelector": {"matchLabels": {"name": name}}}] for name in ("monitoring", "gateway")
    )
    named = {"networkPolicies__operator__from": monitoring, "networkPolicies__receiver__from": gateway}
    operator, receiver = (policy(name, **RECEIVER, **named) for name in ("penstock", "penstock-receiver"))

    assert [each["from"] for each in operator["ingress"]] == [monitoring]
    assert {each["ports"][0]["port"]: each["from"] for each in receiver["ingress"]} == {8443: gateway, 8080: monitoring}


def test_nobody_connects_to_a_job_and_a_server_is_no_job() -> None:
    job = {"app.kubernetes.io/managed-by": "penstock", "penstock.dev/step": "training"}
    server = {"app.kubernetes.io/managed-by": "penstock", "penstock.dev/model": "churn-1"}
    servers = policy("penstock-serving", **OF_SERVERS)
    made = [
        each for each in render_chart(**OF_JOBS).all("NetworkPolicy") if each["metadata"]["name"] == "penstock-jobs"
    ]
    jobs = made[0]["spec"]

    assert [each["metadata"]["namespace"] for each in made] == ["team-a", "team-b"]
    assert (jobs["policyTypes"], jobs.get("ingress")) == (["Ingress"], None)
    assert (selects(jobs, job), selects(jobs, server)) == (True, False)
    assert (selects(servers, job), selects(servers, server)) == (False, True)
    assert servers["ingress"] == [{"ports": [{"port": PORT, "protocol": "TCP"}]}]


@pytest.mark.parametrize(("name", "values"), [("jobs", {**OF_JOBS, "namespaces": ["team-a"]}), ("serving", OF_SERVERS)])
def test_what_may_be_connected_to_is_bounded_where_it_is_named_and_names_can_be_looked_up(
    name: str, values: dict[str, Any]
) -> None:
    spec = policy(f"penstock-{name}", **values, **{f"networkPolicies__{name}__to": STORAGE})

    assert spec["policyTypes"] == ["Ingress", "Egress"]
    dns, *named = spec["egress"]
    assert dns == {"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]}
    assert named == STORAGE


def test_policies_in_the_namespaces_of_pipelines_need_their_names() -> None:
    with pytest.raises(HelmError, match=r"networkPolicies\.jobs\.enabled needs namespaces"):
        render_chart(networkPolicies__jobs__enabled=True)


def test_they_can_be_left_to_somebody_else() -> None:
    assert render_chart(**RECEIVER, networkPolicies__operator__enabled=False).all("NetworkPolicy") == []
