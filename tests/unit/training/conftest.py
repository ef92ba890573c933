import numpy as np
import pandas as pd
import pytest
from training_jobs import make_tables

from penstock_jobs.specification import Target


def mixed_frame(rows=240, seed=5):
    random = np.random.default_rng(seed)
    first, second = random.normal(size=rows), random.normal(size=rows)
    colour = random.choice(["red", "green", "blue", None], size=rows)
    chance = 1 / (1 + np.exp(-(2 * first - second + 1.5 * (colour == "red"))))
    return pd.DataFrame(
        {
            "id": range(rows),
            "first": first,
            "second": np.where(random.random(rows) < 0.1, np.nan, second),
            "colour": colour,
            "member": random.choice([True, False], size=rows),
            "since": pd.Series(pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(rows), "D")).dt.strftime(
                "%Y-%m-%dT%H:%M:%SZ"
            ),
            "y": np.where(random.random(rows) < chance, "yes", "no"),
        }
    )


@pytest.fixture(scope="session")
def mixed_tables(tmp_path_factory):
    """Mixed and missing columns, two classes of text."""
    return make_tables(
        tmp_path_factory.mktemp("mixed"),
        mixed_frame(),
        target=Target(column="y", positive="yes"),
        task="Classification",
    )
