#!/bin/sh
# One file that a Python of this version on such a machine runs with nothing installed: the wheel and what
# requirements.lock pins, unpacked. The same commit gives the same bytes: SOURCE_DATE_EPOCH is its time.
#
# usage: zipapp.sh TOOLS WHEEL DIRECTORY      TOOLS: the bin of what requirements-tools.lock pins
set -eu
umask 022
usage="usage: zipapp.sh TOOLS WHEEL DIRECTORY"
tools=${1:?$usage} wheel=${2:?$usage} directory=${3:?$usage}
: "${SOURCE_DATE_EPOCH:?is the time of the commit: git log -1 --format=%ct}"
if [ "$SOURCE_DATE_EPOCH" -lt 315532800 ]; then
    SOURCE_DATE_EPOCH=315532800 # 1980: an archive knows no earlier time
fi
export SOURCE_DATE_EPOCH
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
mkdir -p "$made/wheels" "$made/site" "$directory"
"$tools/pip" download --quiet --require-hashes --only-binary :all: --requirement requirements.lock --dest "$made/wheels"
# Unpacked and not installed: pip would write the paths of this machine into scripts and records.
for each in "$made"/wheels/*.whl "$wheel"; do
    "$tools/python" -m zipfile -e "$each" "$made/site"
done
if find "$made/site" -maxdepth 1 -name '*.data' | grep .; then
    echo "these hold files that belong elsewhere than where they were unpacked" >&2
    exit 1
fi
here=$("$tools/python" -c 'import sys, sysconfig as s; print("cp%d%d-%s" % (*sys.version_info[:2], s.get_platform()))')
name=$(basename "$wheel" -py3-none-any.whl)-$here.pyz
"$tools/shiv" --site-packages "$made/site" --compressed --reproducible --console-script defendctl \
    --preamble release/one_python.py --python '/usr/bin/env python3' --output-file "$directory/$name"
echo "$directory/$name"
