"""The testing table as it is judged by: the rows, their truth, their units, and where they came from."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.result import ColumnRole
from penstock_jobs.contract.specification import TestingJob
from penstock_jobs.models.answers import Class
from penstock_jobs.tables.columns import GENERATION, GROUP, POINT, REVISION
from penstock_jobs.tables.reading import first_generations, read_frame
from penstock_jobs.testing.comparability import TestingSet, times_of
from penstock_jobs.testing.points import Points, Units, group_units, single_units, time_units


@dataclass(frozen=True)
class TestingTable:
    """The rows of the testing table, sorted by identity, and which split they came from."""

    frame: pd.DataFrame
    origin: TestingSet

    def __len__(self) -> int:
        return len(self.frame)


def read_testing(job: TestingJob) -> TestingTable:
    """Return the testing table at exactly the version that the job names; refuse one without rows."""
    frame = read_frame(job.testing, job.storage)
    if frame.empty:
        raise Refused(f"The testing set {job.testing.uri} has no points, so nothing can be tested.")
    groups = frame[GROUP].tolist() if job.split.group_columns else None
    time = job.split.time_column or next(iter(columns_with_role(job, "Time")), None)
    origin = TestingSet(
        storage=job.storage.uri.rstrip("/"),
        epoch=testing_epoch(job),
        salt=job.split.salt,
        key=columns_with_role(job, "Key"),
        group=job.split.group_columns,
        identity=job.identity,
        points=frame[POINT].tolist(),
        groups=groups,
        generations=_generations(job, frame),
        times=times_of(frame[time]) if time is not None else None,
    )
    return TestingTable(frame, origin)


def _generations(job: TestingJob, frame: pd.DataFrame) -> NDArray[np.int64]:
    """Return at which generation each point entered: a row that came again says when that was."""
    found = frame[GENERATION].to_numpy(dtype=np.int64, copy=True)
    again = np.flatnonzero(frame[REVISION].to_numpy() > 0)
    if len(again):
        points = frame[POINT].iloc[again].tolist()
        first = first_generations(job.testing, job.storage, points)
        found[again] = [first[point] for point in points]
    return found


def points_of(job: TestingJob, frame: pd.DataFrame, classes: tuple[Class, ...], units: Units) -> Points:
    """Return the truth of the rows, with the weight column where there is one."""
    weights = columns_with_role(job, "Weight")
    return Points(
        truth=truth_of(frame[job.target.column], classes),
        unit=units.of_points,
        kind=units.kind,
        classes=classes,
        positive=positive_of(job, classes),
        weight=frame[weights[0]].to_numpy(dtype=np.float64) if weights else None,
    )


def truth_of(target: "pd.Series[Any]", classes: tuple[Class, ...]) -> NDArray[Any]:
    """Return the target as the type of the classes, or as numbers in a regression."""
    return np.asarray(target.tolist()) if classes else target.to_numpy(dtype=np.float64)


def units_of(job: TestingJob, origin: TestingSet) -> Units:
    """Return what the bootstrap resamples: groups, stretches of time, or single points."""
    if job.split.strategy == "Time" and origin.times is not None:
        return time_units(origin.times)
    if origin.groups is not None:
        own = zip(origin.groups, origin.points, strict=True)
        return group_units([point if group is None else group for group, point in own])
    return single_units(len(origin.points))


def positive_of(job: TestingJob, classes: tuple[Class, ...]) -> Class | None:
    """Return the positive of two classes, as `penstock_jobs.scoring` understands the manifest, or None."""
    from penstock_jobs.scoring import positive_index

    place = positive_index(classes, job.target.positive) if classes else None
    return None if place is None else classes[place]


def columns_with_role(job: TestingJob, role: ColumnRole) -> tuple[str, ...]:
    """Return the columns of this role, in their order."""
    return tuple(column.name for column in job.columns if column.role == role)


def testing_epoch(job: TestingJob) -> int:
    """Return the epoch of the testing table, which its address ends with."""
    found = re.search(r"/epoch-(\d+)/?$", job.testing.uri)
    if found is None:
        raise Refused(f"{job.testing.uri} is no testing table: its address does not end with epoch-N.")
    return int(found.group(1))
