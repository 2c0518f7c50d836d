"""One workflow as it stands in a file, and the splices that make it say something else."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from defendctl.editing.fmt import OLD_NAME
from defendctl.editing.values import quotes, replaced, spelling
from defendctl.model import FieldPath, metric_path, split_metrics
from defendctl.yamltext.items import NoPlace, changed_items
from defendctl.yamltext.splice import Splice, has_comment

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from defendctl.yamltext.marks import Mark


_LEVELS_DIFFER = (
    "`tolerance` gives every metric of the list the same level, and live they differ: "
    "make `metrics` a mapping of metric to level"
)
_NONE_LEFT = "no metric is live any more, and a manifest must name at least one"
_MERGED = "it comes from a merge key (`<<`), from which no single value can be removed"


class Body:
    """`was` is its data, merges resolved; `wanted`, which is changed, what shall be read afterwards."""

    def __init__(self, text: str, mark: Mark, was: Mapping[str, Any], wanted: dict[str, Any]) -> None:
        self.splices: list[Splice] = []
        self.new: dict[str, Any] = {}
        """Fields that get a line of their own."""
        self._text, self._mark, self._was, self._wanted = text, mark, was, wanted
        self._quotes = quotes(mark)

    def put(
        self, values: Mapping[FieldPath, Any], metrics: Mapping[str, Any], *, hides: bool = False
    ) -> dict[FieldPath, str]:
        """Path → why not, of those that cannot be put. `metrics` are all, for where they are written out."""
        refused: dict[FieldPath, str] = {}
        others, levels = split_metrics(values)
        for name, value in others.items():
            with _telling([FieldPath(name)], refused):
                if name == "file_search":
                    self._list(name, list(value))
                else:
                    self._scalar(name, value)
        if levels:
            with _telling([metric_path(name) for name in levels], refused):
                self._metrics(levels, metrics, hides)
        return refused

    def _scalar(self, field: str, value: Any) -> None:
        name = OLD_NAME if field == "max_retries" and OLD_NAME in self._was else field
        self._whole(name, value)

    def _whole(self, name: str, value: Any) -> None:
        own = self._mark.get(name)
        if own is None:
            spelling(value, self._quotes)
            self.new[name] = value
        else:
            self.splices.append(replaced(self._text, own, value, self._quotes))
        self._wanted[name] = value

    def _list(self, name: str, value: list[str]) -> None:
        own = self._mark.get(name)
        if own is None or own.kind != "list":
            self._whole(name, value)
            return
        have = self._was[name]
        removed = {i for i, one in enumerate(have) if one not in value}
        added = [one for one in value if one not in have]
        if not own.flow and len(removed) == len(have) and not added:
            self.splices.append(self._emptied(name, own))
        else:
            self._items(own, removed, [spelling(one, self._quotes) for one in added])
        self._wanted[name] = [one for one in have if one in value] + added

    def _emptied(self, name: str, own: Mark) -> Splice:
        key = self._mark.pair(name)
        assert key
        between = self._text[key[0].end : own.end]
        if has_comment(between) or own.anchor:
            raise NoPlace("there are comments between the lines that would be removed")
        return Splice(key[0].end, own.end, ": []")

    def _items(self, node: Mark, removed: Collection[int], added: Sequence[str]) -> None:
        self.splices += list(changed_items(self._text, node, removed, added))

    def _metrics(self, changes: Mapping[str, Any], all_of_them: Mapping[str, Any], hides: bool) -> None:
        own, have = self._mark.get("metrics"), self._was.get("metrics")
        if isinstance(have, list):
            self._listed(own, have, changes)
        elif own is not None and own.kind == "map":
            self._mapped(own, have or {}, changes, hides or self._emptied_here(own, changes, all_of_them))
        elif have is None:
            self._whole("metrics", dict(changes))
        elif not all_of_them:
            raise NoPlace(_NONE_LEFT)
        else:
            self._whole("metrics", dict(all_of_them))

    def _emptied_here(self, own: Mark, changes: Mapping[str, Any], all_of_them: Mapping[str, Any]) -> bool:
        """Whether nothing would be left in this mapping, though other places name metrics. Raises NoPlace."""
        names = {key.text for key, _ in own.pairs}
        kept = any(changes.get(name, 0) is not None for name in names)
        if kept or any(value is not None for name, value in changes.items() if name not in names):
            return False
        if all_of_them.keys() <= names | changes.keys():
            raise NoPlace(_NONE_LEFT)
        return True

    def _mapped(self, own: Mark, have: Mapping[str, Any], changes: Mapping[str, Any], hides: bool) -> None:
        names = [key.text for key, _ in own.pairs]
        removed = {names.index(n) for n, v in changes.items() if v is None and n in names and not hides}
        if any(v is None and n not in names and n in have for n, v in changes.items()):
            raise NoPlace(_MERGED)
        new = {n: v for n, v in changes.items() if n not in names}
        sets = [
            replaced(self._text, own.pairs[names.index(n)][1], v, self._quotes)
            for n, v in changes.items()
            if n in names and names.index(n) not in removed
        ]
        style = quotes(own)
        self._items(own, removed, [f"{spelling(n, style)}: {spelling(v, style)}" for n, v in new.items()])
        self.splices += sets
        gone = {names[index] for index in removed}
        self._wanted["metrics"] = {n: v for n, v in {**have, **changes}.items() if n not in gone}

    def _listed(self, own: Mark | None, have: list[str], changes: Mapping[str, Any]) -> None:
        after = {name: self._was.get("tolerance") for name in have} | dict(changes)
        levels = {level for level in after.values() if level is not None}
        if not levels:
            raise NoPlace(_NONE_LEFT)
        if len(levels) > 1:
            raise NoPlace(_LEVELS_DIFFER)
        names = [name for name, level in after.items() if level is not None]
        if names != have:
            self._list("metrics", names)
        level = levels.pop()
        if level != self._was.get("tolerance"):
            self._whole("tolerance", level)


@contextmanager
def _telling(paths: Sequence[FieldPath], refused: dict[FieldPath, str]) -> Iterator[None]:
    try:
        yield
    except NoPlace as why:
        refused.update(dict.fromkeys(paths, str(why)))
