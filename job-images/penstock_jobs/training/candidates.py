"""The candidates that a search consists of, made one at a time from its rules.

A candidate's identity is a function of its algorithm and hyper-parameters and of nothing else, and its seed is a
function of that identity and of the search's seed: adding a value to the grid moves no other candidate's score.
"""

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.specification import AlgorithmSpec, ParameterSpec, SearchSpec

_DRAWS_PER_SAMPLE = 50


@dataclass(frozen=True)
class Candidate:
    """One algorithm with one combination of hyper-parameters.

    Attributes:
        index: Its position in the search, which breaks ties.
        algorithm: The name of the algorithm.
        parameters: Name and value of each hyper-parameter, in the order of the manifest.
        search_seed: The search's seed.
    """

    index: int
    algorithm: str
    estimator: str
    parameters: tuple[tuple[str, Any], ...]
    search_seed: int = 0

    @cached_property
    def identity(self) -> str:
        """24 hexadecimal digits: 96 bits of SHA-256 of algorithm, estimator and sorted hyper-parameters."""
        return _digest(self.algorithm, self.estimator, *sorted(self.parameters)).hex()[:24]

    @property
    def seed(self) -> int:
        """The seed of everything random about it, in [0, 2³¹): a function of itself and of the search's seed."""
        own = _digest(self.search_seed, self.identity) if self.search_seed else bytes.fromhex(self.identity)
        return int.from_bytes(own[:4]) % 2**31


def candidates(search: SearchSpec, algorithms: tuple[AlgorithmSpec, ...]) -> Iterator[Candidate]:
    """Yield the candidates of the search in order, equal combinations once."""
    seen: set[str] = set()
    for candidate in (
        _random_candidates(search, algorithms) if search.strategy == "Random" else _grid_candidates(algorithms)
    ):
        if candidate.identity not in seen:
            seen.add(candidate.identity)
            yield replace(candidate, index=len(seen) - 1, search_seed=search.seed)
        if search.strategy == "Random" and len(seen) == search.samples:
            return


def check_search(search: SearchSpec, algorithms: tuple[AlgorithmSpec, ...]) -> None:
    """Refuse a search whose rules contradict each other, with the sentence that says where."""
    names = [algorithm.name for algorithm in algorithms]
    for name in names:
        if names.count(name) > 1:
            raise Refused(f"Two algorithms are called {name}; give each its own name.")
    if search.strategy == "Random" and search.samples is None:
        raise Refused("A Random search needs search.samples, the number of candidates to draw.")
    for algorithm in algorithms:
        for parameter in algorithm.parameters:
            _check_parameter(parameter, algorithm, search)


def grid_size(algorithm: AlgorithmSpec) -> int:
    """Return the number of combinations of an algorithm's listed values, equal ones counted each time."""
    return math.prod(len(_values(parameter)) for parameter in algorithm.parameters)


def combination(algorithm: AlgorithmSpec, index: int) -> tuple[tuple[str, Any], ...]:
    """Return the combination at that position, in [0, grid_size): the last hyper-parameter turns fastest."""
    chosen = []
    for parameter in reversed(algorithm.parameters):
        values = _values(parameter)
        index, position = divmod(index, len(values))
        chosen.append((parameter.name, values[position]))
    return tuple(reversed(chosen))


def is_range(parameter: ParameterSpec) -> bool:
    """Return whether the hyper-parameter is drawn from a range."""
    return parameter.low is not None or parameter.high is not None


def _values(parameter: ParameterSpec) -> tuple[Any, ...]:
    return parameter.values or (parameter.value,)


def _grid_candidates(algorithms: tuple[AlgorithmSpec, ...]) -> Iterator[Candidate]:
    for algorithm in algorithms:
        for index in range(grid_size(algorithm)):
            yield Candidate(0, algorithm.name, algorithm.estimator, combination(algorithm, index))


def _random_candidates(search: SearchSpec, algorithms: tuple[AlgorithmSpec, ...]) -> Iterator[Candidate]:
    """Yield draws, each a function of the search's seed and its own number; the whole grid where that is no more."""
    samples = search.samples or 0
    finite = not any(is_range(parameter) for algorithm in algorithms for parameter in algorithm.parameters)
    if finite and sum(grid_size(algorithm) for algorithm in algorithms) <= samples:
        yield from _grid_candidates(algorithms)
        return
    for number in range(samples * _DRAWS_PER_SAMPLE):
        algorithm = algorithms[int(_uniform(search.seed, number, "algorithm") * len(algorithms))]
        parameters = tuple(
            (parameter.name, _draw(parameter, _uniform(search.seed, number, "parameter", parameter.name)))
            for parameter in algorithm.parameters
        )
        yield Candidate(0, algorithm.name, algorithm.estimator, parameters)


def _draw(parameter: ParameterSpec, uniform: float) -> Any:
    """Return the value at that share of the hyper-parameter's values, or of its range: [low, high)."""
    if not is_range(parameter):
        values = _values(parameter)
        return values[int(uniform * len(values))]
    low, high = float(parameter.low or 0.0), float(parameter.high or 0.0)
    if parameter.integer:
        high += 1  # both ends are in a range of integers
    if parameter.log:
        value = math.exp(math.log(low) + uniform * (math.log(high) - math.log(low)))
    else:
        value = low + uniform * (high - low)
    return min(math.floor(value), int(high) - 1) if parameter.integer else value


def _check_parameter(parameter: ParameterSpec, algorithm: AlgorithmSpec, search: SearchSpec) -> None:
    where = f"Hyper-parameter {parameter.name} of algorithm {algorithm.name}"
    if [one.name for one in algorithm.parameters].count(parameter.name) > 1:
        raise Refused(f"{where} is given twice.")
    if not is_range(parameter):
        return
    if parameter.values or parameter.value is not None:
        raise Refused(f"{where} has both values and a range; keep one of them.")
    if search.strategy == "Grid":
        raise Refused(f"{where} has a range, and a Grid search needs values; list them, or search at Random.")
    if parameter.low is None or parameter.high is None or not parameter.low < parameter.high:
        raise Refused(f"{where} has a range from {parameter.low} to {parameter.high}; low must be below high.")
    if parameter.log and parameter.low <= 0:
        raise Refused(f"{where} has a logarithmic range from {parameter.low:g}; it must begin above 0.")


def _uniform(*parts: Any) -> float:
    """Return a number in [0, 1) that is a function of the parts: 53 bits of SHA-256."""
    return (int.from_bytes(_digest(*parts)[:8]) >> 11) / 2**53


def _digest(*parts: Any) -> bytes:
    return hashlib.sha256(canonical_text(parts).encode()).digest()


def canonical_text(value: Any) -> str:
    """Return a text that two values share only if they are equal and of one type: 1, 1.0, True and "1" all differ."""
    if isinstance(value, dict):
        items = sorted((canonical_text(key), canonical_text(item)) for key, item in value.items())
        return "{" + ",".join(f"{key}:{item}" for key, item in items) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(canonical_text(item) for item in value) + "]"
    return f"{type(value).__name__} {value!r}"
