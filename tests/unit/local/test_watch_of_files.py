"""`penstock watch` of files that arrive: the looks are processes, decided about as on a cluster."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from unit.local.watched_home import WatchedHome, trigger

INPUTS = [{"name": "rows", "uri": "rows/*.csv"}]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[WatchedHome]:
    arriving = trigger("arriving", objects={"input": "rows", "interval": "1m"})
    dataset = {"inputs": INPUTS, "target": {"column": "left"}, "key": ["id"]}
    (tmp_path / "rows").mkdir()
    (tmp_path / "rows" / "old.csv").write_text("id,left")
    home = WatchedHome(tmp_path / "home", arriving, data=tmp_path, dataset=dataset)
    with closing(home.watch.looks):
        yield home


def test_a_file_that_arrives_starts_a_run_once(home: WatchedHome, tmp_path: Path) -> None:
    home.until(seconds=30)
    (tmp_path / "rows" / "new.csv").write_text("id,left")
    told = home.until(minutes=4)

    assert [(each.outcome, each.reason) for each in told.firings] == [("Fired", "FilesArrived")]
    assert len(home.worked_on) == len(home.runs()) == 1
    look = home.found("arriving").status.look  # type: ignore[union-attr]
    assert look is not None
    assert (look.files, look.unsettled, look.message) == (2, 0, None)


def test_nothing_of_a_look_is_left_and_of_two_commands_one_looks(home: WatchedHome) -> None:
    home.until(seconds=30)
    trigger = home.found("arriving")
    objects = home.resources.objects.of_trigger(trigger.metadata.uid or "")
    assert objects.own("Job") == objects.own("Pod") == objects.own("ConfigMap") == []

    home.now += timedelta(minutes=2)
    home.started_again().look()
    assert len(objects.own("Job")) == 1
    assert not home.watch.looks.are_at_work
