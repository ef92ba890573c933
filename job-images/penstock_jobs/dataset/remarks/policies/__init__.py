"""One file a kind of remark: pure functions of the facts, each with the remark or None."""

from collections.abc import Callable

from penstock_jobs.contract.result import Remark
from penstock_jobs.dataset.remarks.facts import ColumnFacts, TableFacts
from penstock_jobs.dataset.remarks.policies.empty_columns import column_without_values, columns_without_variety
from penstock_jobs.dataset.remarks.policies.infinite_values import infinite_values
from penstock_jobs.dataset.remarks.policies.key_as_feature import key_is_no_feature
from penstock_jobs.dataset.remarks.policies.near_duplicates import near_duplicates
from penstock_jobs.dataset.remarks.policies.rare_class import rare_class
from penstock_jobs.dataset.remarks.policies.row_numbers import index_left_out, row_numbers, unnamed_column
from penstock_jobs.dataset.remarks.policies.telling_features import feature_tells_target
from penstock_jobs.dataset.remarks.policies.texts import dates_as_text, many_texts, numbers_as_text

ColumnPolicy = Callable[[ColumnFacts, TableFacts], Remark | None]
TablePolicy = Callable[[TableFacts], Remark | None]

# In the order in which people read them: what most likely spoils the Model comes first.
COLUMN_POLICIES: tuple[ColumnPolicy, ...] = (
    feature_tells_target,
    numbers_as_text,
    dates_as_text,
    infinite_values,
    row_numbers,
    unnamed_column,
    key_is_no_feature,
    many_texts,
)
TABLE_POLICIES: tuple[TablePolicy, ...] = (
    near_duplicates,
    index_left_out,
    rare_class,
    column_without_values,
    columns_without_variety,
)
