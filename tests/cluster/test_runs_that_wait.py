"""Waiting is not failing: whatever a run lacks, it says so in the words of who knows, and goes on when that comes."""

from cluster.hand_made_runs import READER
from cluster.kubernetes_api import Resource
from cluster.sites import Site
from testcluster.s3 import Account

SECRETS = Resource("v1", "secrets")
QUOTAS = Resource("v1", "resourcequotas")


def test_a_run_waits_for_a_pipeline_that_is_applied_after_it(site: Site) -> None:
    run = site.run("late")

    assert "There is no Pipeline late in this namespace yet" in site.waits(run, "PipelineNotFound")
    site.pipeline("late")
    site.done(run)


def test_a_run_waits_for_a_secret_until_somebody_makes_it(site: Site) -> None:
    credentials = {"read": {"secretName": READER}, "write": {"secretName": "later"}}
    site.pipeline("unwritten", storage__credentials=credentials)
    run = site.run("unwritten")

    assert 'secret "later" not found' in site.waits(run, "NotMounted")
    writer = site.buckets.server.writer
    site.api.create(Account(writer.access_key, writer.secret_key).secret("later", site.namespace))
    site.done(run)
    assert len(site.jobs(run)) == len(site.pods(run)) == 1
