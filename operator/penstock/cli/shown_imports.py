"""What came of an import, on a laptop and on a cluster alike."""

from collections.abc import Sequence

from penstock.cli.options import Speaking
from penstock.cli.output import rows, show, table
from penstock.decide.commands.import_models import ImportStatus
from penstock_jobs.contract.errors import Refused

_WORDS = {"New": "imported", "There": "there already", "Refused": "not imported"}


def show_imports(settings: Speaking, found: Sequence[ImportStatus], where: str, *, only_look: bool) -> None:
    """Print what was found and what came of it.

    Raises:
        Refused: nothing was found, or some of it was not imported.
    """
    if not found:
        raise Refused(f"There is no Model at {where}, nor beneath it: no manifest.json.")
    words = _WORDS | ({"New": "would be imported"} if only_look else {})
    if settings.output != "table":
        show(settings, [_plain(each, words) for each in found])
    else:
        settings.results.print(
            rows(table("name", "pipeline", "algorithm", "state"), (_row(each, words) for each in found))
        )
    wrong = [each for each in found if each.state == "Refused"]
    for each in wrong:
        settings.notes.print(each.message, markup=False)
    if wrong:
        raise Refused(f"{len(wrong)} of {len(found)} {'was' if len(wrong) == 1 else 'were'} not imported; see above.")


def _row(each: ImportStatus, words: dict[str, str]) -> tuple[object, ...]:
    origin = each.model.spec.origin if each.model else None
    return (
        each.name,
        origin.pipeline_ref.name if origin else "",
        origin.algorithm if origin else "",
        words[each.state],
    )


def _plain(each: ImportStatus, words: dict[str, str]) -> dict[str, object]:
    said: dict[str, object] = {"name": each.name, "uri": each.uri, "state": words[each.state]}
    return said | ({"message": each.message} if each.message else {})
