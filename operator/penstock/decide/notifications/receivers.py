"""Whom a Pipeline's events are for: those whom the manifest names, beside those whom who runs the operator does."""

from collections.abc import Mapping
from dataclasses import dataclass

from penstock.api.jobs import JobSettings
from penstock.api.notifications import EventName, Notification
from penstock.api.pipeline import PipelineSpec
from penstock.decide.job_specification import settings_of
from penstock.decide.objects.profiles import with_profiles
from penstock.decide.settings import Settings
from penstock_jobs.contract.errors import Refused


@dataclass(frozen=True)
class Receiver:
    """A notification, and the settings of the pods that tell it."""

    notification: Notification
    settings: JobSettings

    def wants(self, event: EventName) -> bool:
        """Return whether it is told events of that name."""
        return not self.notification.events or event in self.notification.events


def receivers_of(spec: PipelineSpec | None, settings: Settings) -> Mapping[str, Receiver]:
    """Return the receivers by name, those of the operator's settings first; a Pipeline's own goes before one of them.

    The environment that an author gives the jobs is for the author's own: with a proxy and an authority in it, the URL
    of somebody else's Secret could be read.
    """
    found = {each.name: Receiver(each, settings.defaults) for each in settings.notifications}
    if spec is None:
        return found
    own = _settings_of_jobs(spec, settings)
    return found | {each.name: Receiver(each, own) for each in spec.notifications}


def _settings_of_jobs(spec: PipelineSpec, settings: Settings) -> JobSettings:
    try:
        return settings_of(with_profiles(spec, (), settings.profiles, settings.defaults), "dataset")
    except Refused:
        return settings.defaults  # a profile that is not there is no reason to tell nobody
