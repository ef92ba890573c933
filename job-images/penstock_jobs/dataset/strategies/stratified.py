"""`Stratified`: each class has its share of testing, filled in order of the points' draws.

Points already placed stay where the last generation put them; only points never placed before fill what their class's
quota (the share of all its points, rounded) still lacks. So the split depends on the history of generations, and a
raised share is met by new points only. Validation, which is made anew each time, takes its share of each class of the
rest.
"""

from fractions import Fraction

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.result import Remark
from penstock_jobs.dataset.expressions import draw_expression
from penstock_jobs.dataset.points import KEPT, KEPT_POINTS, POINTS
from penstock_jobs.dataset.strategies.setting import SideRule, SplitContext, holdout_share
from penstock_jobs.tables.columns import FOLD, POINT, quote_identifier

_HISTORY = Remark(
    code="DependsOnHistory",
    message="The split is Stratified: it depends on the history of generations, so the same rows in another order of "
    "generations may be split otherwise. Key and Group do not.",
)


def prepare(setting: SplitContext) -> SideRule:
    """Fill each class's quota, and return the side by what was chosen."""
    connection, split = setting.connection, setting.job.split
    target = next(column for column in setting.columns if column.role == "Target")
    if target.type == "Float" or setting.job.task == "Regression":
        raise Refused("The strategy Stratified needs classes, and the target is a number; use Key, Group or Time.")
    setting.place_training()
    name = quote_identifier(target.name)
    drawn = draw_expression("testing", split.salt, setting.epoch, POINT)
    kept = dict(connection.execute(f"SELECT {name}, count(*) FROM {KEPT} GROUP BY 1").fetchall())
    others = f"SELECT {name}, count(*) FROM {POINTS} ANTI JOIN {KEPT_POINTS} USING ({POINT}) GROUP BY 1"
    totals = {value: count + kept.get(value, 0) for value, count in connection.execute(others).fetchall()}
    lacking = {value: max(0, quota(split.testing, total) - kept.get(value, 0)) for value, total in totals.items()}
    fresh = (
        f"SELECT {POINT}, {name} AS class, {drawn} AS drawn FROM {POINTS} ANTI JOIN {KEPT_POINTS} USING ({POINT}) "
        f"ANTI JOIN placed USING ({POINT})"
    )
    _choose(setting, "chosen_testing", fresh, lacking)
    rest = (
        f"SELECT {POINT}, {name} AS class, {FOLD} AS drawn FROM {POINTS} ANTI JOIN {KEPT_POINTS} USING ({POINT}) "
        f"ANTI JOIN chosen_testing USING ({POINT})"
    )
    counts = dict(connection.execute(f"SELECT class, count(*) FROM ({rest}) GROUP BY 1").fetchall())
    _choose(
        setting, "chosen_validation", rest, {c: quota(holdout_share(setting), count) for c, count in counts.items()}
    )
    return SideRule(
        f"CASE WHEN {POINT} IN (SELECT {POINT} FROM chosen_testing) THEN 'testing' "
        f"WHEN {POINT} IN (SELECT {POINT} FROM chosen_validation) THEN 'validation' ELSE 'training' END",
        remarks=(_HISTORY, *_remarks_on_quotas(setting, lacking)),
    )


def _choose(setting: SplitContext, table: str, candidates: str, wanted: dict[object, int]) -> None:
    """Make the table of the first `wanted` candidates of each class in order of their draw."""
    connection = setting.connection
    connection.execute(
        f"CREATE TEMP TABLE {table}_quota AS SELECT class, 0::BIGINT AS quota FROM ({candidates}) LIMIT 0"
    )
    for value, most in wanted.items():
        connection.execute(f"INSERT INTO {table}_quota VALUES (?, ?)", [value, most])
    connection.execute(
        f"CREATE TEMP TABLE {table} AS SELECT {POINT}, class FROM (SELECT {POINT}, class, "
        f"row_number() OVER (PARTITION BY class ORDER BY drawn, {POINT}) AS place FROM ({candidates})) "
        f"JOIN {table}_quota USING (class) WHERE place <= quota"
    )


def _remarks_on_quotas(setting: SplitContext, lacking: dict[object, int]) -> list[Remark]:
    chosen = dict(setting.connection.execute("SELECT class, count(*) FROM chosen_testing GROUP BY 1").fetchall())
    short = {value: wanted - chosen.get(value, 0) for value, wanted in lacking.items()}
    return [
        Remark(
            code="ShortOfShare",
            message=f"The testing set is {missing} points of class '{value}' short of its share: only points never "
            "placed before may be added. A reset (resetTesting) would draw it anew.",
        )
        for value, missing in sorted(short.items(), key=lambda item: str(item[0]))
        if missing
    ]


def quota(share: float, total: int) -> int:
    """Return how many of a class's points the share is."""
    return int(Fraction(repr(float(share))) * total + Fraction(1, 2))
