"""Rights are asked for what a pod has in the end, whether a manifest, a profile or the operator's settings name it."""

from copy import deepcopy
from typing import Any

import pytest

from chart.admission import Attempt, Object, refusals
from chart.helm_program import render_chart
from manifest_changes import set_field
from plain_manifests import MODEL, PIPELINE, RUN, TRIGGER

SHARED = {
    "s3": {"bucket": "all"},
    "credentials": {"read": {"secretName": "all-read"}, "write": {"secretName": "all-write"}},
}
OWN = {"s3": {"bucket": "ml-team"}}


def changed(manifest: Object, **fields: Any) -> Object:
    """Return the manifest with fields of its spec set; `__` stands for a dot."""
    made = deepcopy(manifest)
    for path, value in fields.items():
        set_field(made["spec"], path.split("__"), value)
    return made


def said(manifest: Object, *rights: str, old: Object | None = None, **values: Any) -> list[str]:
    """Return what the chart's policies say where ada, who has these rights, applies the manifest."""
    policies = render_chart(**values).all("ValidatingAdmissionPolicy")
    [found] = refusals(policies, Attempt(manifest, old, rights=rights))
    return found


# --- the default storage ---


def test_the_secret_of_the_default_storage_is_asked_for_where_a_pipeline_names_no_storage() -> None:
    assert said(PIPELINE, "get secrets/all-read", settings__storage=SHARED) == [
        (
            "Without spec.storage the jobs get the Secret all-write of the default storage, and ada may not read it; "
            "ask for the right to get it, or set spec.storage."
        )
    ]
    assert said(PIPELINE, "get secrets/all-read", "get secrets/all-write", settings__storage=SHARED) == []
    assert said(PIPELINE, "get secrets", settings__storage=SHARED) == []
    assert said(changed(PIPELINE, storage=OWN), settings__storage=SHARED) == []


def test_taking_the_storage_out_of_a_pipeline_asks_for_the_default_one() -> None:
    assert len(said(PIPELINE, old=changed(PIPELINE, storage=OWN), settings__storage=SHARED)) == 2


def test_a_change_that_leaves_the_spec_alone_asks_for_nothing() -> None:
    labelled = {**PIPELINE, "metadata": {"name": "churn", "labels": {"team": "ml"}}}

    assert said(labelled, old=PIPELINE, settings__storage=SHARED) == []


def test_a_default_storage_without_a_secret_asks_for_none() -> None:
    assert said(PIPELINE, settings__storage={"s3": {"bucket": "all"}}) == []


def test_the_claim_of_the_default_storage_is_asked_for_too() -> None:
    volume = {"pvc": {"claimName": "all"}}

    assert said(PIPELINE, settings__storage=volume) == [
        (
            "The volume claim all would be mounted, and ada may neither create pods nor use that claim; ask for the "
            "right to use it, or name another."
        )
    ]
    assert said(PIPELINE, "use persistentvolumeclaims/all", settings__storage=volume) == []
    assert said(changed(PIPELINE, storage=OWN), settings__storage=volume) == []


# --- claims ---

VOLUME = {"pvc": {"claimName": "lake"}}
FROM_CLAIM = [{"name": "rows", "uri": "pvc://lake/2026/rows.csv"}]


@pytest.mark.parametrize(
    "manifest",
    [
        changed(PIPELINE, storage=VOLUME),
        changed(PIPELINE, models__storage=VOLUME),
        changed(PIPELINE, dataset__inputs=FROM_CLAIM),
        changed(RUN, storage=VOLUME),
        changed(RUN, overrides=[{"path": "dataset.inputs.rows.uri", "value": "pvc://lake/other.csv"}]),
        changed(TRIGGER, run__storage=VOLUME),
        changed(TRIGGER, run__overrides=[{"path": "dataset.inputs.rows.uri", "value": "pvc://lake/other.csv"}]),
        changed(MODEL, uri="file:///volumes/lake/churn/models/churn-1"),
    ],
    ids=lambda manifest: f"{manifest['kind']}: {' '.join(manifest['spec'])}",
)
def test_a_claim_is_for_who_may_use_it_or_may_create_pods(manifest: Object) -> None:
    updates = "update pipelines/churn"
    refused = said(manifest, updates)

    assert refused == [
        (
            "The volume claim lake would be mounted, and ada may neither create pods nor use that claim; ask for the "
            "right to use it, or name another."
        )
    ]
    assert said(manifest, updates, "use persistentvolumeclaims/lake") == []
    assert said(manifest, updates, "create pods") == []
    assert said(manifest, updates, "get persistentvolumeclaims/lake") == refused, (
        "who sees a claim cannot read the volume"
    )


@pytest.mark.parametrize(
    "uri",
    ["file:///%76olumes/lake/x", "file://here/volumes/lake/x", " file:///volumes/lake/x", "FILE:///volumes/lake/x"],
)
def test_a_claim_in_the_address_of_a_model_is_not_hidden_by_writing_it_otherwise(uri: str) -> None:
    assert said(changed(MODEL, uri=uri), "use persistentvolumeclaims/mine") != []


def test_a_claim_in_a_template_is_for_who_may_create_pods() -> None:
    volumes = [{"name": "a", "persistentVolumeClaim": {"claimName": "lake"}}]
    manifest = changed(PIPELINE, jobs=[{"name": "dataset", "podTemplate": {"spec": {"volumes": volumes}}}])

    [refused] = said(manifest, "use persistentvolumeclaims/lake")
    assert refused.startswith("A podTemplate names a volume claim, which only who may create pods in the namespace")
    assert said(manifest, "create pods") == []


def test_who_may_create_pods_may_name_more_claims_than_can_be_asked_about() -> None:
    inputs = [{"name": f"rows_{number}", "uri": f"pvc://lake-{number}/rows.csv"} for number in range(20)]
    manifest = changed(PIPELINE, dataset__inputs=inputs)

    assert any("More than 16 volume claims are named" in each for each in said(manifest, "use persistentvolumeclaims"))
    assert said(manifest, "create pods") == []


# --- where a run writes ---


@pytest.mark.parametrize(("manifest", "field"), [(RUN, "storage"), (TRIGGER, "run__storage")], ids=["run", "trigger"])
def test_where_a_run_writes_is_said_by_who_may_update_its_pipeline(manifest: Object, field: str) -> None:
    moved = changed(manifest, **{field: {"s3": {"bucket": "elsewhere"}}})
    path = f"spec.{field.replace('__', '.')}"

    assert said(moved, "update pipelines/other") == [
        (
            f"{path} is where data of the Pipeline churn would be written, and ada may not update that Pipeline; ask "
            f"for the right, or remove {path}."
        )
    ]
    assert said(moved, "update pipelines/churn") == []
    assert said(manifest) == []


# --- what profiles and defaults give ---

SETTINGS = {
    "profiles": {
        "gpu": {"serviceAccountName": "gpu-jobs", "imagePullSecrets": [{"name": "gpu-registry"}]},
        "plain": {},
    },
    "defaults": {"serviceAccountName": "jobs", "imagePullSecrets": [{"name": "registry"}]},
}
WITH_PROFILES: dict[str, Any] = {f"settings__{name}": value for name, value in SETTINGS.items()}
ALL_JOBS = ("dataset", "training", "testing", "deployment", "prediction")


def of_jobs(**said_of_each: Any) -> list[Object]:
    return [{"name": name, **said_of_each} for name in ALL_JOBS]


@pytest.mark.parametrize(
    ("jobs", "account"),
    [
        ([], "jobs"),
        ([{"name": "training", "serviceAccountName": "mine"}], "jobs"),
        ([{"name": "training", "profile": "gpu"}], "gpu-jobs"),
        (of_jobs(profile="gpu"), "gpu-jobs"),
        (of_jobs(profile="plain"), "jobs"),
    ],
)
def test_the_service_account_that_a_job_gets_is_asked_for(jobs: list[Object], account: str) -> None:
    manifest = changed(PIPELINE, jobs=jobs)
    refused = said(manifest, "impersonate serviceaccounts/mine", **WITH_PROFILES)

    assert (
        f"A job gets the service account {account} from its profile or by default, and ada may not act as it; ask for "
        "the right to impersonate it, or choose otherwise."
    ) in refused
    assert said(manifest, "impersonate serviceaccounts", **WITH_PROFILES) == []


def test_a_service_account_that_no_job_gets_is_not_asked_for() -> None:
    mine = changed(PIPELINE, jobs=of_jobs(serviceAccountName="mine", profile="gpu"))

    assert said(mine, "impersonate serviceaccounts/mine", **WITH_PROFILES) == []
    assert (
        said(changed(PIPELINE, jobs=of_jobs(profile="gpu")), "impersonate serviceaccounts/gpu-jobs", **WITH_PROFILES)
        == []
    )


@pytest.mark.parametrize(
    ("job", "pull"),
    [
        ({"image": "own:1"}, "registry"),
        ({"image": "own:1", "profile": "plain"}, "registry"),
        ({"image": "own:1", "profile": "gpu"}, "gpu-registry"),
        ({"podTemplate": {"spec": {"initContainers": [{"name": "a", "image": "own:1"}]}}}, "registry"),
    ],
)
def test_the_pull_secret_that_an_image_of_its_author_gets_is_asked_for(job: Object, pull: str) -> None:
    manifest = changed(PIPELINE, jobs=[{"name": "training", **job}])
    accounts = "impersonate serviceaccounts"

    assert said(manifest, accounts, **WITH_PROFILES) == [
        (
            f"A job gets the pull secret {pull} from its profile or by default, and ada may not read it; ask for the "
            "right to get it, or choose otherwise."
        )
    ]
    assert said(manifest, accounts, f"get secrets/{pull}", **WITH_PROFILES) == []


def test_a_pull_secret_for_the_images_of_the_operator_is_lent_to_everybody() -> None:
    own = {"name": "training", "image": "own:1", "imagePullSecrets": [{"name": "mine"}]}

    for jobs in ([], [{"name": "training", "profile": "gpu"}], [own]):
        rights = ("impersonate serviceaccounts", "get secrets/mine")
        assert said(changed(PIPELINE, jobs=jobs), *rights, **WITH_PROFILES) == []


@pytest.mark.parametrize(("manifest", "run"), [(RUN, ""), (TRIGGER, "run__")], ids=["run", "trigger"])
def test_a_run_that_chooses_a_profile_is_asked_for_what_that_gives(manifest: Object, run: str) -> None:
    override = {"path": "jobs.training.profile", "value": "gpu"}

    for chosen in ({f"{run}jobs": [{"name": "training", "profile": "gpu"}]}, {f"{run}overrides": [override]}):
        refused = said(changed(manifest, **chosen), **WITH_PROFILES)
        assert [each.partition(" from ")[0] for each in refused] == [
            "A job gets the service account gpu-jobs",
            "A job gets the pull secret gpu-registry",
        ]
        rights = ("impersonate serviceaccounts/gpu-jobs", "get secrets/gpu-registry")
        assert said(changed(manifest, **chosen), *rights, **WITH_PROFILES) == []
    for chosen in (
        {f"{run}jobs": [{"name": "training", "profile": "plain"}]},
        {f"{run}overrides": [{"path": "jobs.training.profile"}]},
    ):
        refused = said(changed(manifest, **chosen), **WITH_PROFILES)
        assert [each.partition(" from ")[0] for each in refused] == [
            "A job gets the service account jobs",
            "A job gets the pull secret registry",
        ]
    assert said(manifest, **WITH_PROFILES) == []


@pytest.mark.parametrize(("manifest", "run"), [(RUN, ""), (TRIGGER, "run__")], ids=["run", "trigger"])
def test_a_run_that_chooses_an_image_is_asked_for_each_pull_secret_it_may_get(manifest: Object, run: str) -> None:
    chosen = changed(manifest, **{f"{run}overrides": [{"path": "jobs.training.image", "value": "own:1"}]})
    rights = ("update pipelines/churn", "get secrets/gpu-registry", "get secrets/registry")

    refused = said(chosen, "update pipelines/churn", **WITH_PROFILES)
    assert [each.partition(" from ")[0] for each in refused] == [
        "A job gets the pull secret gpu-registry",
        "A job gets the pull secret registry",
    ]
    assert said(chosen, *rights, **WITH_PROFILES) == []


# --- as a whole ---


def test_the_most_that_can_be_named_is_within_what_the_api_server_lets_a_policy_cost() -> None:
    """A check of a right costs 350,000 of the 10,000,000 that a policy may; with more of them it refuses everybody."""
    inputs = [{"name": f"r{i}", "uri": "s3://lake/r", "credentials": {"secretName": f"s{i}"}} for i in range(16)]
    claims = [{"name": f"r{i}", "uri": f"pvc://c{i}/r"} for i in range(16)]
    rights = [f"get secrets/s{i}" for i in range(16)] + [f"use persistentvolumeclaims/c{i}" for i in range(16)]
    rights += [f"impersonate serviceaccounts/{account}" for account in ("mine", "jobs", "gpu-jobs")]
    rights += [f"get secrets/{secret}" for secret in ("all-read", "all-write", "registry", "gpu-registry")]
    jobs = of_jobs(serviceAccountName="mine", image="own:1", profile="gpu")

    for table in (inputs, claims):
        manifest = changed(PIPELINE, dataset__inputs=table, jobs=jobs)
        assert said(manifest, *rights, settings__storage=SHARED, **WITH_PROFILES) == []


def test_the_operator_passes_on_what_was_asked_before() -> None:
    run = changed(RUN, storage=VOLUME, jobs=[{"name": "training", "profile": "gpu"}])
    policies = [
        each
        for each in render_chart(settings__storage=SHARED, **WITH_PROFILES).all("ValidatingAdmissionPolicy")
        if each["metadata"]["name"].endswith("-pipelineruns")
    ]

    assert refusals(policies, Attempt(run, user="system:serviceaccount:penstock-system:penstock")) == [[]]
    assert refusals(policies, Attempt(run)) != [[]]
