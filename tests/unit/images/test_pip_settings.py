"""What a machine's pip knows reaches the build, the environment before files; where it knows nothing, nothing does."""

from pathlib import Path

from penstock_images import pip_settings


def test_an_index_and_its_certificates_are_passed_on() -> None:
    found = pip_settings.settings(
        "global.cert='/etc/ssl/of-the-file.crt'\n:env:.index-url='https://index.example/simple'\n"
        ":env:.default-timeout='180'\nfreeze.all='1'\n"
    )
    assert pip_settings.configuration(found, Path("/etc/ssl/of-the-file.crt")) == (
        "[global]\nindex-url = https://index.example/simple\ntimeout = 180\ncert = /run/secrets/certificates\n"
    )


def test_the_environment_wins_over_files() -> None:
    found = pip_settings.settings("global.index-url='https://a.example'\n:env:.index-url='https://b.example'\n")
    assert found["index-url"] == "https://b.example"
    other_order = pip_settings.settings(":env:.index-url='https://b.example'\nglobal.index-url='https://a.example'\n")
    assert other_order["index-url"] == "https://b.example"


def test_folders_of_this_machine_are_not_passed_on() -> None:
    found = pip_settings.settings(":env:.find-links='/opt/wheels'\n:env:.no-index='0'\n")
    assert pip_settings.configuration(found, None) == ""


def test_several_indexes_stay_on_one_line() -> None:
    found = pip_settings.settings("global.extra-index-url='https://a.example\\nhttps://b.example'\n")
    assert "extra-index-url = https://a.example https://b.example\n" in pip_settings.configuration(found, None)


def test_certificates_are_those_of_pip_else_those_of_the_environment(tmp_path: Path) -> None:
    of_pip, of_environment = tmp_path / "pip.crt", tmp_path / "environment.crt"
    of_environment.touch()
    environment = {"SSL_CERT_FILE": str(of_environment)}
    assert pip_settings.certificates_of({}, {}) is None
    assert pip_settings.certificates_of({"cert": str(of_pip)}, environment) == of_environment  # the first is not there
    of_pip.touch()
    assert pip_settings.certificates_of({"cert": str(of_pip)}, environment) == of_pip
