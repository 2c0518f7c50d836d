"""An object store as the engine of a register: S3 and what speaks like it, Google Cloud Storage, Azure.

Below the key stand `_register`, which is put only where its version is the expected one or where nothing is,
`_beside/…`, `_loose/…`, and `_probe/…` while the store is tried. The client repeats no request by itself:
it would take its own write that landed for another's.
"""

from __future__ import annotations

import os
import re
import secrets
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from functools import partial
from itertools import chain, islice
from threading import current_thread, main_thread
from typing import TYPE_CHECKING, Any, Final, TypeVar

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError

from defendctl.command import shell_word
from defendctl.diagnostics import DefendctlError, Precondition
from defendctl.state.backend import Unreachable
from defendctl.state.register.backend import RegisterBackend
from defendctl.state.register.buckets import KINDS, open_bucket, secrets_of
from defendctl.state.register.engine import MOST, Lost, refuse_size
from defendctl.state.register.race import ROUNDS, race
from defendctl.state.register.refusal import NO_BUCKET, NO_OBJECT, WRONG_KEY, WRONG_REGION, refusal_in

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

    from obstore import GetResult, ObjectMeta

    from defendctl.state.place import Place
    from defendctl.state.register.refusal import Refusal

REGISTER, BESIDE, LOOSE, PROBE = "_register", "_beside", "_loose", "_probe"
KEPT: Final = timedelta(days=1)
"""What nothing speaks of any more is not removed before: a reader may be on its way to it."""
LARGEST_LOOSE: Final = 1_024
_SWEPT: Final = 10_000
_MOST_AT_ONCE: Final = 100
_FAILED: Final = (BaseError, OSError, ValueError)
_OURS: Final = re.compile(f"{REGISTER}|{BESIDE}|{LOOSE}|{PROBE}|comp=batch")

_Answer = TypeVar("_Answer")
_ASKING: Final = ThreadPoolExecutor(4)


def _heard(ask: Callable[[], _Answer]) -> _Answer:
    """What `ask` returns. obstore waits deaf to signals: the thread that hears them lets another wait."""
    return _ASKING.submit(ask).result() if current_thread() is main_thread() else ask()


def open_objects(place: Place, root: Path) -> RegisterBackend:
    """Sends nothing. Raises DefendctlError where what is said names no store."""
    return RegisterBackend(Objects(place))


class Objects:
    send_limit = 10.0

    def __init__(self, place: Place) -> None:
        """Sends nothing. Raises DefendctlError for what names no store."""
        if {REGISTER, BESIDE, LOOSE, PROBE} & {*place.key.split("/")}:
            raise DefendctlError(f"the key {place.key} has a part that is a name of defendctl's own there")
        self.where = f"{place.scheme}://{place.target}/{place.key}"
        self._place, self._kind = place, KINDS[place.scheme]
        self._store = open_bucket(place)
        self._secrets = secrets_of(os.environ)
        self._has_answered = False
        self._is_swept = False

    def read(self) -> tuple[bytes, str] | None:
        found = self._get(REGISTER)
        return (self._body(found, self.where), self._version(found.meta)) if found else None

    def swap(
        self, value: bytes, expected: str | None, beside: Mapping[str, bytes], named: Collection[str]
    ) -> str:
        for name, data in beside.items():
            self._write(f"{BESIDE}/{name}", data, "overwrite")
        version = self._write_if(REGISTER, value, expected)
        if beside and not self._is_swept:
            self._is_swept = True
            with suppress(DefendctlError, Unreachable):  # the next run does it
                self._sweep(named)
        return version

    def fetch(self, name: str) -> bytes | None:
        found = self._get(f"{BESIDE}/{name}")
        return self._body(found, f"{name} in {self.where}") if found else None

    def put(self, name: str, data: bytes) -> None:
        self._write(f"{LOOSE}/{name}", data, "overwrite")

    def loose(self) -> Mapping[str, bytes]:
        """Name → content; a file that is too large to be one of ours is named with no content."""
        found = {}
        for meta in self._list(LOOSE, MOST):
            name = meta["path"].removeprefix(self._path(f"{LOOSE}/"))
            there = self._get(f"{LOOSE}/{name}")
            if there:
                found[name] = self._body(there, name) if there.meta["size"] <= LARGEST_LOOSE else b""
        return found

    def drop(self, name: str) -> None:
        self._delete([f"{LOOSE}/{name}"])

    def advice(self, name: str) -> str:
        said = self._kind.tool.split(" ")
        names = {"bucket": self._place.target, "name": self._path(f"{BESIDE}/{name}")}
        endpoint = self._place.options.get("endpoint")
        if endpoint and self._place.scheme == "s3":
            said += ["--endpoint-url", endpoint]
        return " ".join(shell_word(word.format(**names)) for word in said)

    def probe(self) -> None:
        """The rights to read, write, list and remove are tried on the way."""
        self._list(PROBE, 1)
        nonce = secrets.token_hex(8)
        names = [f"{PROBE}/{nonce}-{number}" for number in range(ROUNDS)]
        try:
            version = race(self._write_if, names, self.where)
            found = self._get(names[-1])
            if not found or self._version(found.meta) != version:
                raise Precondition(
                    f"{self.where}: this store gives one version for a write and another for what it wrote"
                )
        except BaseException:
            with suppress(DefendctlError, Unreachable):
                self._delete(names)
            raise
        self._delete(names)

    def _sweep(self, named: Collection[str]) -> None:
        """By the store's clock: what was put a moment ago is the newest."""
        there = self._list(BESIDE, _SWEPT)
        limit = max(meta["last_modified"] for meta in there) - KEPT if there else None
        mine = {self._path(f"{BESIDE}/{name}") for name in named}
        old = [meta["path"] for meta in there if limit and meta["last_modified"] < limit]
        gone = [path.removeprefix(self._path("")) for path in old if path not in mine]
        self._delete(gone[:_MOST_AT_ONCE])

    def _path(self, name: str) -> str:
        return f"{self._place.key}/{name}"

    def _get(self, name: str) -> GetResult | None:
        try:
            found = _heard(partial(obstore.get, self._store, self._path(name)))
        except _FAILED as error:
            refusal = self._refusal(error)
            if refusal.status == 404 and refusal.code in NO_OBJECT:
                self._has_answered = True
                return None
            raise self._refused(refusal, "read") from None
        self._has_answered = True
        return found

    def _body(self, found: GetResult, what: str) -> bytes:
        refuse_size(what, found.meta["size"])
        try:
            return bytes(_heard(found.bytes))
        except _FAILED:
            raise Unreachable("the answer broke off") from None

    def _version(self, known: Any) -> str:
        version = known[self._kind.version]
        if version is None:
            raise Precondition(f"{self.where}: this store gives its objects no version")
        return str(version)

    def _write_if(self, name: str, data: bytes, expected: str | None) -> str:
        """Raises Lost, which S3 says also where two came at once and neither was heard."""
        try:
            return self._write(name, data, {self._kind.version: expected} if expected else "create")
        except (AlreadyExistsError, PreconditionError) as error:
            refusal = self._refusal(error)
        if refusal.code in NO_BUCKET:
            raise self._refused(refusal, "write")
        raise Lost

    def _write(self, name: str, data: bytes, mode: Any) -> str:
        try:
            put = partial(obstore.put, self._store, self._path(name), data)
            done = _heard(partial(put, mode=mode, use_multipart=False))
        except _FAILED as error:
            if mode != "overwrite" and isinstance(error, AlreadyExistsError | PreconditionError):
                raise
            raise self._refused(self._refusal(error), "write") from None
        self._has_answered = True
        return self._version(done)

    def _list(self, folder: str, most: int) -> Sequence[ObjectMeta]:
        try:
            pages = obstore.list(self._store, self._path(f"{folder}/"))
            return _heard(lambda: [*islice(chain.from_iterable(pages), most)])
        except _FAILED as error:
            raise self._refused(self._refusal(error), "list") from None

    def _delete(self, names: Sequence[str]) -> None:
        try:
            for name in names:
                with suppress(FileNotFoundError):
                    _heard(partial(obstore.delete, self._store, self._path(name)))
        except _FAILED as error:
            raise self._refused(self._refusal(error), "delete") from None

    def _refusal(self, error: Exception) -> Refusal:
        return refusal_in(error, self._secrets)

    def _refused(self, refusal: Refusal, right: str) -> DefendctlError | Unreachable:
        """A refusal that stays, with what to do about it, or one that passes."""
        where, kind = self.where, self._kind
        if refusal.url and not _OURS.search(refusal.url):
            if self._has_answered:
                return Unreachable(f"the credentials could not be renewed: {refusal.text}")
            return DefendctlError(f"{where}: no credentials were found ({refusal.text})", kind.credentials)
        if refusal.code in NO_BUCKET:
            missing = f'{where}: there is no {kind.bucket} "{self._place.target}"'
            return DefendctlError(
                missing, "create it, or correct state.url, options.region or options.endpoint"
            )
        if refusal.code in WRONG_REGION or refusal.status == 301:
            elsewhere = f"{where}: the {kind.bucket} is in another region ({refusal.text})"
            return DefendctlError(elsewhere, "name the region: options.region under `state`, or AWS_REGION")
        if refusal.code in WRONG_KEY or refusal.status == 401:
            return DefendctlError(f"{where}: the credentials are refused ({refusal.text})", kind.credentials)
        if refusal.status == 403:
            what = (
                "may not be read, or it is not there" if right == "read" else f"there is no right to {right}"
            )
            return DefendctlError(f"{where}: {what} ({refusal.text})", f"grant {kind.rights[right]}")
        if refusal.is_passing:
            return Unreachable(refusal.text)
        return DefendctlError(f"{where}: the store refuses to {right} ({refusal.text})", kind.credentials)
