#!/bin/sh
# Renews requirements/all.lock from pyproject.toml: every version pinned, every file with its hash,
# no address in it. Needs uv (`pip install uv`).
set -eu
cd "$(dirname "$0")/.."
uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
    --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" "$@" \
    --extra all --group dev pyproject.toml -o requirements/all.lock
