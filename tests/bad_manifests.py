"""Bad manifests, one mistake each: what is changed in a good one, and the sentences that refuse it.

The table is `bad_manifests.yaml`: data only, to serve offline and against a real API server. `by` says who can refuse
it: `schema` and `rule` (CEL) are the API server by the CRD, at `kubectl apply`; `server` is the API server for all;
`operator` is what only Penstock's own reading can see; `not yet` is what nothing implements, `laptop` what only a
cluster does.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml

By = Literal["yaml", "schema", "rule", "server", "operator", "not yet", "laptop"]


@dataclass(frozen=True)
class Bad:
    """A good manifest (`of`, a file in tests/unit/api/manifests) in which `old` is replaced, once, by `new`.

    `found` are the lines and sentences with which it is refused: all of them. `server` is what the API server says, a
    sentence a field; where every resource is concerned (`by: server`), what kubectl prints.
    """

    of: str
    old: str
    new: str
    by: By
    found: tuple[tuple[int, str], ...]
    server: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.of}-{' '.join((self.new or 'without ' + self.old).split())[:60]}"


def _read() -> tuple[Bad, ...]:
    table = yaml.safe_load((Path(__file__).parent / "bad_manifests.yaml").read_text("utf-8"))
    return tuple(
        Bad(
            **row
            | {
                "found": tuple((line, sentence) for line, sentence in row["found"]),
                "server": tuple(row.get("server", ())),
            }
        )
        for row in table
    )


BAD = _read()
