"""The stores that obstore speaks to: what may be said of one, how it is opened, its rights."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, S3Store

from defendctl.command import shell_word
from defendctl.diagnostics import DefendctlError, suggest
from defendctl.hosts import is_host, is_loopback
from defendctl.yamltext.quote import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from obstore.store import ObjectStore

    from defendctl.state.place import Place

ANSWER_IN: Final = timedelta(seconds=20)
"""For a request and its whole answer; a document of 10,000 workflows has one or two MB."""
CONNECTION_IN: Final = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Kind:
    """What is different from store to store."""

    opened: Callable[..., ObjectStore]
    bucket: str
    """What it calls what holds objects."""
    options: Mapping[str, str]
    """Names in `state.options` → what obstore calls them."""
    endpoints: tuple[str, ...]
    """Variables of which the first that is set says where the store is, if `options` do not."""
    rights: Mapping[str, str]
    """What is done → who may."""
    credentials: str
    """How it is said who asks."""
    tool: str
    """The command that writes an object to stdout, with {bucket} and {name}."""
    version: str = "e_tag"
    """Which of its two values its conditional writes compare."""


_S3: Final = Kind(
    S3Store,
    "bucket",
    {
        "region": "region",
        "endpoint": "aws_endpoint_url_s3",
        "virtual_hosted_style": "virtual_hosted_style_request",
        "server_side_encryption": "server_side_encryption",
        "kms_key_id": "sse_kms_key_id",
    },
    ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"),
    {
        "read": "s3:GetObject and s3:ListBucket",
        "list": "s3:ListBucket",
        "write": "s3:PutObject",
        "delete": "s3:DeleteObject",
    },
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN), or use a web identity or the "
    "role of the machine",
    "aws s3 cp s3://{bucket}/{name} -",
)
_GCS: Final = Kind(
    GCSStore,
    "bucket",
    {"endpoint": "base_url"},
    ("GOOGLE_BASE_URL",),
    {
        "read": "storage.objects.get and storage.objects.list",
        "list": "storage.objects.list",
        "write": "storage.objects.create and storage.objects.delete",
        "delete": "storage.objects.delete",
    },
    "set GOOGLE_APPLICATION_CREDENTIALS, or use the service account of the machine",
    "gcloud storage cat gs://{bucket}/{name}",
    "version",
)
_AZURE: Final = Kind(
    AzureStore,
    "container",
    {"account": "account_name", "endpoint": "endpoint"},
    ("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"),
    dict.fromkeys(("read", "list"), "Storage Blob Data Reader")
    | dict.fromkeys(("write", "delete"), "Storage Blob Data Contributor"),
    "set AZURE_STORAGE_ACCOUNT_NAME (or options.account) with AZURE_STORAGE_ACCOUNT_KEY, or with "
    "AZURE_CLIENT_ID, AZURE_TENANT_ID and a secret or a federated token, or use the identity of the machine",
    "az storage blob download --container-name {bucket} --name {name} --file /dev/stdout --no-progress",
)
KINDS: Final[Mapping[str, Kind]] = {"s3": _S3, "gs": _GCS, "az": _AZURE}
_KEYS: Final = (
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_SKIP_SIGNATURE",
)
_OPENS: Final = re.compile(r"(AWS|AZURE|GOOGLE)_\w*(SECRET|TOKEN|KEY|SAS|PASSWORD)\w*", re.IGNORECASE)
_NAMES: Final = ("_ID", "_FILE", "_URI", "_URL")
"""Ends of variables that only name where or which a secret is."""


def open_bucket(place: Place) -> ObjectStore:
    """Sends nothing. Raises DefendctlError for options that nobody knows, an endpoint that may not be, and
    credentials that cannot be found."""
    kind = KINDS[place.scheme]
    _refuse_unknown(place, kind)
    endpoint = _endpoint(place, kind, os.environ)
    if kind is _S3:
        _refuse_profile(os.environ)
    said = {kind.options[name]: value for name, value in place.options.items()}
    if endpoint:
        said[kind.options["endpoint"]] = endpoint
    if kind is _S3:
        said["disable_bulk_delete"] = "true"  # not every store that speaks S3 knows it
    try:
        return kind.opened(
            place.target,
            config=said,
            client_options={
                "timeout": ANSWER_IN,
                "connect_timeout": CONNECTION_IN,
                "allow_http": urlsplit(endpoint or "").scheme == "http",
            },
            retry_config={"max_retries": 0, "retry_timeout": ANSWER_IN},
        )
    except (BaseError, ValueError) as error:
        raise _not_opened(place, kind, error) from None


def secrets_of(env: Mapping[str, str]) -> list[str]:
    """What of the environment opens a store, whichever kind that is."""
    found = (value.strip() for name, value in env.items() if _OPENS.fullmatch(name) and not _only_names(name))
    return [value for value in found if value]


def _only_names(variable: str) -> bool:
    return variable.upper().endswith(_NAMES)


def _refuse_unknown(place: Place, kind: Kind) -> None:
    for name in place.options:
        if name not in kind.options:
            near = suggest(name, kind.options) or f" Known are {', '.join(kind.options)}."
            raise DefendctlError(
                f"state.options: {quoted(name)} is not an option of {place.scheme}://.{near}"
            )


def _endpoint(place: Place, kind: Kind, env: Mapping[str, str]) -> str | None:
    named = {"state.options: endpoint": place.options.get("endpoint")}
    named |= {variable: env.get(variable) for variable in kind.endpoints}
    for name, url in named.items():
        if url:
            problem = _endpoint_problem(url)
            if problem:
                raise DefendctlError(f"{name} {problem}")
            return url
    return None


def _endpoint_problem(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        parts.port  # noqa: B018  raises for one that is no number or too large
    except ValueError:
        return "is not a URL"
    if parts.scheme not in ("http", "https") or not is_host(host):
        return "must be a URL like https://minio.internal"
    if "@" in parts.netloc or parts.query or parts.fragment:
        return "must not hold a user name, a password or a query: credentials come from the environment"
    if parts.scheme == "http" and not is_loopback(host):
        return "must use https: plain http would show the state to the network (only localhost may)"
    return None


def _refuse_profile(env: Mapping[str, str]) -> None:
    """The client reads no profiles, and would ask as somebody else."""
    profile = env.get("AWS_PROFILE")
    if profile and not any(env.get(name) for name in _KEYS):
        export = f"aws configure export-credentials --profile {shell_word(profile)} --format env"
        raise DefendctlError(
            "AWS_PROFILE is set, but defendctl does not read profiles, and the environment holds no key",
            f'export the keys of the profile: eval "$({export})"; or unset AWS_PROFILE',
        )


def _not_opened(place: Place, kind: Kind, error: Exception) -> DefendctlError:
    """What obstore says of its own settings may quote them: none of it is repeated."""
    missing = "Account must be specified" in str(error)
    why = "the account is not named" if missing else "the settings or the credentials are not usable"
    return DefendctlError(f"{place.scheme}://{place.target}: {why}", kind.credentials)
