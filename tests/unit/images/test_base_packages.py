"""The base has the packages that are wanted, what they need, and nothing that only installing takes."""

from hypothesis import given
from hypothesis import strategies as st

from penstock_images import debian

STATUS = """\
Package: python3
Status: install ok installed
Architecture: amd64
Version: 3.11.2-1+b1
Pre-Depends: python3-minimal (= 3.11.2-1+b1)
Depends: libc6 (>= 2.34), mawk | awk, debconf (>= 0.5)

Package: python3-minimal
Status: install ok installed
Architecture: amd64
Version: 3.11.2-1+b1
Description: of several lines
 Depends: not-a-field

Package: libc6
Status: install ok installed
Architecture: amd64
Version: 2.36-9

Package: original-awk
Status: install ok installed
Architecture: amd64
Version: 1
Provides: awk

Package: debconf
Status: install ok installed
Architecture: all
Version: 1.5
Depends: perl-base

Package: perl-base
Status: install ok installed
Architecture: amd64
Version: 5.36

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1
"""


def test_what_is_wanted_comes_with_what_it_needs_and_without_what_only_installing_takes() -> None:
    packages = debian.read_packages(STATUS)
    kept = debian.dependency_closure(packages, ["python3"], without=frozenset({"debconf"}))
    assert list(kept) == ["libc6", "original-awk", "python3", "python3-minimal"]


def test_a_removed_package_is_not_installed() -> None:
    assert "gone" not in debian.read_packages(STATUS)


def test_the_status_file_of_the_base_lists_what_it_has_and_nothing_else() -> None:
    packages = debian.read_packages(STATUS)
    kept = debian.dependency_closure(packages, ["python3"], without=frozenset({"debconf"}))
    assert debian.read_packages(debian.status_of(kept.values())) == kept


@given(st.dictionaries(st.sampled_from("abcdef"), st.sets(st.sampled_from("abcdef"))))
def test_whatever_needs_whatever_the_closure_is_complete_and_smallest(needs: dict[str, set[str]]) -> None:
    stanzas = [_stanza(name, needs.get(name, set())) for name in "abcdef"]
    kept = set(debian.dependency_closure(debian.read_packages("\n\n".join(stanzas)), ["a"], without=frozenset()))
    reached, before = {"a"}, set[str]()
    while reached != before:
        before = set(reached)
        reached |= {each for name in before for each in needs.get(name, set())}
    assert kept == reached


def _stanza(name: str, needs: set[str]) -> str:
    depends = f"\nDepends: {', '.join(sorted(needs))}" if needs else ""
    return f"Package: {name}\nStatus: install ok installed\nArchitecture: all\nVersion: 1{depends}"
