"""Which columns the Models see."""

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.result import Column
from penstock_jobs.contract.specification import TrainingJob
from penstock_jobs.importing import suggest_nearest
from penstock_jobs.tables.columns import sort_columns


def choose_features(job: TrainingJob) -> tuple[Column, ...]:
    """Return the columns that the Models see: those listed, in that order, or all features in the order of their names.

    Raises:
        Refused: A listed column does not exist or is the target, or nothing is left.
    """
    by_name = {column.name: column for column in job.columns}
    for field, names in (("features", job.features), ("exclude", job.exclude)):
        for name in names:
            if name not in by_name:
                raise Refused(
                    f"training.{field} lists {name}, which is no column{suggest_nearest(name, list(by_name))}."
                )
    if job.target.column in job.features:
        raise Refused(f"training.features lists {job.target.column}, which is the target.")
    listed = [by_name[name] for name in dict.fromkeys(job.features)]
    features = sort_columns(column for column in job.columns if column.role == "Feature")
    chosen = tuple(
        column for column in listed or features if column.name not in job.exclude and column.name != job.target.column
    )
    if not chosen:
        raise Refused("No column is left to learn from; look at training.features and training.exclude.")
    return chosen
