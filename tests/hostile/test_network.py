"""Proxies and certificates on real sockets: who is spoken to, what is refused, who sees the key."""

from __future__ import annotations

import os
import shutil
import ssl
import sys
from base64 import b64encode
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING
from urllib import request as system

import pytest

from defendctl.api.client import DefendApi
from defendctl.api.network import read_network, read_trust
from defendctl.diagnostics import DefendctlError
from tests.conftest import KEY, custom
from tests.hostile.test_server import bind, live, move
from tests.hostile.wire import Listener, answering, behind_tls, certify, demanding, listening, tunnel

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

    from tests.conftest import Project

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="makes certificates")
API = "api.test"
"""No such host is known: only a proxy of these tests finds it."""
PASSWORD = "planted-password"
CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSLKEYLOGFILE")


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of this machine counts."""
    for name in os.environ:
        if name.lower().endswith("_proxy") or name in CERTIFICATES:
            monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certify(tmp_path_factory.mktemp("certificates") / "api.pem", API, "localhost", "127.0.0.1")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certify(tmp_path_factory.mktemp("others") / "other.pem", "other.test")


@pytest.fixture
def listen() -> Iterator[Callable[..., Listener]]:
    with ExitStack() as stack:
        yield lambda talk: stack.enter_context(listening(talk))


@pytest.fixture
def far(project: Project, certificate: Path, listen: Callable[..., Listener]) -> Listener:
    """The API behind TLS, to which `project` is bound by a name that only a proxy knows."""
    api = listen(behind_tls(certificate, answering(live)))
    bind(project, f"https://{API}:{api.port}")
    project.env |= {"NO_PROXY": "", "SSL_CERT_FILE": str(certificate)}
    return api


def heard(*listeners: Listener) -> bytes:
    return b"".join(data for listener in listeners for data in listener.received)


# --- proxies ---


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
def test_a_proxy_sees_no_key(
    project: Project, far: Listener, listen: Callable[..., Listener], variable: str
) -> None:
    proxy = listen(tunnel)
    project.env[variable] = proxy.url
    project.ok("plan")
    assert proxy.received[0].startswith(f"CONNECT {API}:{far.port} ".encode())
    assert KEY.encode() in heard(far)
    assert KEY.encode() not in heard(proxy)


def test_a_tunnel_is_used_again(
    far: Listener, listen: Callable[..., Listener], certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = listen(tunnel)
    for name, value in (("HTTPS_PROXY", proxy.url), ("NO_PROXY", ""), ("SSL_CERT_FILE", str(certificate))):
        monkeypatch.setenv(name, value)
    api = DefendApi(f"https://{API}:{far.port}", KEY)
    try:
        assert [api.read("wkfl_1"), api.read("wkfl_2")] != [None, None]
    finally:
        api.close()
    assert proxy.connections == 1


def test_a_proxy_with_credentials_and_without_a_scheme(
    project: Project, far: Listener, listen: Callable[..., Listener]
) -> None:
    proxy = listen(tunnel)
    project.env["HTTPS_PROXY"] = f"us%40er:{PASSWORD}@127.0.0.1:{proxy.port}"
    ran = project.ok("-v", "plan")
    sent = b64encode(f"us@er:{PASSWORD}".encode())
    assert b"Proxy-Authorization: Basic " + sent in proxy.received[0]
    assert sent not in heard(far)
    assert PASSWORD not in ran.out + ran.err


def test_a_proxy_behind_tls(
    project: Project, far: Listener, listen: Callable[..., Listener], certificate: Path
) -> None:
    proxy = listen(behind_tls(certificate, tunnel))
    project.env["HTTPS_PROXY"] = f"https://127.0.0.1:{proxy.port}"
    project.ok("plan")
    assert proxy.received[0].startswith(b"CONNECT ")
    assert KEY.encode() in heard(far)
    assert KEY.encode() not in heard(proxy)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("status", "user", "said"),
    [
        (b"407 No", "", "asks for a user name and password (407)"),
        (b"407 No", f"user:{PASSWORD}@", "refuses the user name and password (407)"),
        (b"403 Forbidden", f"user:{PASSWORD}@", f"refuses to connect to {API}:"),
    ],
)
def test_a_proxy_that_refuses_is_named_and_asked_once(
    project: Project,
    far: Listener,
    listen: Callable[..., Listener],
    status: bytes,
    user: str,
    said: str,
    method: str,
) -> None:
    proxy = listen(demanding(status, b"proxy-authenticate: Basic"))
    project.env["HTTPS_PROXY"] = f"http://{user}127.0.0.1:{proxy.port}"
    if method == "GET":
        ran = project.ok("plan", code=1)
    else:
        project.declare({"new": custom()})
        ran = project.ok("apply", "--yes", "--target", "new", code=1)
    assert f"the proxy http://127.0.0.1:{proxy.port} (HTTPS_PROXY) {said}" in ran.out + ran.err
    assert PASSWORD not in ran.out + ran.err
    assert proxy.connections == 1
    assert KEY.encode() not in heard(proxy)
    assert far.connections == 0


@pytest.mark.parametrize(
    ("talk", "said"),
    [
        (demanding(b"502 Bad Gateway"), f"refuses to connect to {API}"),
        (lambda connection, listener: None, "it closed the connection, or does not speak HTTP"),
        (lambda connection, listener: connection.sendall(b"SSH-2.0\r\n"), "does not speak HTTP"),
    ],
)
def test_a_proxy_that_fails_is_named(
    project: Project,
    far: Listener,
    listen: Callable[..., Listener],
    monkeypatch: pytest.MonkeyPatch,
    talk: Callable[[socket.socket, Listener], None],
    said: str,
) -> None:
    monkeypatch.setattr("defendctl.api.patience.backoff", lambda tried: 0.0)
    proxy = listen(talk)
    project.env["HTTPS_PROXY"] = proxy.url
    ran = project.ok("plan", code=1)
    assert f"the proxy {proxy.url} (HTTPS_PROXY)" in ran.err
    assert said in ran.err
    assert far.connections == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "proxy.invalid"])
def test_a_proxy_that_is_not_there_is_named(
    project: Project, far: Listener, unused_port: int, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setattr("defendctl.api.patience.backoff", lambda tried: 0.0)
    project.env["ALL_PROXY"] = f"http://user:{PASSWORD}@{host}:{unused_port}"
    ran = project.ok("plan", code=1)
    assert f"no connection to the proxy http://{host}:{unused_port} (ALL_PROXY): " in ran.err
    assert PASSWORD not in ran.err


def test_a_proxy_that_never_answers_is_named(
    project: Project, far: Listener, listen: Callable[..., Listener], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("defendctl.api.patience.TRIES", 1)
    proxy = listen(lambda connection, listener: (listener.request(connection), connection.recv(1))[1])
    project.env["HTTPS_PROXY"] = proxy.url
    ran = project.ok("plan", "--timeout", "1", code=1)
    assert f"no connection to the proxy {proxy.url} (HTTPS_PROXY) within 1 s" in ran.err


def test_what_stands_behind_a_proxy_is_named_with_it(
    project: Project, far: Listener, listen: Callable[..., Listener], other: Path
) -> None:
    proxy = listen(tunnel)
    project.env |= {"HTTPS_PROXY": proxy.url, "SSL_CERT_FILE": str(other)}
    ran = project.ok("plan", code=1)
    where = f"{API}:{far.port} through the proxy {proxy.url} (HTTPS_PROXY)"
    assert f"the certificate of {where} is not trusted: self-signed certificate" in ran.err
    assert f"trusted: SSL_CERT_FILE ({other})" in ran.err
    assert proxy.connections == 1, "no second try ends otherwise"


@pytest.mark.parametrize("proxy", ["socks5://user:planted-password@127.0.0.1:9", "nonsense://x", "http://["])
@pytest.mark.parametrize("command", [["plan"], ["apply", "--yes"], ["drift"], ["doctor"]])
def test_what_cannot_be_honoured_is_refused_before_anything_is_sent(
    project: Project, far: Listener, proxy: str, command: list[str]
) -> None:
    project.env["ALL_PROXY"] = proxy
    ran = project.ok(*command, code=1)
    assert "ALL_PROXY" in ran.out + ran.err
    assert "NO_PROXY" in ran.out + ran.err, "the hint"
    assert PASSWORD not in ran.out + ran.err
    assert far.connections == 0


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"])
@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"])
def test_loopback_is_never_proxied(
    project: Project, listen: Callable[..., Listener], variable: str, name: str
) -> None:
    """Plan, apply, an upload, an event, doctor and the sandbox."""
    proxy = listen(tunnel)
    project.settings(api={"uploads": True})
    (project.root / "policy.pdf").write_bytes(b"policy")
    project.declare({"a": custom(file_search=[{"path": "policy.pdf"}])})
    project.env |= {"NO_PROXY": "example.com", variable: proxy.url}
    project.env["DEEP_RAILS_BASE_URL"] = project.server.url.replace("127.0.0.1", name)
    project.apply()
    project.ok("doctor")
    project.ok("test", "--create-canary")
    project.apply("--sandbox")
    project.ok("--sandbox", "drift")
    assert project.server.files()
    assert proxy.connections == 0


def test_https_on_loopback_is_not_proxied_either(
    project: Project, far: Listener, listen: Callable[..., Listener]
) -> None:
    proxy = listen(tunnel)
    project.env["HTTPS_PROXY"] = proxy.url
    move(project, f"https://localhost:{far.port}")
    project.ok("plan")
    assert proxy.connections == 0
    assert KEY.encode() in heard(far)


@pytest.mark.parametrize("excepted", [False, True])
def test_the_settings_of_a_system_count_where_no_variable_does(
    monkeypatch: pytest.MonkeyPatch, excepted: bool
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(system, "getproxies", lambda: {"https": "http://proxy:3128"})
    monkeypatch.setattr(system, "proxy_bypass", lambda host: excepted and host == API)
    network = read_network(f"https://{API}")
    assert (network.proxy and network.proxy.url) == (None if excepted else "http://proxy:3128")
    monkeypatch.setenv("HTTPS_PROXY", "http://other:1")
    network = read_network(f"https://{API}")
    assert network.proxy
    assert network.proxy.url == "http://other:1"


# --- certificates ---


@pytest.fixture
def near(project: Project, certificate: Path, listen: Callable[..., Listener]) -> Listener:
    """The API behind TLS on loopback."""
    api = listen(behind_tls(certificate, answering(live)))
    bind(project, f"https://localhost:{api.port}")
    return api


def hashed(folder: Path, certificate: Path) -> Path:
    folder.mkdir(exist_ok=True)
    shutil.copy(certificate, folder / "one.pem")
    assert os.system(f"openssl rehash {folder}") == 0
    return folder


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_file_of_certificates(project: Project, near: Listener, certificate: Path, variable: str) -> None:
    project.env[variable] = str(certificate)
    project.ok("plan")
    assert f"without a proxy; trusted: {variable} ({certificate})" in project.run("doctor").out


@pytest.mark.parametrize("variable", ["SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_folder_of_certificates(
    project: Project, near: Listener, certificate: Path, tmp_path: Path, variable: str
) -> None:
    project.env[variable] = str(hashed(tmp_path / "folder", certificate))
    project.ok("plan")


def test_several_folders(project: Project, near: Listener, certificate: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    folder = hashed(tmp_path / "folder", certificate)
    project.env["SSL_CERT_DIR"] = os.pathsep.join([str(tmp_path / "empty"), str(folder)])
    project.ok("plan")


def test_file_and_folder_count_together_and_win_over_bundles(
    project: Project, near: Listener, certificate: Path, other: Path, tmp_path: Path
) -> None:
    project.env |= {"SSL_CERT_FILE": str(other), "SSL_CERT_DIR": str(hashed(tmp_path / "f", certificate))}
    project.env |= {"REQUESTS_CA_BUNDLE": "/gone", "CURL_CA_BUNDLE": "/gone"}
    project.ok("plan")
    (tmp_path / "empty").mkdir()
    project.env |= {"SSL_CERT_FILE": str(certificate), "SSL_CERT_DIR": str(tmp_path / "empty")}
    project.ok("plan")
    project.env |= {"SSL_CERT_FILE": "", "SSL_CERT_DIR": "", "REQUESTS_CA_BUNDLE": str(certificate)}
    project.ok("plan")


def test_a_certificate_that_nobody_signed(project: Project, near: Listener) -> None:
    ran = project.ok("plan", code=1)
    assert f"the certificate of localhost:{near.port} is not trusted: self-signed certificate" in ran.err
    assert "trusted: the public authorities (certifi)" in ran.err
    assert near.received == []


def test_a_certificate_of_another_host(
    project: Project, other: Path, listen: Callable[..., Listener]
) -> None:
    api = listen(behind_tls(other, answering(live)))
    bind(project, f"https://localhost:{api.port}")
    project.env["SSL_CERT_FILE"] = str(other)
    ran = project.ok("plan", code=1)
    assert f"the certificate of localhost:{api.port} is not trusted: Hostname mismatch" in ran.err
    assert api.received == []


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _half(path: Path) -> None:
    path.write_text("-----BEGIN CERTIFICATE-----\nMIIC\n")


SPOILT: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda path: None, "No such file or directory"),
    "empty": (Path.touch, "it holds no certificate; PEM is expected"),
    "no PEM": (lambda path: path.write_text("hello"), "it holds no certificate; PEM is expected"),
    "bytes": (lambda path: path.write_bytes(b"\xff\x00" * 99), "it holds no certificate; PEM is expected"),
    "broken": (_half, "it holds a broken certificate; PEM is expected"),
    "pipe": (_pipe, "it is not a regular file"),
    "link to itself": (lambda path: path.symlink_to(path), "Too many levels of symbolic links"),
}


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
@pytest.mark.parametrize("spoilt", SPOILT)
def test_a_file_that_does_not_work_is_refused_by_name(
    project: Project, near: Listener, tmp_path: Path, spoilt: str, variable: str
) -> None:
    path = tmp_path / "ca.pem"
    make, said = SPOILT[spoilt]
    make(path)
    project.env[variable] = str(path)
    ran = project.ok("plan", code=1)
    assert f"error: {variable} ({path}) cannot be used: {said}" in ran.err.replace("\n", " ")
    assert "unset the variable" in ran.err
    doctor = project.json("doctor", code=1).json
    (check,) = [check for check in doctor["checks"] if check["topic"] == "network"]
    assert variable in check["message"]
    assert near.connections == 0


def test_a_folder_in_the_place_of_a_file() -> None:
    with pytest.raises(
        DefendctlError, match=r"SSL_CERT_FILE \(/tmp\) cannot be used: it is not a regular file"
    ):
        read_trust({"SSL_CERT_FILE": "/tmp"})


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read(tmp_path: Path, certificate: Path) -> None:
    path = tmp_path / "ca.pem"
    shutil.copy(certificate, path)
    path.chmod(0)
    with pytest.raises(DefendctlError, match="Permission denied"):
        read_trust({"SSL_CERT_FILE": str(path)})


def test_a_list_of_what_was_revoked_is_no_certificate(tmp_path: Path, certificate: Path) -> None:
    """OpenSSL takes it, and then trusts nobody."""
    (tmp_path / "index.txt").touch()
    settings = "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ndefault_md=sha256\ndefault_crl_days=1\n"
    (tmp_path / "ca.conf").write_text(settings)
    files = f"-cert {certificate} -keyfile {certificate.with_suffix('.key')} -out crl.pem"
    assert os.system(f"cd {tmp_path} && openssl ca -config ca.conf -gencrl {files} 2>/dev/null") == 0
    with pytest.raises(DefendctlError, match=r"it holds no certificate$"):
        read_trust({"SSL_CERT_FILE": str(tmp_path / "crl.pem")})


@pytest.mark.parametrize("variable", ["SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"])
def test_a_folder_that_does_not_work_is_refused_by_name(
    tmp_path: Path, certificate: Path, variable: str
) -> None:
    shutil.copy(certificate, tmp_path)  # not under its hash, so that OpenSSL does not find it
    with pytest.raises(DefendctlError, match=variable) as caught:
        read_trust({variable: str(tmp_path)})
    assert "openssl rehash" in (caught.value.hint or "")
    for gone in (tmp_path / "gone", certificate):
        with pytest.raises(DefendctlError, match=r"SSL_CERT_DIR \(.*\) cannot be used: No"):
            read_trust({"SSL_CERT_DIR": f"{tmp_path}{os.pathsep}{gone}"})


def test_a_log_of_keys_that_cannot_be_written_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", "/gone/keys.log")
    with pytest.raises(DefendctlError, match=r"SSLKEYLOGFILE \(/gone/keys.log\): No such file"):
        read_trust({})


def test_nothing_turns_the_check_of_certificates_off() -> None:
    off = {"PYTHONHTTPSVERIFY": "0", "NODE_TLS_REJECT_UNAUTHORIZED": "0", "GIT_SSL_NO_VERIFY": "1"}
    assert read_trust(off).context.verify_mode is ssl.CERT_REQUIRED
    assert read_trust(off).context.check_hostname
