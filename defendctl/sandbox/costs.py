"""What an evaluation costs. Every number is invented: the vendor's samples say 0.01, no price list is known.

The cost is 0.001 × the metrics evaluated × the weight of the run mode × a surcharge, which is 1, and ½ more
for web search, ½ for file search and ¼ for context awareness.
"""

from defendctl.sandbox.model import Workflow

PER_METRIC = 0.001
# From the fastest to the most thorough, in both vocabularies.
WEIGHTS = {
    "ultra_fast": 1,
    "super_fast": 1,
    "economy": 1,
    "fast": 2,
    "smart": 4,
    "precision": 5,
    "precision_codex": 6,
    "precision_plus": 8,
    "precision_max": 8,
    "precision_plus_codex": 10,
    "precision_max_codex": 10,
}
_OTHER = 5  # the console may set anything
WITHOUT_SEARCH = ("ultra_fast", "super_fast")
"""By the page of submissions. Whether the API refuses them where a workflow searches is not said: here it
does not search."""


def evaluation_cost(metrics: int, run_mode: str, workflow: Workflow) -> float:
    searches = (workflow.web_search is True) + bool(workflow.file_search)
    searches = 0 if run_mode in WITHOUT_SEARCH else searches
    surcharge = 0.5 * searches + 0.25 * (workflow.context_awareness is True)
    return round(PER_METRIC * metrics * WEIGHTS.get(run_mode, _OTHER) * (1 + surcharge), 6)
