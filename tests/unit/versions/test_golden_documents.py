"""What any released version wrote is read, and so is what the next one may write; what cannot be read says why."""

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from penstock.api.decoding import Unreadable, decode
from penstock.decide.objects import results
from penstock_jobs.contract.document import VersionedDocument, convert
from penstock_jobs.contract.errors import Refused
from unit.versions.changed_documents import Place, places, with_more, with_other, without
from unit.versions.golden_documents import VERSIONS, Golden, golden_documents, golden_object, golden_objects

DOCUMENTS, OBJECTS = golden_documents(), golden_objects()


def name_of(golden: Golden) -> str:
    return golden.name


def read(golden: Golden, plain: object) -> msgspec.Struct:
    made: msgspec.Struct = convert(plain, golden.kind, golden.name)
    return made


def places_of(golden: Golden) -> list[Place]:
    return list(places(read(golden, golden.plain), golden.plain))


def leaves(kind: type[VersionedDocument]) -> list[type[VersionedDocument]]:
    below = [each for own in kind.__subclasses__() for each in leaves(own)]
    return below or [kind]


@pytest.mark.parametrize("golden", [*DOCUMENTS, *OBJECTS], ids=name_of)
def test_a_document_of_any_version_is_read(golden: Golden) -> None:
    assert read(golden, golden.plain) is not None


@pytest.mark.parametrize("version", VERSIONS)
def test_the_results_of_a_run_of_any_version_are_read(version: str) -> None:
    found = results.read(golden_object(version, "results"))

    assert {"source", "dataset", "training", "testing"} <= set(found)


def test_each_kind_of_document_that_says_its_form_has_a_golden_one() -> None:
    kept = {type(read(golden, golden.plain)) for golden in DOCUMENTS}

    assert {kind.__name__ for kind in leaves(VersionedDocument)} == {
        kind.__name__ for kind in kept if issubclass(kind, VersionedDocument)
    }


@pytest.mark.parametrize("golden", [each for each in DOCUMENTS if "candidates" not in each.name], ids=name_of)
def test_each_document_says_its_form_and_another_one_is_refused_with_the_form_that_is_read_and_since_when(
    golden: Golden,
) -> None:
    newer = golden.plain["format"].replace("/v1", "/v2")

    with pytest.raises(Refused) as refused:
        read(golden, {"ofAFormThatNobodyKnows": 1, "format": newer} | _tag(golden))

    assert f"its format is {newer}" in str(refused.value)
    assert f"reads {golden.plain['format']}, which is written since Penstock 0." in str(refused.value)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_field_that_is_not_known_is_passed_over_wherever_it_is(data: st.DataObject) -> None:
    golden = data.draw(st.sampled_from([*DOCUMENTS, *OBJECTS]))
    place = data.draw(st.sampled_from(places_of(golden)))

    assert read(golden, with_more(golden.plain, place.path)) == read(golden, golden.plain)


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_a_document_that_lacks_what_it_must_have_is_refused_by_the_name_of_the_field(data: st.DataObject) -> None:
    golden = data.draw(st.sampled_from(DOCUMENTS))
    found = [each for each in places_of(golden) if each.required]
    assume(found)
    place = data.draw(st.sampled_from(found))
    name = data.draw(st.sampled_from(place.required))

    with pytest.raises(Refused, match=f"cannot be read: .*`{name}`"):
        read(golden, without(golden.plain, place.path, name))


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_an_object_that_lacks_a_field_or_has_a_value_nobody_knows_says_which_field_and_of_which_generation(
    data: st.DataObject,
) -> None:
    golden = data.draw(st.sampled_from(OBJECTS))
    place = data.draw(st.sampled_from([each for each in places_of(golden) if each.required or each.enums]))
    name = data.draw(st.sampled_from([*place.required, *place.enums]))
    broken = (
        without(golden.plain, place.path, name)
        if name in place.required
        else with_other(golden.plain, place.path, name, "OfAnotherVersion")
    )

    found = decode(broken, golden.kind)

    assert isinstance(found, Unreadable)
    assert found.field.endswith(name)
    assert found.generation == 1
    assert found.field in found.sentence
    assert "(generation 1)" in found.sentence


@given(st.one_of(st.none(), st.booleans(), st.text(), st.lists(st.integers()), st.dictionaries(st.text(), st.text())))
def test_whatever_there_is_in_the_place_of_an_object_nothing_is_raised(found: object) -> None:
    assert all(isinstance(decode(found, golden.kind), Unreadable) for golden in OBJECTS)


def _tag(golden: Golden) -> dict[str, str]:
    return {name: golden.plain[name] for name in ("job", "errand") if name in golden.plain}
