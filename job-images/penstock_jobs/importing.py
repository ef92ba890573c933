"""From a dotted path in a manifest to the Python object it names, with a sentence where there is none."""

import difflib
import importlib
import inspect
import sys
from pathlib import Path

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.specification import SourceSpec


def import_object(path: str, what: str) -> object:
    """Return the object under the dotted path, such as `sklearn.linear_model.LogisticRegression`.

    Args:
        path: Module and name, with a dot between.
        what: What the path stands for, to begin the sentence with: `Estimator of algorithm forest`.

    Raises:
        Refused: The module does not exist, fails to import, or has no such name.
    """
    module_name, _, name = path.rpartition(".")
    if not module_name:
        raise Refused(f"{what} is {path}; write its whole dotted path, module and name.")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is not None and (module_name == error.name or module_name.startswith(f"{error.name}.")):
            raise Refused(_no_module(what, path, error.name)) from error
        raise Refused(f"{what} is {path}, whose module {module_name} needs {error.name}: install it.") from error
    except Exception as error:
        raise Refused(f"{what} is {path}, whose module fails to import: {type(error).__name__}: {error}.") from error
    try:
        return getattr(module, name)
    except AttributeError as error:
        raise Refused(
            f"{what} is {path}, but {module_name} has no {name}{suggest_nearest(name, dir(module))}."
        ) from error


def suggest_nearest(name: str, known: list[str]) -> str:
    """Return `; did you mean A or B?` without the question mark, or nothing where no known name is near."""
    folded = {one.lower(): one for one in known if not one.startswith("_")}
    matches = difflib.get_close_matches(name.lower(), folded, n=2)
    return f"; the nearest is {' or '.join(folded[one] for one in matches)}" if matches else ""


def put_on_path(source: SourceSpec | None) -> None:
    """Make the user's own modules importable, ahead of everything that is installed."""
    if source is None:
        return
    if not Path(source.folder).is_dir():
        raise Refused(f"The source folder {source.folder} does not exist.")
    if source.folder not in sys.path:
        sys.path.insert(0, source.folder)
        importlib.invalidate_caches()


def accepts(function: object, parameter: str) -> bool:
    """Return whether the callable takes a parameter of that name."""
    try:
        signature = inspect.signature(function)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False
    return parameter in signature.parameters


def _no_module(what: str, path: str, missing: str) -> str:
    parent, _, last = missing.rpartition(".")
    if parent and parent in sys.modules:
        return f"{what} is {path}, but there is no module {missing}{suggest_nearest(last, dir(sys.modules[parent]))}."
    return f"{what} is {path}, but there is no module {missing}: install it, or give the source folder that holds it."
