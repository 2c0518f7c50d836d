"""From what files hold to their ids: nothing else of a workflow moves, and what is not uploaded stays."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from defendctl.api.decode import observe
from defendctl.api.dialects import DIALECTS
from defendctl.model import NEWEST, LocalFile, Observed, State, Workflow
from defendctl.plan.build import World, build_plan
from defendctl.plan.changes import files_to_upload
from defendctl.plan.uploads import has_id, known_ids, with_ids
from tests.plan.given import ADDRESS

ONE, TWO = (LocalFile(f"docs/{name}.pdf", name * 64, 6) for name in "12")
FILES = {file.content: file for file in (ONE, TWO)}
CUSTOM = Workflow("Support bot", "custom", {"completeness": 0.8}, "none")

names = st.sampled_from(["file_a", "file_b", *FILES])
uploads = st.dictionaries(st.sampled_from([ONE.sha256, TWO.sha256]), st.sampled_from(["file_a", "file_c"]))


@given(st.sets(names), uploads)
def test_what_is_known_becomes_its_id(wanted: set[str], known: dict[str, str]) -> None:
    before = replace(CUSTOM, file_search=tuple(sorted(wanted)))
    ids = known_ids(FILES, known)
    after = with_ids(before, ids)
    assert replace(after, file_search=before.file_search) == before
    assert after.file_search == tuple(sorted({ids.get(name, name) for name in wanted}))
    assert with_ids(after, ids) == after
    assert has_id(after.file_search) == (
        not {c for c in FILES if c in wanted and FILES[c].sha256 not in known}
    )


def test_the_plan_says_what_it_uploads() -> None:
    wanted = replace(CUSTOM, file_search=("file_a", ONE.content))
    files = {ONE.content: ONE, "file_a": TWO, TWO.content: TWO}
    world = World({ADDRESS: wanted}, {}, State(), DIALECTS[NEWEST].support, "h", {ADDRESS}, files=files)
    (change,) = build_plan(world).changes
    assert change.files == {"file_a": TWO, ONE.content: ONE}
    assert files_to_upload(change) == (ONE,)
    (blocked,) = build_plan(replace(world, support=DIALECTS["2025-10-07"].support)).changes
    assert (blocked.action, files_to_upload(blocked)) == ("blocked", ())


def test_no_answer_passes_for_a_file_that_is_to_be_uploaded() -> None:
    answer: Observed = observe(
        {"workflow_id": "w", "files": [{"file_id": ONE.content}, {"file_id": "file_a"}]}
    )
    assert answer.fields["file_search"] == (f"(an id) {ONE.content}", "file_a")
