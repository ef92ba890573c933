"""The proof that nothing leaked: the files, as read back, joined."""

from collections.abc import Sequence
from pathlib import Path

import duckdb

from penstock_jobs.contract.errors import JobError
from penstock_jobs.contract.result import LeakProof
from penstock_jobs.tables.columns import GROUP, POINT, RETIRED
from penstock_jobs.tables.engine import explain_duckdb_errors, fetch_number, parquet_relation


class SplitLeak(JobError):
    """The files hold a point, or a group, on both sides: a bug or a hand in the storage. Nothing was committed."""


def prove(
    connection: duckdb.DuckDBPyConnection,
    training: Sequence[Path],
    validation: Sequence[Path],
    testing: Sequence[Path],
    retired_may_train: bool = False,
) -> LeakProof:
    """Join training and validation with testing by point and by group, from their files; raise where they meet.

    Args:
        connection: the engine.
        training: the files of the training table.
        validation: the files of the validation table.
        testing: the files of the testing table.
        retired_may_train: whether training is compared with those testing points only that are not retired.
    """
    with explain_duckdb_errors("The tables' files"):
        connection.execute(f"CREATE OR REPLACE TEMP VIEW one_side AS {_identities_query([*training, *validation])}")
        connection.execute(f"CREATE OR REPLACE TEMP VIEW retired AS {_retired_query(testing, retired_may_train)}")
        connection.execute(
            f"CREATE OR REPLACE TEMP VIEW other_side AS "
            f"SELECT * FROM ({_identities_query(testing)}) ANTI JOIN retired USING ({POINT})"
        )
        points = fetch_number(connection, f"SELECT count(*) FROM one_side SEMI JOIN other_side USING ({POINT})")
        groups = fetch_number(
            connection,
            f"SELECT count(*) FROM (SELECT DISTINCT {GROUP} FROM one_side WHERE {GROUP} IS NOT NULL) "
            f"SEMI JOIN other_side USING ({GROUP})",
        )
        connection.execute(f"CREATE OR REPLACE TEMP VIEW validated AS {_identities_query(validation)}")
        connection.execute(f"CREATE OR REPLACE TEMP VIEW trained AS {_identities_query(training)}")
        twice = fetch_number(connection, f"SELECT count(*) FROM trained SEMI JOIN validated USING ({POINT})")
        compared = [fetch_number(connection, f"SELECT count(*) FROM {side}") for side in ("one_side", "other_side")]
        used_again = fetch_number(connection, f"SELECT count(*) FROM one_side SEMI JOIN retired USING ({POINT})")
    if points or groups or twice:
        raise SplitLeak(
            f"The files of the tables have {points} points and {groups} groups both in testing and in training or "
            f"validation, and {twice} points both in training and in validation. Nothing was committed."
        )
    return LeakProof(
        points_in_common=points,
        groups_in_common=groups,
        compared_training=compared[0],
        compared_testing=compared[1],
        retired_in_training=used_again,
    )


def _identities_query(files: Sequence[Path]) -> str:
    if not files:
        return f"SELECT CAST(NULL AS BIGINT) AS {POINT}, CAST(NULL AS BIGINT) AS {GROUP} LIMIT 0"
    return f"SELECT {POINT}, {GROUP} FROM {parquet_relation(files)}"


def _retired_query(testing: Sequence[Path], retired_may_train: bool) -> str:
    """Return the query of the testing points that may be on both sides, since no Model is tested on them any more."""
    if not retired_may_train or not testing:
        return f"SELECT CAST(NULL AS BIGINT) AS {POINT} LIMIT 0"
    return f"SELECT DISTINCT {POINT} FROM {parquet_relation(testing)} WHERE {RETIRED}"
