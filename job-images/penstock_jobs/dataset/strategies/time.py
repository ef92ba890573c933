"""`Time`: training < gap < validation < gap < testing, by a fixed `cutoff` or by a `window` before the latest time.

Testing holds the points from its start on. Those within `gap` seconds before it are left out; the rest is training, of
which the latest `holdout` share becomes validation, again after a gap. When the start advances, older testing points
are retired: they stay in the testing table, and no Model is tested on them any more. With `retired: Train` their rows
in the input are then split as all others are, by their time, except that they never go to testing again; with `Leave`
nobody uses them. A retired point whose time is not what it was is left out: what a Model may have seen is told by time
alone (`penstock_jobs.testing.comparability`), so that both tables have to agree on it.
"""

from datetime import UTC, datetime

from penstock_jobs.contract.errors import Refused
from penstock_jobs.dataset.canonical import CANONICAL, first_row
from penstock_jobs.dataset.points import KEPT, KEPT_POINTS, POINTS, STORED
from penstock_jobs.dataset.strategies.setting import SideRule, SplitContext, holdout_share, require_field
from penstock_jobs.tables.columns import POINT, RETIRED, quote_identifier, quote_literal

_UNRETIRED = "unretired"
_BARRED = "barred"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = 1_000_000


def prepare(setting: SplitContext) -> SideRule:
    """Find the borders, and return the side by the time of the point."""
    name = require_field(setting.job.split.time_column, "time.column", "Time")
    _check_column(setting, name)
    start = _start(setting, _moment(name))
    gap = round(setting.job.split.gap * _SECOND)
    moment, kept_moment, before = _moment(name), _moment(name, "kept."), start - gap
    retire = f"{kept_moment} < {start}"
    sides, set_apart = [], KEPT_POINTS
    if setting.job.split.retired == "Train":
        _release_retired(setting, name, retire, start)
        sides.append(f"WHEN {POINT} IN (SELECT {POINT} FROM {_BARRED}) THEN 'left out'")
        set_apart = _UNRETIRED
    sides.append(f"WHEN {moment} >= {start} THEN 'testing'")
    sides.append(f"WHEN {moment} >= {before} THEN 'left out'")
    validation = _validation_start(setting, moment, before, set_apart)
    if validation is not None:
        sides.append(f"WHEN {moment} >= {validation} THEN 'validation'")
        sides.append(f"WHEN {moment} >= {validation - gap} THEN 'left out'")
    return SideRule(f"CASE {' '.join(sides)} ELSE 'training' END", retire, set_apart)


def _moment(name: str, table: str = "") -> str:
    """Return the SQL of a point's time in microseconds."""
    return f"epoch_us(CAST({table}{quote_identifier(name)} AS TIMESTAMP WITH TIME ZONE))"


def _release_retired(setting: SplitContext, name: str, retire: str, start: int) -> None:
    """Make `unretired`, the testing points that stay, and `barred`, the retired ones that go to no table.

    Every revision counts, since an older version of the testing table may be tested on by a newer Model. One retired by
    a border that has been taken back since could be within testing again: it is barred as well.
    """
    setting.connection.execute(
        f"CREATE TEMP TABLE {_UNRETIRED} AS SELECT {POINT} FROM {KEPT} AS kept WHERE NOT (kept.{RETIRED} OR {retire})"
    )
    moment, kept_moment = _moment(name, "points."), _moment(name, "kept.")
    setting.connection.execute(
        f"CREATE TEMP TABLE {_BARRED} AS SELECT DISTINCT {POINT} FROM {STORED} AS kept "
        f"JOIN {POINTS} AS points USING ({POINT}) ANTI JOIN {_UNRETIRED} USING ({POINT}) "
        f"WHERE {moment} <> {kept_moment} OR {kept_moment} >= {start}"
    )


def _check_column(setting: SplitContext, name: str) -> None:
    column = next(column for column in setting.columns if column.name == name)
    if column.type not in ("Timestamp", "Date"):
        raise Refused(
            f"The column '{name}' (spec.dataset.split.time.column) is {column.type}, neither a Timestamp nor a Date; "
            "give "
            "it a type in the input, or cast it in the query."
        )
    row = setting.connection.execute(f"SELECT count(*) - count({quote_identifier(name)}) FROM {CANONICAL}").fetchone()
    missing = int(row[0]) if row else 0
    if missing:
        first = first_row(setting.connection, f"{quote_identifier(name)} IS NULL")
        raise Refused(
            f"The column '{name}' (spec.dataset.split.time.column) is missing in {missing} rows, first in row {first}; "
            "every point needs its time."
        )


def _start(setting: SplitContext, moment: str) -> int:
    """Return the first microsecond of testing."""
    split = setting.job.split
    if (split.cutoff is None) == (split.window is None):
        raise Refused(
            "The strategy Time needs either spec.dataset.split.time.cutoff or spec.dataset.split.time.window."
        )
    if split.cutoff is not None:
        return _microseconds(split.cutoff)
    latest = f"SELECT max({moment}) FROM (SELECT * EXCLUDE ({POINT}) FROM {POINTS})"
    found = [setting.connection.execute(query).fetchone() for query in (latest, f"SELECT max({moment}) FROM {KEPT}")]
    last = max(int(row[0]) for row in found if row and row[0] is not None)
    return last - round((split.window or 0) * _SECOND) + 1


def _validation_start(setting: SplitContext, moment: str, before: int, set_apart: str) -> int | None:
    """Return the first microsecond of validation: the latest `holdout` share of training, by time; None for folds."""
    share = holdout_share(setting)
    if not share:
        return None
    row = setting.connection.execute(
        f"SELECT quantile_disc({moment}, {quote_literal(repr(1 - share))}::DOUBLE) FROM {POINTS} "
        f"ANTI JOIN {set_apart} USING ({POINT}) WHERE {moment} < {before}"
    ).fetchone()
    return None if row is None or row[0] is None else int(row[0])


def _microseconds(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Refused(
            f"'{text}' (spec.dataset.split.time.cutoff) is no date or time as ISO 8601 writes it, such as 2026-01-31."
        ) from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    since = moment - _EPOCH
    return (since.days * 86400 + since.seconds) * _SECOND + since.microseconds
