"""What happens over the generations: changes, resets, kills, concurrent runs, erasures, leaks planted by hand."""

import itertools
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from msgspec.structs import replace

from penstock_jobs.contract.document import decode, encode
from penstock_jobs.contract.errors import Refused, Unavailable
from penstock_jobs.contract.result import DatasetResult
from penstock_jobs.contract.specification import DatasetJob, Location, SplitSpec
from penstock_jobs.dataset import generate, generation, proof, schema, state, writing
from penstock_jobs.dataset.encoding import identity
from penstock_jobs.dataset.forgetting import forget
from penstock_jobs.storage import Store, open_store
from penstock_jobs.tables import delta
from penstock_jobs.tables.columns import POINT
from penstock_jobs.tables.reading import read_frame
from unit.dataset.dataset_making import Row, digests, job, keys, make_dataset, rows, sides, write_csv, write_parquet


def storage(home: Path) -> Location:
    return Location(uri=(home / "storage").as_uri())


def with_changed_testing(home: Path, first: DatasetResult, **values: object) -> tuple[int, list[Row]]:
    chosen = sorted(sides(home, first)["testing"])[0]
    return chosen, [{**row, **values} if row["id"] == chosen else row for row in rows(150)]


def test_freeze_keeps_the_row_of_a_testing_point_and_counts_the_change(tmp_path: Path) -> None:
    first = make_dataset(tmp_path, rows(150), "a")
    _, table = with_changed_testing(tmp_path, first, amount=999.0)
    second = make_dataset(tmp_path, table, "b")
    assert (second.changed, second.new, second.vanished) == (1, 0, 0)
    assert second.testing.digest == first.testing.digest


def test_refresh_appends_a_revision_that_readers_take_and_the_side_stays(tmp_path: Path) -> None:
    first = make_dataset(tmp_path, rows(150), "a", updates="Refresh")
    chosen, table = with_changed_testing(tmp_path, first, amount=999.0)
    second = make_dataset(tmp_path, table, "b", updates="Refresh")
    frame = read_frame(second.testing, storage(tmp_path), ["id", "amount", "_penstock_revision"]).set_index("id")
    assert second.changed == 1
    assert second.testing.rows == first.testing.rows
    assert list(frame.loc[chosen]) == [999.0, 1]
    assert make_dataset(tmp_path, table, "c", updates="Refresh").changed == 0


def test_vanished_points_stay_in_testing_and_are_counted_and_new_ones_too(tmp_path: Path) -> None:
    first = make_dataset(tmp_path, rows(150), "a")
    second = make_dataset(tmp_path, rows(150, 50), "b")
    testing = sides(tmp_path, first)["testing"]
    assert second.vanished == sum(i < 50 for i in testing)
    assert second.new == second.testing.rows - first.testing.rows > 0


@pytest.mark.parametrize(
    "numbers", [range(150), range(-75, 75), range(0, 150 * 60, 60), range(0, 150 * 10**15, 10**15)]
)
@pytest.mark.parametrize("copies", [0, 3])
def test_duplicates_are_found_however_the_keys_are_numbered(tmp_path: Path, numbers: range, copies: int) -> None:
    table = [{**row, "id": numbers[row["id"]]} for row in rows(150)]

    result = make_dataset(tmp_path, [*table, *table[:copies]], "a")

    assert (result.rows_read, result.duplicates) == (150 + copies, copies)
    assert result.leak_proof.compared_training + result.leak_proof.compared_testing == 150


def test_exact_duplicates_count_once(tmp_path: Path) -> None:
    assert make_dataset(tmp_path, [*rows(150), *rows(10), *rows(5)], "a").duplicates == 15


def test_without_a_key_a_corrected_label_leaves_the_point_where_it_was(tmp_path: Path) -> None:
    plain: list[Row] = [{"word": f"w{i}", "n": i, "amount": i * 0.5} for i in range(120)]
    first = make_dataset(tmp_path, plain, "a", key=())
    second = make_dataset(tmp_path, [{**row, "amount": row["amount"] + 1} for row in plain], "b", key=())
    assert sides(tmp_path, second, "n") == sides(tmp_path, first, "n")
    assert second.changed == first.testing.rows


def test_an_added_column_is_null_in_what_was_kept_before(tmp_path: Path) -> None:
    first = make_dataset(tmp_path, rows(150), "a")
    second = make_dataset(tmp_path, [{**row, "more": row["id"]} for row in rows(150)], "b")
    assert keys(tmp_path, second.testing) == keys(tmp_path, first.testing)
    assert read_frame(second.testing, storage(tmp_path), ["more"])["more"].isna().all()
    assert read_frame(second.training, storage(tmp_path), ["more"])["more"].notna().all()


def test_a_wider_type_of_the_same_kind_changes_nothing(tmp_path: Path) -> None:
    def typed(name: str, kind: str) -> Path:
        path = tmp_path / f"{name}.parquet"
        with duckdb.connect() as connection:
            connection.execute(
                f"COPY (SELECT i::{kind} AS id, i::DOUBLE / 2 AS amount FROM range(120) t(i)) TO '{path}'"
            )
        return path

    narrow = generate(job(tmp_path, typed("narrow", "SMALLINT"), "a"))
    wide = generate(job(tmp_path, typed("wide", "BIGINT"), "b"))
    whole = generate(job(tmp_path, typed("whole", "DOUBLE"), "c"))
    assert digests(narrow) == digests(wide) == digests(whole)


def test_a_reset_is_a_new_draw_and_the_old_set_stays_readable(tmp_path: Path) -> None:
    first = make_dataset(tmp_path, rows(150), "a")
    second = make_dataset(tmp_path, rows(150), "b", reset_testing="2026-11")
    assert (second.epoch, second.generation) == (2, 1)
    assert sides(tmp_path, second)["testing"] != sides(tmp_path, first)["testing"]
    assert keys(tmp_path, first.testing) == sides(tmp_path, first)["testing"]


def test_a_run_started_again_does_not_reset_again_and_later_runs_stay_in_the_epoch(tmp_path: Path) -> None:
    make_dataset(tmp_path, rows(150), "a")
    second = make_dataset(tmp_path, rows(150), "b", reset_testing="2026-11")
    again = make_dataset(tmp_path, rows(150), "b", reset_testing="2026-11")
    later = make_dataset(tmp_path, rows(150), "c")
    assert [r.epoch for r in (second, again, later)] == [2, 2, 2]
    assert digests(second) == digests(again) == digests(later)


def test_a_reset_is_made_once_for_its_word_whoever_asks_for_it_again_and_that_is_said(tmp_path: Path) -> None:
    make_dataset(tmp_path, rows(150), "a")
    first = make_dataset(tmp_path, rows(150), "b", reset_testing="2026-11")
    restored = make_dataset(tmp_path, rows(150), "c", reset_testing="2026-11")
    another = make_dataset(tmp_path, rows(150), "d", reset_testing="2026-12")
    old = make_dataset(tmp_path, rows(150), "e", reset_testing="2026-11")

    assert [each.epoch for each in (first, restored, another, old)] == [2, 2, 3, 3]
    told = [[each.message for each in made.remarks if each.code == "ResetBefore"] for made in (first, restored, old)]
    assert [len(each) for each in told] == [0, 1, 1]
    assert "begun anew for 2026-11 before, as epoch 2" in told[1][0]


def test_the_first_testing_set_is_what_a_reset_asked_for_too(tmp_path: Path) -> None:
    first = make_dataset(tmp_path, rows(150), "a", reset_testing="2026-11")
    again = make_dataset(tmp_path, rows(150), "b", reset_testing="2026-11")
    assert [each.epoch for each in (first, again)] == [1, 1]


def test_a_reset_frees_the_schema(tmp_path: Path) -> None:
    make_dataset(tmp_path, rows(150), "a")
    texts = [{**row, "x": f"t{row['x']}"} for row in rows(150)]
    with pytest.raises(Refused, match="column 'x'"):
        make_dataset(tmp_path, texts, "b")
    fresh = make_dataset(tmp_path, texts, "b", reset_testing="2026-11")
    assert {column.name: column.type for column in fresh.columns}["x"] == "String"


def test_a_testing_set_drawn_by_another_hash_is_refused_until_it_is_begun_anew(tmp_path: Path) -> None:
    make_dataset(tmp_path, rows(150), "a")
    store = open_store(storage(tmp_path))
    kept = decode(store.read(schema.KEY), schema.Schemas, "schemas")
    store.write(schema.KEY, encode(schema.Schemas(epochs={"1": replace(kept.epochs["1"], hashing=1)})))

    with pytest.raises(Refused, match=r"drew its points by another hash.*resetTesting"):
        make_dataset(tmp_path, rows(150), "b")
    with pytest.raises(Refused, match=r"knows points by another hash.*let that version forget them"):
        forget(storage(tmp_path), [{"id": 3}])
    assert make_dataset(tmp_path, rows(150), "c", reset_testing="2026-11").epoch == 2
    assert make_dataset(tmp_path, rows(150), "d").epoch == 2


class Killed(BaseException):
    pass


@pytest.mark.parametrize("commits", [0, 1, 2])
def test_a_run_killed_between_commits_and_started_again_ends_as_if_never_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, commits: int
) -> None:
    for home in ("killed", "whole"):
        make_dataset(tmp_path / home, rows(150), "a")
    grown = rows(200)
    whole = make_dataset(tmp_path / "whole", grown, "b")
    done = itertools.count()
    commit = delta.commit

    def kill_after(*arguments: Any) -> object:
        if next(done) == commits:
            raise Killed
        return commit(*arguments)

    monkeypatch.setattr(delta, "commit", kill_after)
    with pytest.raises(Killed):
        make_dataset(tmp_path / "killed", grown, "b")
    monkeypatch.setattr(delta, "commit", commit)
    again = make_dataset(tmp_path / "killed", grown, "b")
    assert digests(again) == digests(whole)
    assert (again.new, again.generation, again.epoch) == (whole.new, whole.generation, whole.epoch)
    frame = read_frame(again.testing, storage(tmp_path / "killed"), [POINT])
    assert frame[POINT].is_unique


def test_a_commit_on_top_of_a_version_that_is_not_the_last_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_dataset(tmp_path, rows(150), "a")
    read_state = state.read_state

    def overtaken(store: Store, asked: DatasetJob) -> state.GenerationState:
        found = read_state(store, asked)
        if asked.run.uid == "slow":
            monkeypatch.setattr(generation, "lock_datasets", lambda _store: pytest.MonkeyPatch.context())
            make_dataset(tmp_path, rows(200), "fast")
        return found

    monkeypatch.setattr(generation, "read_state", overtaken)
    with pytest.raises(Unavailable, match="meanwhile"):
        make_dataset(tmp_path, rows(200), "slow")
    table = delta.open_table(open_store(storage(tmp_path)).child("datasets/testing/epoch-1"))
    assert table is not None
    files = [f"{tmp_path}/storage/datasets/testing/epoch-1/{name}" for name in delta.file_names(table)]
    with duckdb.connect() as connection:
        [(total, distinct)] = connection.execute(
            f"SELECT count(*), count(DISTINCT {POINT}) FROM read_parquet({files})"
        ).fetchall()
    assert total == distinct


def test_the_testing_table_refuses_to_lose_a_row(tmp_path: Path) -> None:
    make_dataset(tmp_path, rows(150), "a")
    table = delta.open_table(open_store(storage(tmp_path)).child("datasets/testing/epoch-1"))
    assert table is not None
    with pytest.raises(Exception, match="append-only"):
        table.delete("id >= 0")


def test_a_leak_planted_in_the_files_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = make_dataset(tmp_path, rows(150), "a")
    write_sides = writing.write_sides

    def leaking(connection: Any, stores: Any, query: str, scratch: Any) -> object:
        planted = "SELECT *, 'training' AS _penstock_side FROM kept LIMIT 1"
        return write_sides(connection, stores, f"({query}) UNION ALL BY NAME ({planted})", scratch)

    monkeypatch.setattr(writing, "write_sides", leaking)
    with pytest.raises(proof.SplitLeak, match="1 points and 0 groups"):
        make_dataset(tmp_path, rows(150), "b")
    table = delta.open_table(open_store(storage(tmp_path)).child("datasets/training"))
    assert table is not None
    assert table.version() == first.training.version


def test_a_group_planted_on_both_sides_is_found(tmp_path: Path) -> None:
    with duckdb.connect() as connection:
        for name, point in (("one", 1), ("other", 2)):
            select = f"SELECT CAST({point} AS BIGINT) AS _penstock_point, CAST(3 AS BIGINT) AS _penstock_group"
            connection.execute(f"COPY ({select}) TO '{tmp_path}/{name}.parquet'")
        with pytest.raises(proof.SplitLeak, match="0 points and 1 groups"):
            proof.prove(connection, [tmp_path / "one.parquet"], [], [tmp_path / "other.parquet"])


def test_a_forgotten_point_is_in_no_file_of_any_table(tmp_path: Path) -> None:
    make_dataset(tmp_path, rows(150), "a")
    result = make_dataset(tmp_path, rows(160), "b")
    found = sides(tmp_path, result)
    gone = [sorted(found[name])[0] for name in found]
    forgotten = forget(storage(tmp_path), [{"id": str(i)} for i in (*gone, 10**6)])
    assert forgotten.unknown == 1
    assert sum(forgotten.rows.values()) == 3
    points = {identity([i]) for i in gone}
    with duckdb.connect() as connection:
        files = f"{tmp_path}/storage/datasets/**/*.parquet"
        left = connection.execute(
            f"SELECT DISTINCT {POINT} FROM read_parquet('{files}', union_by_name = true)"
        ).fetchall()
    assert not points & {row[0] for row in left}
    after = make_dataset(tmp_path, [row for row in rows(160) if row["id"] not in gone], "c")
    assert sides(tmp_path, after) == {name: ids - set(gone) for name, ids in found.items()}
    with pytest.raises(Refused, match="retention"):
        read_frame(result.training, storage(tmp_path))


def test_a_fixed_cutoff_splits_by_time_with_gaps(tmp_path: Path) -> None:
    split = SplitSpec(testing=0.2, strategy="Time", time_column="day", cutoff="2026-05-01", gap=2 * 86400.0)
    result = make_dataset(tmp_path, rows(150), "a", split=split)
    days = {name: sorted(found) for name, found in sides(tmp_path, result, "day").items()}
    assert (days["testing"][0] - days["validation"][-1]).days >= 3
    assert (days["validation"][0] - days["training"][-1]).days >= 3
    assert days["testing"][0].date() == date(2026, 5, 1)
    assert result.left_out == 150 - sum(t.rows for t in (result.training, result.validation, result.testing)) > 0


def test_csv_json_parquet_and_delta_give_the_same_tables(tmp_path: Path) -> None:
    table = [{**row, "amount": row["id"] + 0.25} for row in rows(150)]
    csv = generate(job(tmp_path / "csv", write_csv(tmp_path / "rows.csv", table)))
    parquet = write_parquet(tmp_path / "rows.parquet", table)
    with duckdb.connect() as connection:
        connection.execute(f"COPY (FROM '{parquet}') TO '{tmp_path}/rows.jsonl' (FORMAT json)")
        from deltalake import write_deltalake

        write_deltalake(str(tmp_path / "delta"), connection.sql(f"FROM '{parquet}'"), partition_by=["label"])
    assert digests(generate(job(tmp_path / "parquet", parquet))) == digests(csv)
    assert digests(generate(job(tmp_path / "json", tmp_path / "rows.jsonl"))) == digests(csv)
    assert digests(generate(job(tmp_path / "of-delta", tmp_path / "delta"))) == digests(csv)
