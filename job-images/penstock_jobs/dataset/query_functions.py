"""Which functions a query may call: those that the engine itself calls consistent.

There is no list of good or bad functions: the engine is asked for each name. `EXCEPTIONS` holds the few of which its
word is not enough.
"""

from collections import defaultdict
from dataclasses import dataclass

import duckdb

from penstock_jobs.tables.columns import quote_identifier

CHANGES = (
    "calls {name}(), whose answer changes from one run to the next; the same inputs must give the same rows. Use a "
    "parameter instead: :scheduledTime, the moment for which a Trigger makes a run, or one that you declare in "
    "spec.parameters."
)
COUNTS_TO_TODAY = (
    "calls {name}() with one argument, which counts to today: its answer changes from one run to the next. Name the "
    "day to count to: {name}(:scheduledTime, …), the moment for which a Trigger makes a run, or {name}(:asOf, …) with "
    "a parameter asOf of type Date in spec.parameters."
)
OF_ONE_VERSION = (
    "calls {name}(), whose answer changes from one version of the engine to the next; the same inputs must give the "
    "same rows. For a hash, use md5() or sha256()."
)
OUTSIDE = (
    "reads by {name}(); it may read only the inputs, by their names. Declare what it reads under spec.dataset.inputs."
)
UNKNOWN = "calls {name}(), which the engine (DuckDB) does not have, or keeps for itself."
ROW_ORDER = (
    "calls {name}() without an ORDER BY: its answer follows the order of the rows, which is no part of the inputs. "
    "Write the order into it, as in string_agg(x, ',' ORDER BY day) or OVER (ORDER BY day), or use min() or max()."
)


@dataclass(frozen=True)
class OwnWord:
    """Why the engine's word on a function is not enough, and the sentence that refuses it; None where it is allowed."""

    why: str
    sentence: str | None = CHANGES
    arguments: int | None = None


EXCEPTIONS = {
    "age": OwnWord("consistent to the engine, but with one argument it asks for today", COUNTS_TO_TODAY, 1),
    "current_localtime": OwnWord("consistent to the engine, but it is the clock"),
    "current_localtimestamp": OwnWord("consistent to the engine, but it is the clock"),
    "reservoir_quantile": OwnWord("consistent to the engine, but it takes a sample of the rows"),
    "hash": OwnWord("consistent within one version of the engine only", OF_ONE_VERSION),
    "version": OwnWord("consistent within one version of the engine only", OF_ONE_VERSION),
    "json_serialize_plan": OwnWord("consistent within one version of the engine only", OF_ONE_VERSION),
    "error": OwnWord("volatile, lest it be called ahead of time; but it has no answer, it ends the query", None),
    "unnest": OwnWord("listed with the table functions alone, of which the engine says nothing", None),
}
# The engine says nothing of table functions. These make rows of their arguments, and read nothing.
TABLE_FUNCTIONS = frozenset(["unnest", "range", "generate_series"])
_CALLABLE = frozenset(["scalar", "aggregate", "window", "macro"])
# Of values that are as frequent as others the engine takes the first, or any: three rows may show it, or not.
_TIES = frozenset(["mode"])
_PRIVATE = "__"  # what the engine calls in its own plans begins so


@dataclass(frozen=True)
class Macro:
    """A name that the engine has for an expression."""

    parameters: tuple[str, ...]
    body: str


@dataclass(frozen=True)
class FunctionFacts:
    """What the engine says of the functions of one name: their kinds, how far each is consistent, what macros mean."""

    kinds: frozenset[str]
    stabilities: frozenset[str | None]
    macros: tuple[Macro, ...]

    @property
    def sentence(self) -> str | None:
        """Return the sentence that refuses them, None where the engine calls all of them consistent."""
        if not self.kinds & _CALLABLE:
            return OUTSIDE if self.kinds else UNKNOWN
        return None if self.stabilities <= {"CONSISTENT"} else CHANGES


_NOTHING = FunctionFacts(frozenset(), frozenset(), ())


class Functions:
    """The functions of an engine."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Ask the engine for what it has."""
        self._connection = connection
        self._facts = _read_facts(connection)

    @property
    def names(self) -> tuple[str, ...]:
        """All names that may be called in an expression."""
        return tuple(sorted(name for name, facts in self._facts.items() if facts.kinds & _CALLABLE))

    def facts(self, name: str) -> FunctionFacts:
        """Return what the engine says of the functions of this lower-case name."""
        return self._facts.get(name, _NOTHING)

    def sentence(self, name: str, arguments: int) -> str | None:
        """Return the sentence that refuses a call, None where it is allowed as far as no macro is behind it."""
        own = EXCEPTIONS.get(name)
        if own is not None and own.arguments in (None, arguments):
            return own.sentence
        return UNKNOWN if name.startswith(_PRIVATE) else self.facts(name).sentence

    def follows_row_order(self, name: str, arguments: int) -> bool:
        """Whether an aggregate gives another answer to the same rows in another order, whatever is asked of it."""
        if "aggregate" not in self.facts(name).kinds:
            return False
        if name in _TIES:
            return True
        answers = [self._answers(name, trial) for trial in _TRIALS.get(arguments, ())]
        return min((len(each) for each in answers if each), default=1) > 1

    def _answers(self, name: str, arguments: str) -> set[str]:
        """Return what an aggregate makes of the rows in either order; nothing where it takes no such arguments."""
        call = f"CAST({quote_identifier(name)}({arguments}) AS VARCHAR)"
        try:
            return {
                str(self._connection.execute(f"SELECT {call} FROM (VALUES {rows}) AS trial(x, y)").fetchone())
                for rows in ("(1, 1), (2, 2), (3, 3)", "(3, 3), (2, 2), (1, 1)")
            }
        except duckdb.Error:
            return set()


_TRIALS = {1: ("x",), 2: ("x, y", "x, 1", "x, ','"), 3: ("x, y, 2",)}


def _read_facts(connection: duckdb.DuckDBPyConnection) -> dict[str, FunctionFacts]:
    found = connection.execute(
        "SELECT lower(function_name), function_type, stability, parameters, macro_definition FROM duckdb_functions()"
    ).fetchall()
    kinds: dict[str, set[str]] = defaultdict(set)
    stabilities: dict[str, set[str | None]] = defaultdict(set)
    macros: dict[str, list[Macro]] = defaultdict(list)
    for name, kind, stability, parameters, body in found:
        kinds[name].add(kind)
        if kind == "macro":
            macros[name].append(Macro(tuple(parameters), body))
        elif kind in _CALLABLE:
            stabilities[name].add(stability)
    return {
        name: FunctionFacts(frozenset(kinds[name]), frozenset(stabilities[name]), tuple(macros[name])) for name in kinds
    }
