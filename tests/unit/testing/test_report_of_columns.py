"""The report tells of each column what it holds and what it is used for, and all that was remarked about the data."""

from pathlib import Path

import msgspec
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from penstock_jobs.contract.column_statistics import ColumnStatistics, TableStatistics
from penstock_jobs.contract.document import encode
from penstock_jobs.contract.result import DatasetResult, Remark
from penstock_jobs.testing import test as run_testing
from unit.decide_run.examples_of_runs import dataset_result
from unit.testing.laboratory import Laboratory

FEATURES = ("mean radius", "mean texture")


@pytest.fixture(scope="module")
def cancer(tmp_path_factory: pytest.TempPathFactory) -> Laboratory:
    data = load_breast_cancer(as_frame=True).frame
    data = data[[*FEATURES, "target"]].assign(id=range(len(data)))
    return Laboratory(tmp_path_factory.mktemp("cancer"), data, "target")


def report(cancer: Laboratory, made: DatasetResult) -> str:
    model = cancer.model("new", StandardScaler(), LogisticRegression())
    found = run_testing(cancer.job((model,), ("roc_auc",), dataset_result=made)).report
    return Path(found.removeprefix("file://")).read_text()


def test_the_report_has_the_remarks_and_each_column_with_what_it_is_used_for(
    cancer: Laboratory, tmp_path: Path
) -> None:
    statistics = TableStatistics(
        rows=400,
        sampled=400,
        columns=(
            ColumnStatistics(name="id", type="Integer", role="Key", nulls=0, distinct=400, least="1", greatest="400"),
            ColumnStatistics(
                name=FEATURES[0], type="Float", role="Feature", nulls=8, distinct=311, least="0.5", greatest="7"
            ),
            ColumnStatistics(name="<i>", type="Float", role="Feature", nulls=0, distinct=3, estimated=True),
        ),
        left_out=("__index_level_0__",),
    )
    (tmp_path / "columns.json").write_bytes(encode(statistics))
    remark = Remark(code="Constant", column="year", message="The column 'year' is <b>constant</b>.")
    made = msgspec.structs.replace(dataset_result(), remarks=(remark,), statistics=f"{tmp_path.as_uri()}/columns.json")

    page = report(cancer, made)

    assert "is &lt;b&gt;constant&lt;/b&gt;." in page
    assert "<td>identifies a point</td>" in page
    assert (
        '<td class="number">8 (2.0 %)</td><td class="number">311</td><td>0.5 to 7</td><td>feature: a number</td>'
        in page
    )
    assert (
        '<td>&lt;i&gt;</td><td>Float</td><td>Feature</td><td class="number">0</td><td class="number">about 3</td>'
        in page
    )
    assert "left out of the features" in page
    assert "<td>__index_level_0__</td>" in page


def test_the_report_does_without_the_table_of_columns_where_its_file_is_gone(
    cancer: Laboratory, tmp_path: Path
) -> None:
    made = msgspec.structs.replace(dataset_result(), statistics=f"{tmp_path.as_uri()}/gone/columns.json")

    assert 'id="columns"' not in report(cancer, made)
