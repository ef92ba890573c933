"""What a query may be: a function of the inputs' rows and the parameters, and of nothing else."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.parameters import ParameterValue
from penstock_jobs.contract.result import DatasetResult
from penstock_jobs.contract.specification import SplitSpec
from penstock_jobs.dataset import generate, query_engine
from penstock_jobs.dataset.query import CheckedQuery, check_query
from unit.dataset.dataset_making import digests, job, make_dataset, rows, write_csv, write_parquet


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def refusal(engine: duckdb.DuckDBPyConnection, query: str, *inputs: str) -> str:
    with pytest.raises(Refused) as caught:
        check_query(engine, query, inputs or ("rows",))
    return str(caught.value)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        ("random()", "random()"),
        ("now()", "now()"),
        ("system.main.now()", "now()"),
        ("current_date", "current_date"),
        ("current_date.year()", "current_date"),
        ("CURRENT_TIMESTAMP", "CURRENT_TIMESTAMP"),
        ("localtimestamp", "localtimestamp"),
        ("uuid()", "uuid()"),
        ("TODAY()", "today()"),
        ("get_current_timestamp()", "get_current_timestamp()"),
        ("gen_random_uuid()", "gen_random_uuid()"),
        ("current_localtime()", "current_localtime()"),
        ("ago(INTERVAL 1 DAY)", "ago()"),
        ("nextval('counter')", "nextval()"),
        ("txid_current()", "txid_current()"),
        ("current_setting('threads')", "current_setting()"),
        ("getvariable('x')", "getvariable()"),
        ("current_catalog", "current_catalog"),
        ("pg_sleep(1)", "pg_sleep()"),
        ("date_diff('year', day, today())", "today()"),
        ("reservoir_quantile(x, 0.5)", "reservoir_quantile()"),
        ("list_aggregate([x], 'reservoir_quantile', 0.5)", "reservoir_quantile()"),
        ("hash(id)", "hash()"),
        ("version()", "version()"),
        ("'today'::DATE", "'today'"),
        ("TIMESTAMP 'Now'", "'Now'"),
        ("TRY_CAST('tomorrow' AS TIMESTAMPTZ)", "'tomorrow'"),
    ],
)
def test_a_query_whose_answer_changes_is_refused_by_the_name_of_what_it_calls(
    engine: duckdb.DuckDBPyConnection, call: str, named: str
) -> None:
    sentence = refusal(engine, f"SELECT *, {call} AS r FROM rows")
    assert named in sentence
    assert "changes from one" in sentence


@pytest.mark.parametrize("call", ["age(day)", "day.age()", "rows.day.age()"])
def test_an_age_to_this_day_is_refused_with_the_parameter_to_use_instead(
    engine: duckdb.DuckDBPyConnection, call: str
) -> None:
    sentence = refusal(engine, f"SELECT {call} AS r FROM rows")
    assert "today" in sentence
    assert "age(:scheduledTime, …)" in sentence


def test_an_age_to_a_parameter_is_what_the_refusal_says_to_use(tmp_path: Path) -> None:
    moment = ParameterValue(name="scheduledTime", type="Timestamp", value="2027-01-01T00:00:00Z")
    query = "SELECT *, date_part('month', age(:scheduledTime, day)) AS months FROM rows"
    assert make_dataset(tmp_path, rows(90), query=query, parameters=(moment,)).rows_read == 90


def test_a_text_is_never_a_moment_that_passes(engine: duckdb.DuckDBPyConnection) -> None:
    for text in ("now", "today", "tomorrow", "yesterday", "current_date"):
        for kind in ("DATE", "TIME", "TIMESTAMP", "TIMESTAMPTZ", "TIMETZ"):
            assert engine.execute(f"SELECT TRY_CAST($text AS {kind})", {"text": text}).fetchone() == (None,)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM read_csv('x.csv')",
        "SELECT * FROM 'x.parquet'",
        "SELECT * FROM 'http://host/x.parquet'",
        "SELECT (SELECT max(content) FROM read_text('/etc/passwd')) FROM rows",
        "SELECT * FROM rows JOIN other USING (id)",
        "SELECT * FROM information_schema.tables",
        "SELECT * FROM main.rows",
        "SELECT * FROM duckdb_secrets()",
        "SELECT * FROM query('SELECT 1')",
        "SELECT * FROM histogram('rows', 'x')",
        "SELECT get_block_size('memory') FROM rows",
        "SELECT * FROM (WITH near AS (SELECT 1) SELECT * FROM near), near",
        'SELECT * FROM (WITH "x.csv" AS (SELECT 1) SELECT 1), "x.csv"',
    ],
)
def test_a_query_reads_nothing_but_the_inputs(engine: duckdb.DuckDBPyConnection, query: str) -> None:
    assert "input" in refusal(engine, query)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "DROP TABLE rows",
        "SELECT 1; SELECT 2",
        "COPY rows TO 'x'",
        "SELEKT",
        "ATTACH 'x'",
        "PRAGMA version",
        "SET threads = 9",
        "INSTALL httpfs",
        "DESCRIBE rows",
        "SUMMARIZE rows",
        "PIVOT rows ON label",
        "WITH new AS (INSERT INTO rows VALUES (1) RETURNING *) SELECT * FROM new",
    ],
)
def test_a_query_is_one_select(engine: duckdb.DuckDBPyConnection, query: str) -> None:
    assert "spec.dataset.query" in refusal(engine, query)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("SELECT * FROM rows LIMIT 3", "LIMIT or OFFSET without an ORDER BY"),
        ("SELECT * FROM rows OFFSET 3", "LIMIT or OFFSET without an ORDER BY"),
        ("SELECT DISTINCT ON (who) * FROM rows", "DISTINCT ON without an ORDER BY"),
        ("SELECT row_number() OVER () FROM rows", r"row_number() without an ORDER BY"),
        ("SELECT lag(x) OVER (PARTITION BY who) FROM rows", r"lag() without an ORDER BY"),
        ("SELECT sum(x) OVER (ROWS 3 PRECEDING) FROM rows", r"sum() without an ORDER BY"),
        ("SELECT first(x) FROM rows", "first() without an ORDER BY"),
        ("SELECT any_value(x) FROM rows", "any_value() without an ORDER BY"),
        ("SELECT list(x) FROM rows", "list() without an ORDER BY"),
        ("SELECT string_agg(word, ',') FROM rows", "string_agg() without an ORDER BY"),
        ("SELECT json_group_array(x) FROM rows", "json_group_array() without an ORDER BY"),
        ("SELECT array(SELECT x FROM rows)", "array_agg() without an ORDER BY"),
        ("SELECT * FROM rows POSITIONAL JOIN rows AS again", "position of the rows"),
        ("SELECT * FROM rows TABLESAMPLE 10%", "takes a sample"),
        ("SELECT * FROM rows USING SAMPLE 10 ROWS (reservoir, 4)", "takes a sample"),
    ],
)
def test_a_query_that_follows_the_order_of_the_rows_is_refused(
    engine: duckdb.DuckDBPyConnection, query: str, words: str
) -> None:
    assert words in refusal(engine, query)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM rows ORDER BY id LIMIT 3",
        "SELECT DISTINCT ON (who) * FROM rows ORDER BY id",
        "SELECT row_number() OVER (ORDER BY id) AS n FROM rows",
        "SELECT first(x ORDER BY id), list(x ORDER BY id), mode(x ORDER BY id) FROM rows",
        "SELECT max(x), sum(x), arg_max(x, id) FROM rows",
        "SELECT avg(x) OVER (PARTITION BY who) AS mean FROM rows",
    ],
)
def test_what_says_its_own_order_passes_and_runs_in_the_order_of_the_files(
    engine: duckdb.DuckDBPyConnection, query: str
) -> None:
    assert check_query(engine, query, ("rows",)).follows_row_order


PLAIN = (
    "WITH adults AS (SELECT * FROM people WHERE age > 17) SELECT a.*, b.x FROM adults a JOIN other b USING (id)",
    "SELECT * FROM People",
    "FROM people",
    "WITH a AS (SELECT 1 AS x), b AS (SELECT * FROM a) SELECT * FROM b JOIN people ON true",
    "SELECT \"user\", age, nullif(x, 0), split_part(y, ' ', 1), x::DECIMAL(9, 2), y LIKE 'a%' FROM people",
    "SELECT extract(year FROM born) AS year, born + INTERVAL 3 DAY, age(DATE '2026-01-01', born) FROM people",
    "SELECT list_transform(l, x -> x + 1), [x * 2 FOR x IN l IF x > 1], l[1:2], {'a': x}, MAP {'k': 1} FROM people",
    "SELECT CASE WHEN x THEN y ELSE z END, coalesce(x, y), x IN (1, 2), x BETWEEN 1 AND 2, NOT x, -x FROM people",
    "SELECT * EXCLUDE (x) REPLACE (upper(y) AS y) FROM people WHERE EXISTS (FROM other WHERE other.id = people.id)",
    "SELECT unnest(l), step FROM people, range(3) AS steps(step)",
    "SELECT people.current_date FROM people",
    "SELECT CASE WHEN x < 0 THEN error('a negative x') ELSE x END AS x FROM people UNION ALL BY NAME FROM other",
    "SELECT COLUMNS('a.*'), y COLLATE nocase, md5(y), born AT TIME ZONE 'UTC', try(x) FROM people ORDER BY 1",
    "SELECT * FROM people PIVOT (max(x) FOR y IN ('p', 'q'))",
)


@pytest.mark.parametrize("query", PLAIN)
def test_a_query_over_the_inputs_and_its_own_names_passes(engine: duckdb.DuckDBPyConnection, query: str) -> None:
    aggregates = "max(" in query
    assert check_query(engine, query, ("people", "other")).follows_row_order is aggregates


def test_aggregates_and_windows_are_known_to_combine_rows(engine: duckdb.DuckDBPyConnection) -> None:
    assert check_query(engine, "SELECT id, upper(word) AS w FROM rows", ("rows",)) == CheckedQuery(
        combines_rows=False, follows_row_order=False
    )
    for query in ("SELECT id, avg(x) OVER () AS mean FROM rows", "SELECT wavg(x, y) FROM rows"):
        assert check_query(engine, query, ("rows",)).combines_rows


@pytest.mark.parametrize(
    "query",
    [
        "WITH RECURSIVE more AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM more) SELECT n FROM more",
        "WITH RECURSIVE more(n) USING KEY (n) AS (SELECT 1 UNION SELECT n + 1 FROM more) SELECT n FROM more",
    ],
)
def test_a_query_that_calls_itself_is_refused(engine: duckdb.DuckDBPyConnection, query: str) -> None:
    assert "WITH RECURSIVE" in refusal(engine, query)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT " + "(" * 100_000 + "1" + ")" * 100_000,
        "SELECT * FROM (" * 100_000 + "SELECT 1" + ")" * 100_000,
        "SELECT " + "[" * 900 + "1" + "]" * 900,
        "SELECT " + " + ".join(["1"] * 900),
        "SELECT " + " + ".join(["1"] * 90_000),
        "SELECT " + "NOT " * 90_000 + "true",
    ],
)
def test_a_query_that_is_nested_without_measure_is_refused_in_a_sentence(
    engine: duckdb.DuckDBPyConnection, query: str
) -> None:
    assert "nested too deeply" in refusal(engine, query)


def test_a_long_query_passes(engine: duckdb.DuckDBPyConnection) -> None:
    columns = ", ".join(f"CASE WHEN x > {n} THEN {n} ELSE x + {n} END AS c{n}" for n in range(500))
    assert check_query(engine, f"SELECT {columns} FROM rows", ("rows",)) == CheckedQuery(
        combines_rows=False, follows_row_order=False
    )


@pytest.mark.parametrize("name", ["rowid", "file_row_number", "filename", "file_index"])
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_the_place_of_a_row_in_its_file_is_no_column(tmp_path: Path, ending: str, name: str) -> None:
    write = write_csv if ending == "csv" else write_parquet
    data = write(tmp_path / f"rows.{ending}", rows(90))
    with pytest.raises(Refused, match=rf"query.*fails.*{name}"):
        generate(job(tmp_path, data, query=f"SELECT *, {name} AS n FROM rows"))


def test_the_engine_opens_the_files_of_the_inputs_and_none_beside_them_whatever_the_query(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        query_engine, "check_query", lambda *_: CheckedQuery(combines_rows=False, follows_row_order=False)
    )
    data = write_csv(tmp_path / "input/rows.csv", rows(90))
    secret = write_csv(data.with_name("secret.csv"), rows(3))
    assert generate(job(tmp_path, data, query=f"SELECT * FROM '{data}'")).rows_read == 90
    with pytest.raises(Refused, match=r"query.*fails.*secret\.csv"):
        generate(job(tmp_path / "again", data, query=f"SELECT * FROM '{secret}'"))


def sums_of(home: Path, data: Path, threads: int) -> DatasetResult:
    query = "SELECT who, avg(x) AS mean, sum(x) AS amount FROM rows GROUP BY who"
    return generate(job(home / str(threads), data, query=query, key=("who",), threads=threads))


def test_sums_of_floats_are_equal_to_the_last_digit_whatever_the_number_of_threads(tmp_path: Path) -> None:
    data = tmp_path / "numbers.parquet"
    with duckdb.connect() as connection:
        numbers = (
            "SELECT i % 97 AS who, (1 - 2 * (i % 2)) * pow(10, i * 7 % 17) + i / 7 AS x FROM range(1000000) AS r(i)"
        )
        connection.execute(f"COPY ({numbers}) TO '{data}'")
    assert digests(sums_of(tmp_path, data, 1)) == digests(sums_of(tmp_path, data, 4))


KEYS_FROM_WINDOWS = (
    "SELECT * REPLACE (row_number() OVER (ORDER BY day) AS id) FROM rows",
    "SELECT * EXCLUDE (id), row_number() OVER (ORDER BY day) AS id FROM rows",
    "SELECT * EXCLUDE (id), 'n-' || rank() OVER (ORDER BY id) AS ID FROM rows",
    "SELECT * EXCLUDE (id), n + 1 AS id FROM (SELECT *, lag(id) OVER (ORDER BY id) AS n FROM rows)",
    "WITH numbered AS (SELECT x, ntile(90) OVER (ORDER BY id) AS n FROM rows) SELECT x, n AS id FROM numbered",
    "WITH numbered(n, x) AS (SELECT row_number() OVER (ORDER BY id), x FROM rows) SELECT n AS id, x FROM numbered",
    "SELECT n.id, n.x FROM (SELECT row_number() OVER (ORDER BY id), x FROM rows) AS n(id, x)",
    "SELECT id, x FROM rows UNION ALL SELECT row_number() OVER (ORDER BY id), x FROM rows",
    "SELECT dense_rank() OVER (ORDER BY x) AS n, n AS id FROM rows",
    "SELECT * RENAME (n AS id) FROM (SELECT x, row_number() OVER (ORDER BY id) AS n FROM rows)",
)


@pytest.mark.parametrize("query", KEYS_FROM_WINDOWS)
def test_a_key_that_comes_from_a_window_is_refused(tmp_path: Path, query: str) -> None:
    with pytest.raises(Refused, match=r"The column 'id' \(spec\.dataset\.key\) comes from \w+\(\)"):
        make_dataset(tmp_path, rows(90), query=query)


def test_a_group_that_comes_from_a_window_is_refused(tmp_path: Path) -> None:
    split = SplitSpec(testing=0.3, strategy="Group", group_columns=("g",))
    query = "SELECT *, ntile(9) OVER (ORDER BY day, id) AS g FROM rows"
    with pytest.raises(Refused, match=r"'g' \(spec\.dataset\.split\.group\.columns\) comes from ntile\(\)"):
        make_dataset(tmp_path, rows(90), query=query, split=split)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT *, row_number() OVER (ORDER BY id) AS n FROM rows",
        "SELECT * FROM rows QUALIFY row_number() OVER (PARTITION BY id ORDER BY day) = 1",
        "SELECT r.* FROM rows r JOIN (SELECT id, rank() OVER (ORDER BY x) AS place FROM rows) USING (id)",
        "SELECT * EXCLUDE (id), id FROM (SELECT *, row_number() OVER (ORDER BY id) AS n FROM rows)",
        "WITH rows AS (SELECT * FROM rows) SELECT * FROM rows",
    ],
)
def test_windows_beside_the_key_are_none_of_its_business(tmp_path: Path, query: str) -> None:
    assert make_dataset(tmp_path, rows(90), query=query).rows_read == 90
