#!/usr/bin/env bash
# What action.yml runs: installs defendctl from the action's own commit, with what requirements.lock pins and nothing
# else, and runs one command of `defendctl ci`, if it is given one. Inputs come as variables and are words, never code.
set -euo pipefail

refuse() {
    echo "::error title=defendctl::$1"
    echo "exit-code=64" >>"$GITHUB_OUTPUT"
    exit 64
}

# An environment of its own. What is checked out is not looked into (-I). A second step of the same job finds it.
install() {
    local home pip
    home="$RUNNER_TEMP/defendctl-$(printf %s "$GITHUB_ACTION_PATH" | cksum | cut -d ' ' -f 1)" # it names the commit
    pip=("$home/bin/pip" --disable-pip-version-check install --quiet)
    if [[ ! -e "$home/.installed" ]]; then
        python3 -I -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
            refuse "there is no Python 3.11 or newer here: let a step with actions/setup-python stand before this one"
        python3 -I -m venv --clear "$home"
        "${pip[@]}" --require-hashes --only-binary :all: \
            -r "$GITHUB_ACTION_PATH/requirements.lock" -r "$GITHUB_ACTION_PATH/requirements-build.lock"
        "${pip[@]}" --no-deps --no-index --no-build-isolation "$GITHUB_ACTION_PATH"
        touch "$home/.installed"
    fi
    PATH="$home/bin:$PATH"
    echo "$home/bin" >>"$GITHUB_PATH" # for the steps after this one
}

read -ra words <<<"${INPUT_COMMAND//$'\n'/ }"
case ${words[0]:-} in
    plan | apply | check | drift | "") ;;
    *) refuse "command has to begin with plan, apply, check or drift; empty, it only installs" ;;
esac
case $INPUT_VERSION in
    "") install ;;
    none) command -v defendctl >/dev/null || refuse "version is none, and there is no defendctl on the PATH" ;;
    *) refuse "version is either empty or none: another version is another commit of the action" ;;
esac

if [[ ${#words[@]} -eq 0 ]]; then
    [[ -z $INPUT_ENVIRONMENT$INPUT_APPROVE ]] || refuse "environment and approve are for a command, and there is none"
    defendctl --version
    exit 0
fi
read -ra environments <<<"${INPUT_ENVIRONMENT//$'\n'/ }"
for environment in ${environments[@]+"${environments[@]}"}; do
    words+=("--env=$environment")
done
[[ -z $INPUT_APPROVE ]] || words+=("--approve=$INPUT_APPROVE")

code=0
defendctl -C "$INPUT_DIRECTORY" ci "${words[@]}" || code=$?
echo "exit-code=$code" >>"$GITHUB_OUTPUT"
exit "$code"
