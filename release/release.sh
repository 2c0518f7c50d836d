#!/bin/sh
# Builds what a release consists of into dist/, checks each of it, and says what is left to do. Publishes nothing.
#
# usage: release.sh BUILDS TOOLS      in the checkout of a commit. BUILDS: the bin of an environment with the build
# backend (requirements-dev.lock), TOOLS: of requirements-tools.lock; `make release` names them.
set -eu
umask 022
usage="usage: release.sh BUILDS TOOLS"
builds=$(realpath "${1:?$usage}") tools=$(realpath "${2:?$usage}")
say() { printf '\n== %s\n' "$1"; }
if [ -n "$(git status --porcelain)" ]; then
    git status --short >&2
    echo "a release is made of a commit: commit these files or remove them" >&2
    exit 1
fi
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
version=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' defendctl/__init__.py)

say "sdist and wheel"
rm -rf dist
"$builds/hatchling" build --directory dist
wheel=dist/defendctl-$version-py3-none-any.whl

say "the wheel again, from the sdist"
again=$(mktemp -d)
trap 'rm -rf "$again"' EXIT
tar -xzf "dist/defendctl-$version.tar.gz" -C "$again"
(cd "$again/defendctl-$version" && "$builds/hatchling" build --target wheel --directory "$again")
cmp "$wheel" "$again/${wheel#dist/}"

say "checks"
"$tools/twine" check --strict dist/*
"$tools/check-wheel-contents" "$wheel"
"$tools/validate-pyproject" pyproject.toml

say "the locks, as they are installed"
for lock in requirements.lock requirements-build.lock; do
    "$tools/pip" install --quiet --dry-run --ignore-installed --require-hashes --only-binary :all: --requirement "$lock"
    echo "$lock: every package is there, with these hashes"
done

say "one file"
zipapp=$(sh release/zipapp.sh "$tools" "$wheel" dist | tail -n 1)
SHIV_ROOT=$again env -i SHIV_ROOT="$again" "$tools/python" -I "$zipapp" --version

say "dist/SHA256SUMS"
(cd dist && sha256sum -- *.whl *.tar.gz *.pyz >SHA256SUMS && cat SHA256SUMS)

say "what is left to do"
grep -q "^## \[$version\]" CHANGELOG.md ||
    echo "* CHANGELOG.md has no section [$version]: name it, commit, and make this again"
[ "$(git describe --exact-match --tags 2>/dev/null)" = "v$version" ] ||
    echo "* git tag --sign v$version && git push origin v$version"
cat <<END
* .github/workflows/release.yml then builds the same from the tag, and publishes once somebody approves it there
  (environment \`pypi\`). Compare its SHA256SUMS with these: the wheel and the sdist are the same bytes everywhere, the
  single file where Python and its zlib are the same.
* \`make test-slow\`, \`make test-lowest\`, \`make test-pythons\` and \`make audit\` belong before it. Nothing was published.
END
