"""What is said of an object store is checked before anything is sent; no secret in it is told."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from defendctl.diagnostics import DefendctlError
from defendctl.state.open import open_backend
from defendctl.state.place import Place
from defendctl.state.register.buckets import secrets_of

if TYPE_CHECKING:
    from collections.abc import Mapping

SECRET = "planted+secret+4711"


def refused(scheme: str, options: Mapping[str, str], key: str = "checkout") -> DefendctlError:
    with pytest.raises(DefendctlError) as error:
        open_backend(Place(scheme, "bucket", key, options), Path())
    assert SECRET not in f"{error.value.message} {error.value.hint}"
    return error.value


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_ENDPOINT_URL", "AZURE_STORAGE_ACCOUNT_NAME"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("scheme", "option", "near"),
    [
        ("s3", "regoin", 'Did you mean "region"?'),
        ("s3", "secret_access_key", "Known are region, endpoint"),
        ("gs", "region", "Known are endpoint."),
        ("az", "acount", 'Did you mean "account"?'),
        ("az", "account_key", 'Did you mean "account"?'),
    ],
)
def test_an_option_that_nobody_knows_is_an_error_that_names_those_there_are(
    scheme: str, option: str, near: str
) -> None:
    message = refused(scheme, {option: SECRET}).message
    assert f"`{option}` is not an option of {scheme}://" in message
    assert near in message


@pytest.mark.parametrize(
    ("endpoint", "why"),
    [
        ("http://minio.internal", "must use https"),
        ("http://127.0.0.1.example.com:9000", "must use https"),
        (f"https://user:{SECRET}@minio.internal", "must not hold a user name, a password or a query"),
        (f"https://minio.internal?sig={SECRET}", "must not hold a user name, a password or a query"),
        ("minio.internal:9000", "must be a URL like"),
        ("https://minio.internal:99999", "is not a URL"),
        ("https://[::1", "is not a URL"),
    ],
)
def test_an_endpoint_must_be_one_that_may_be_spoken_to(
    endpoint: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert why in refused("s3", {"endpoint": endpoint}).message
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    told = refused("s3", {}).message
    assert told.startswith("AWS_ENDPOINT_URL ")
    assert why in told


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:9", "http://[::1]:9", "http://localhost:9", None])
def test_plain_http_is_for_this_machine(endpoint: str | None) -> None:
    options = {"endpoint": endpoint} if endpoint else {}
    assert open_backend(Place("s3", "bucket", "a/b", options), Path()).where == "s3://bucket/a/b"


def test_a_profile_whose_keys_are_not_exported_is_not_taken_for_somebody_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "my team")
    error = refused("s3", {})
    assert "does not read profiles" in error.message
    assert 'aws configure export-credentials --profile "my team" --format env' in (error.hint or "")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    assert open_backend(Place("s3", "bucket", "key", {}), Path())


def test_an_account_is_needed_and_a_key_that_is_none_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "the account is not named" in refused("az", {}).message
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", f"{SECRET}!")
    assert "AZURE_STORAGE_ACCOUNT_KEY" in (refused("az", {"account": "acme"}).hint or "")


@pytest.mark.parametrize("part", ["_register", "_beside", "_loose", "_probe"])
def test_a_key_does_not_lie_among_the_objects_of_another(part: str) -> None:
    assert part in refused("s3", {}, f"checkout/{part}/x").message


def test_without_the_extra_its_name_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "defendctl.state.register.objects", raising=False)
    monkeypatch.setitem(sys.modules, "obstore", None)
    error = refused("gs", {})
    assert "a state at gs:// needs obstore, which is not installed" in error.message
    assert f"`{sys.executable} -m pip install 'defendctl[objects]'`" in (error.hint or "")


def test_what_of_the_environment_opens_a_store() -> None:
    opens = {
        **{"AWS_SECRET_ACCESS_KEY": "a", "AWS_SESSION_TOKEN": "b", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "c"},
        **{"AZURE_STORAGE_ACCOUNT_KEY": "d", "AZURE_CLIENT_SECRET": "e", "AZURE_STORAGE_SAS_TOKEN": " f\n"},
        **{"GOOGLE_SERVICE_ACCOUNT_KEY": "g"},
    }
    names = {
        **{"AWS_ACCESS_KEY_ID": "x", "AWS_WEB_IDENTITY_TOKEN_FILE": "x", "AWS_REGION": "x"},
        **{
            "AZURE_FEDERATED_TOKEN_FILE": "x",
            "AZURE_CLIENT_ID": "x",
            "AWS_SESSION_TOKEN_": "",
            "OTHER_TOKEN": "x",
        },
        **{"AWS_CONTAINER_CREDENTIALS_FULL_URI": "x", "GOOGLE_APPLICATION_CREDENTIALS": "x"},
    }
    assert secrets_of({**opens, **names}) == ["a", "b", "c", "d", "e", "f", "g"]
