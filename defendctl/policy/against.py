"""How the policy of one revision differs from that of another, and whether it lets more pass. Pure."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from defendctl.inspection.contrast import Difference
from defendctl.plan.digest import canonical
from defendctl.plan.direction import INDETERMINATE, LOOSENS, NONE, TIGHTENS, worst
from defendctl.policy.rules import FLAG_RATE_CHECK, FlagRate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from defendctl.plan.direction import Direction
    from defendctl.policy.findings import Waiver
    from defendctl.policy.rules import Policy, Rule

_FLOORS: Final = ("min_threshold", "min_retries")
"""Checks that let more pass where their number is lower; of the other numbers, where it is higher."""
_LEVELS: Final = {"warn": 0, "deny": 1}


def policy_data(policy: Policy, waivers: Iterable[Waiver]) -> dict[str, Any]:
    """All by which a plan is judged, in a form that can be hashed."""
    return {
        "rules": {rule.id: _said(rule) for rule in policy.rules},
        "replay": asdict(policy.sample),
        "waivers": _by_subject(waivers),
    }


def compare_policies(before: Policy, after: Policy) -> Iterator[Difference]:
    """Each rule that came, went or was changed, by its id. A rule's own words are none of it."""
    olds, news = ({rule.id: rule for rule in policy.rules} for policy in (before, after))
    for name in sorted(olds.keys() | news.keys()):
        old, new = olds.get(name), news.get(name)
        if old and new:
            yield from _of_rule(old, new)
        else:
            way = (LOOSENS if old else TIGHTENS) if _judges(old or new) else NONE
            yield Difference(f"rule {name}", old and _said(old), new and _said(new), way)
    if before.sample != after.sample:
        yield Difference("policy.replay", asdict(before.sample), asdict(after.sample), INDETERMINATE)


def compare_waivers(before: Iterable[Waiver], after: Iterable[Waiver]) -> Iterator[Difference]:
    """Each waiver that came or went, or holds until another day. Reason and approver are none of it."""
    olds, news = _by_subject(before), _by_subject(after)
    for subject in sorted(olds.keys() | news.keys()):
        old, new = olds.get(subject), news.get(subject)
        if old != new:
            longer = new is not None and (old is None or new > old)
            yield Difference(f"waiver {subject}", old, new, LOOSENS if longer else TIGHTENS)


def _by_subject(waivers: Iterable[Waiver]) -> dict[str, str]:
    """What is waived → until when."""
    return {
        f"{w.rule} for {w.address}, {w.field} to {canonical(_plain(w.to))}": w.expires.isoformat()
        for w in waivers
    }


def _plain(value: Any) -> Any:
    if isinstance(value, FlagRate):
        return asdict(value)
    return list(value) if isinstance(value, tuple | set | frozenset) else value


def _judges(rule: Rule | None) -> bool:
    return rule is not None and rule.limit is not False


def _of_rule(old: Rule, new: Rule) -> Iterator[Difference]:
    if _said(old) == _said(new):
        return
    ways = [_of_level(old.level, new.level)]
    if old.check != new.check or old.select != new.select:
        ways.append(INDETERMINATE)
    if old.check == new.check:
        ways.append(_of_limit(old.check, old.limit, new.limit))
    yield Difference(f"rule {old.id}", _said(old), _said(new), worst(ways))


def _of_level(old: str, new: str) -> Direction:
    return _number(_LEVELS[old], _LEVELS[new], floor=True)


def _said(rule: Rule) -> dict[str, Any]:
    """As the policy has it, without its words and its place."""
    selected = {"addresses": list(rule.select.addresses), "labels": dict(rule.select.labels)}
    chosen = {name: value for name, value in selected.items() if value}
    return {"level": rule.level, rule.check: _plain(rule.limit), **({"select": chosen} if chosen else {})}


def _of_limit(check: str, old: Any, new: Any) -> Direction:
    if old == new:
        return NONE
    if isinstance(old, bool) or isinstance(new, bool):
        return TIGHTENS if new is True else LOOSENS
    if isinstance(old, int | float) and isinstance(new, int | float):
        return _number(old, new, floor=check in _FLOORS)
    if check == FLAG_RATE_CHECK:
        return _rates(old, new)
    if check == "min_threshold":
        return _floors(old, new)
    if check == "require_metrics":
        return _sets(set(new) - set(old), set(old) - set(new))
    if check.startswith("allow_"):
        return _sets(set(old) - set(new), set(new) - set(old))
    return INDETERMINATE


def _number(old: float, new: float, *, floor: bool) -> Direction:
    if old == new:
        return NONE
    return TIGHTENS if (new > old) == floor else LOOSENS


def _rates(old: float | FlagRate, new: float | FlagRate) -> Direction:
    """A number promises nothing of other events: what keeps the exact form of its rate keeps it as well."""
    (rate, sure), (then, surer) = (
        (one.rate, one.confidence) if isinstance(one, FlagRate) else (one, 0.0) for one in (old, new)
    )
    return worst([_number(rate, then, floor=False), _number(sure, surer, floor=True)])


def _floors(old: Mapping[str, float], new: Mapping[str, float]) -> Direction:
    """A metric that is not named has no floor."""
    return worst(_number(old.get(name, -1.0), new.get(name, -1.0), floor=True) for name in {*old, *new})


def _sets(tighter: set[str], looser: set[str]) -> Direction:
    ways: list[Direction] = [LOOSENS] if looser else []
    return worst([*ways, TIGHTENS] if tighter else ways)
