"""Write the tables of the examples again, from the packages that carry them.

    pip install scikit-learn duckdb palmerpenguins==0.1.6 vega-datasets==0.9.0
    python examples/data/make.py

scikit-learn gives arrays, so its tables get names of columns that SQL likes, and a number for each row that serves as
its key. The other two are copied as they are.
"""

from importlib.resources import files
from pathlib import Path

import duckdb
import pandas as pd
from sklearn import datasets

HERE = Path(__file__).parent


def breast_cancer() -> pd.DataFrame:
    """569 tumours: 30 measures of the nuclei of their cells, and the diagnosis."""
    data = datasets.load_breast_cancer(as_frame=True)
    frame = data.data.rename(columns=lambda name: name.replace(" ", "_"))
    frame["diagnosis"] = data.target.map(dict(enumerate(data.target_names)))
    return numbered(frame, "sample")


def diabetes() -> pd.DataFrame:
    """442 patients, and how far the disease went within a year; as measured, not standardised."""
    frame = datasets.load_diabetes(as_frame=True, scaled=False).frame
    frame = frame.astype({"age": "int64", "sex": "int64", "target": "int64"}).rename(columns={"target": "progression"})
    return numbered(frame, "patient")


def digits() -> pd.DataFrame:
    """1,797 written digits, each of 8 by 8 pixels from 0 to 16."""
    frame = datasets.load_digits(as_frame=True).frame.astype("int64").rename(columns={"target": "digit"})
    return numbered(frame, "image")


def wine() -> pd.DataFrame:
    """178 wines of three cultivars, by chemical analysis."""
    data = datasets.load_wine(as_frame=True)
    frame = data.data.rename(columns={"od280/od315_of_diluted_wines": "od280_od315"})
    frame["cultivar"] = data.target.map(dict(enumerate(data.target_names)))
    return numbered(frame, "bottle")


def numbered(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the frame with a first column that counts its rows from 1."""
    frame.insert(0, name, range(1, len(frame) + 1))
    return frame


def write(frame: pd.DataFrame, name: str) -> None:
    """Write the frame as CSV or as Parquet, as the ending of the name says."""
    duckdb.connect().execute("CREATE TABLE rows AS SELECT * FROM frame").execute(f"COPY rows TO '{HERE / name}'")


def copy(package: str, path: str, name: str) -> None:
    """Copy a file that a package carries."""
    (HERE / name).write_bytes(files(package).joinpath(path).read_bytes())


if __name__ == "__main__":
    write(breast_cancer(), "breast-cancer.parquet")
    write(diabetes(), "diabetes.csv")
    write(digits(), "digits.parquet")
    write(wine(), "wine.csv")
    copy("palmerpenguins", "data/penguins-raw.csv", "penguins.csv")
    copy("vega_datasets", "_data/seattle-weather.csv", "seattle-weather.csv")
