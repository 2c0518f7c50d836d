#!/bin/sh
# Put FILE under a pull request, in place of the comment that an earlier run wrote. That one begins with the
# same line as FILE, which is hidden, and is by the same bot: nobody else's comment is touched.
#
# usage: GH_TOKEN=… comment.sh FILE NUMBER      in GitHub Actions; the token needs `pull-requests: write`
set -eu
file=${1:?usage: comment.sh FILE NUMBER}
number=${2:?usage: comment.sh FILE NUMBER}
MARKER=$(head -n 1 "$file")
export MARKER
mine='.[] | select(.user.login == "github-actions[bot]" and (.body | startswith(env.MARKER))) | .id'
found=$(gh api --paginate "repos/$GITHUB_REPOSITORY/issues/$number/comments" --jq "$mine")
id=$(printf '%s\n' "$found" | head -n 1)
if [ -n "$id" ]; then
    gh api --silent --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$id" --field "body=@$file"
else
    gh api --silent --method POST "repos/$GITHUB_REPOSITORY/issues/$number/comments" --field "body=@$file"
fi
