"""What the operator asks of the API server and writes to it, in stories that other tests tell of it."""

import copy
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from asked_rights import Asked, right_asked
from penstock.kubernetes.connection import Answer, Request
from unit.act import test_files_of_what_is_deleted as files
from unit.act.fake_api import FakeApi
from unit.decide_run import test_a_run_that_goes_well as goes_well
from unit.decide_run import test_serving_follows_the_cluster as serving
from unit.decide_run import test_who_is_told as notifications
from unit.decide_run.test_any_order_of_events import FEW, AnyOrder
from unit.trigger import test_concurrency_of_runs as triggers

Object = dict[str, Any]
STORIES: tuple[Callable[[], None], ...] = (
    goes_well.test_a_run_does_its_jobs_one_after_the_other_and_ends_with_the_model_served,
    goes_well.test_a_revision_is_there_as_long_as_a_model_that_was_made_of_it,
    goes_well.test_ones_own_operations_are_fetched_once_beside_the_dataset_job,
    goes_well.test_a_result_that_is_too_long_for_the_pod_is_read_from_its_log,
    serving.test_a_spec_without_deployment_takes_the_api_down_and_with_one_again_the_last_selected_is_served,
    serving.test_of_many_models_served_one_after_the_other_only_the_servers_now_and_those_before_are_kept,
    notifications.test_the_end_of_a_run_and_what_becomes_of_its_model_are_told_and_nothing_is_left_of_it,
    triggers.test_replace_cancels_the_live_run_of_this_trigger_and_no_other,
    triggers.test_history_limits_delete_the_oldest_of_its_own_runs_that_ended,
    files.test_a_job_is_made_when_the_model_is_gone_and_the_record_goes_when_it_is_complete,
)


@dataclass
class Requests:
    """What was asked, and what was written: each object before and after; None where there was, or is, none."""

    asked: set[Asked] = field(default_factory=set)
    written: list[tuple[Object | None, Object | None]] = field(default_factory=list)


@contextmanager
def recording() -> Iterator[Requests]:
    """Record what comes to every API server in memory."""
    found = Requests()
    handle = FakeApi._handle

    def record(api: FakeApi, request: Request) -> Answer:
        if (asked := right_asked(request.method, request.path)) is not None:
            found.asked.add(asked)
        path = urlsplit(request.path).path
        before = copy.deepcopy(api.objects.get(path)) if request.method in ("PATCH", "DELETE") else None
        answer = handle(api, request)
        if request.method != "GET" and answer.status < 300 and not path.endswith("/status"):
            found.written.append((before, None if request.method == "DELETE" else json.loads(answer.body)))
        return answer

    with patch.object(FakeApi, "_handle", record):
        yield found


def requests_of_stories() -> Requests:
    """Tell all of them, and some in which anything happens in any order."""
    with recording() as found:
        for story in STORIES:
            story()
        few = settings(FEW, max_examples=8, derandomize=True, database=None)
        run_state_machine_as_test(AnyOrder, settings=few)
    return found
