"""Each program of the cluster proves who it is, and only by the names under which it is reached."""

import ssl
import subprocess
from pathlib import Path

import pytest

from needed_programs import needs_program
from testcluster.machine import certificates
from testcluster.machine.certificates import Certificate
from testcluster.machine.plan import API_ADDRESS, FIRST_SERVICE, NODES

pytestmark = needs_program("openssl")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    certificates.make(folder)
    return folder


def shown(folder: Path, name: str, *what: str) -> str:
    command: list[str | Path] = ["openssl", "x509", "-in", folder / f"{name}.crt", "-noout", *what]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_a_kubelet_is_known_to_the_node_authorizer_by_user_and_group(made: Path) -> None:
    for node in NODES:
        subject = shown(made, f"kubelet-{node.name}", "-subject")
        assert f"CN = system:node:{node.name}" in subject
        assert "O = system:nodes" in subject


def test_the_administrator_is_of_the_group_that_may_do_all(made: Path) -> None:
    assert "O = system:masters" in shown(made, "admin", "-subject")


@pytest.mark.parametrize("name", [API_ADDRESS, FIRST_SERVICE, "127.0.0.1", "kubernetes.default.svc"])
def test_the_api_server_is_trusted_by_every_name_that_leads_to_it(made: Path, name: str) -> None:
    option = "-checkip" if name[0].isdigit() else "-checkhost"
    assert "does match certificate" in shown(made, "api-server", option, name)


def test_the_api_server_is_not_trusted_by_other_names(made: Path) -> None:
    assert "does NOT match" in shown(made, "api-server", "-checkhost", "example.org")


@pytest.mark.parametrize("certificate", certificates.list_certificates(), ids=lambda each: each.name)
def test_every_certificate_is_signed_by_its_authority_and_by_no_other(made: Path, certificate: Certificate) -> None:
    for authority in certificates.AUTHORITIES:
        command: list[str | Path] = [
            "openssl",
            "verify",
            "-CAfile",
            made / f"{authority}.crt",
            made / f"{certificate.name}.crt",
        ]
        accepted = subprocess.run(command, capture_output=True).returncode == 0
        assert accepted == (authority == certificate.authority)


@pytest.mark.parametrize("certificate", certificates.list_certificates(), ids=lambda each: each.name)
def test_a_key_goes_with_its_certificate_and_nobody_else_reads_it(made: Path, certificate: Certificate) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_cert_chain(made / f"{certificate.name}.crt", made / f"{certificate.name}.key")
    assert made.stat().st_mode & 0o077 == 0


def test_a_client_cannot_pose_as_a_server(made: Path) -> None:
    command: list[str | Path] = ["openssl", "verify", "-purpose", "sslserver", "-CAfile", made / "ca.crt"]
    assert subprocess.run([*command, made / "admin.crt"], capture_output=True).returncode != 0
    assert subprocess.run([*command, made / "api-server.crt"], capture_output=True).returncode == 0
