#!/usr/bin/env bash
# Sets up an environment from constraints.txt and runs the fast tests on each Python that is here.
# usage: .ci/release/each_python.sh [3.10 3.12 ...]     all of 3.10 to 3.13 by default
# An environment is kept in .venv-VERSION. A Python is looked for on the path and among those of pyenv.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

find_python() {
    local candidate
    for candidate in "python$1" "$HOME"/.pyenv/versions/"$1".*/bin/python; do
        if "$candidate" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$1')" 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    return 1
}

[ $# -gt 0 ] || set -- 3.10 3.11 3.12 3.13
results=()
for version in "$@"; do
    if ! python=$(find_python "$version"); then
        results+=("$version: not on this machine")
    elif make --no-print-directory PYTHON="$python" VENV=".venv-$version" test; then
        results+=("$version: passed")
    else
        results+=("$version: FAILED")
    fi
done
printf '%s\n' "${results[@]}"
[[ "${results[*]}" != *FAILED* ]]
