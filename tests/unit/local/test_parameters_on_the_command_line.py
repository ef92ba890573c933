"""`--param NAME=VALUE` is a parameter of the run, in place of what its manifest gives under that name."""

import pytest

from penstock.api.parameters import GivenParameter
from penstock.api.run import PipelineReference, PipelineRunSpec
from penstock.cli.parameters import with_parameters
from penstock_jobs.contract.errors import Refused

DAY = GivenParameter(name="asOf", value="2026-11-01")
REGION = GivenParameter(name="region", value="north")
SPEC = PipelineRunSpec(pipeline_ref=PipelineReference(name="sales"), parameters=(DAY, REGION))


def test_it_takes_the_place_of_one_of_the_manifest_and_the_others_stay() -> None:
    made = with_parameters(SPEC, ("asOf=2026-11-07", "least=3")).parameters

    assert [(each.name, each.value) for each in made] == [("asOf", "2026-11-07"), ("region", "north"), ("least", "3")]


@pytest.mark.parametrize("value", ["", "a=b", " spaces ", "'; DROP TABLE rows; --", "[1, 2]", "yes"])
def test_a_value_is_the_text_as_it_was_written(value: str) -> None:
    *_, given = with_parameters(SPEC, (f"word={value}",)).parameters

    assert given == GivenParameter(name="word", value=value)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (("asOf",), "--param is asOf; write the name of a parameter and its value, as asOf=2026-11-07."),
        (("as-of=1",), '--param as-of: name is "as-of", which is not a name of letters, digits and underscores'),
        (("a=" + "x" * 257,), "--param a: value has 257 characters, and 256 fit; shorten it."),
        (("a=1", "a=2"), "--param gives a twice; remove one."),
    ],
)
def test_what_cannot_be_a_parameter_is_refused(said: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(Refused) as refused:
        with_parameters(SPEC, said)

    assert str(refused.value).startswith(sentence)
