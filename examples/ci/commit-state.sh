#!/bin/sh
# Commit what apply recorded and push it. Run it also after an apply that failed: what was done must not
# be forgotten. Exits 0 when the state is in the branch; otherwise keep the files as an artefact.
#
# usage: commit-state.sh BRANCH
set -eu
branch=${1:?usage: commit-state.sh BRANCH}
files=$(defendctl state paths --all-envs) # with their journals; also one that is gone since
printf '%s\n' "$files" | while IFS= read -r file; do
    [ -z "$file" ] || git add --all -- "$file"
done
if git diff --cached --quiet; then
    exit 0
fi
git commit --quiet --message "Record the state of the guardrails [skip ci]"
for attempt in 1 2 3 4 5; do
    if git push --quiet origin "HEAD:$branch"; then
        exit 0
    fi
    # Somebody pushed meanwhile. Only this job writes the state, so the rebase touches nothing of it;
    # if it does conflict, two applies ran at once, and a person must look.
    git pull --quiet --rebase origin "$branch"
done
exit 1
