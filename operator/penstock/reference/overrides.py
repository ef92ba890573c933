"""The page of overrides: each field of a Pipeline that a run may change, and by whose right."""

from collections.abc import Iterator

from penstock.api.field_tree import FieldNode, field_tree, find_field, find_kind, walk
from penstock.api.override_rights import Right, right_of_leaf
from penstock.reference.markdown import code, page, prose, table


def overrides_page() -> str:
    """Return the page."""
    leaves = [node for node in walk(find_field(field_tree(find_kind("Pipeline")), "spec")) if not node.fields]
    return page(
        "Overrides",
        "What `spec.overrides` of a run, or `spec.run.overrides` of a Trigger, may change of the Pipeline, and by "
        "whose right. Nothing else can be changed: not a field that is new, before it is listed here. "
        "[How to override](../how-to/change-one-run.md).",
        "In a path `[]` is the name of the item, as in `dataset.inputs.customers.format`, and one of the jobs dataset, "
        "training and testing; a list whose items have no name is given as a whole. An object, an item or a list is "
        "changed as a whole by the strictest right of the fields beneath it: `training.validation` by whoever may make "
        "runs, `training.algorithms.forest` by who may update the Pipeline, `jobs.training` by no run.",
        "## By whoever may make a run",
        "The values of hyper-parameters are among them, but for that of `module`, which names a network of one's own: "
        "it is for who may update the Pipeline.",
        _table(leaves, "Run"),
        "## By who may update the Pipeline",
        "They name code, an address or a place to run, or outlive the run. On a cluster the author of the run, or of "
        "the Trigger, must have the right to `update` that Pipeline, which a policy of the chart asks for; without the "
        "policies the operator refuses them. On a laptop the Pipeline is one's own.",
        _table(leaves, "Pipeline"),
        "## By no run",
        "The run has fields of its own for some: parameters are given in `spec.parameters`, Secrets in "
        "`spec.credentials`, and a storage in `spec.storage`. The rest is changed in the Pipeline.",
        "\n".join(f"- {code(each)}" for each in _closed(leaves)),
    )


def _table(leaves: list[FieldNode], right: Right) -> str:
    rows = [(code(_path(each)), prose(_first_sentence(each))) for each in leaves if right_of_leaf(_path(each)) == right]
    return table(("field", ""), rows)


def _closed(leaves: list[FieldNode]) -> Iterator[str]:
    """Yield what no run may change: an object rather than its fields, where it may change none of them."""
    opened = {above for each in leaves if right_of_leaf(_path(each)) for above in _all_above(_path(each))}
    seen = set()
    for path in map(_path, leaves):
        if right_of_leaf(path) is None:
            highest = next((above for above in _all_above(path) if above not in opened), path)
            if highest not in seen:
                seen.add(highest)
                yield highest


def _all_above(path: str) -> list[str]:
    """Return the paths of the objects that a field is in, the outermost first."""
    parts = path.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts))]


def _path(node: FieldNode) -> str:
    return node.path.removeprefix("spec.")


def _first_sentence(node: FieldNode) -> str:
    text, separator, _ = node.paragraphs[0].partition(". ")
    return f"{text}." if separator else text
