#!/bin/sh
# Makes .venv with the `atrous` command in it: Python, the pinned libraries, and what Qt needs of the system.
# Usage: packaging/setup.sh [run|test]. With "test", Xvfb is installed too where it is missing.
set -eu
cd "$(dirname "$0")/.."
purpose=${1:-run}
venv=.venv
TORCH_CPU_INDEX=https://download.pytorch.org/whl/cpu

say() { printf 'setup: %s\n' "$*"; }

# Installs Debian packages when we may; otherwise prints the line that does, and stops.
install_packages() {
    if ! command -v apt-get >/dev/null 2>&1; then
        say "missing from this system: $*. Install what provides them, then run make again."
        exit 1
    elif [ "$(id -u)" -eq 0 ]; then
        say "installing $*"
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
    else
        say "these system packages are missing. Run this line, then make again:"
        printf '  sudo apt-get update && sudo apt-get install -y --no-install-recommends %s\n' "$*"
        exit 1
    fi
}

find_python() {
    for name in python3 python3.14 python3.13 python3.12 python3.11; do
        if command -v "$name" >/dev/null 2>&1 && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$name"
            return
        fi
    done
}

missing_system_packages() {
    [ "$(uname)" = Linux ] || return 0
    libraries=$( (ldconfig -p || /sbin/ldconfig -p) 2>/dev/null) || :
    while read -r file package; do
        case "$file" in ''|'#'*) continue ;; esac
        case "$libraries" in *"$file"*) ;; *) printf '%s ' "$package" ;; esac
    done < packaging/system-libraries.txt
    if [ "$purpose" = test ] && ! command -v Xvfb >/dev/null 2>&1; then printf 'xvfb '; fi
    if [ -n "$python" ] && [ ! -x $venv/bin/pip ] && ! "$python" -c 'import ensurepip' 2>/dev/null; then
        "$python" -c 'import sys; print("python3.%d-venv" % sys.version_info[1], end=" ")'
    fi
}

python=$(find_python)
if [ -z "$python" ]; then
    say "Python 3.11 or newer is needed and was not found."
    exit 1
fi
packages=$(missing_system_packages)
# shellcheck disable=SC2086  # a list of words
[ -z "$packages" ] || install_packages $packages

stamp=$venv/.ready
fingerprint=$(cat pyproject.toml packaging/constraints.txt packaging/setup.sh | cksum)
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$fingerprint" ]; then
    exit 0
fi

if [ ! -x $venv/bin/pip ]; then
    say "making $venv with $("$python" --version)"
    "$python" -m venv $venv
fi

torch=$(grep '^torch==' packaging/constraints.txt)
if ! $venv/bin/python -c "import importlib.metadata as m, sys; sys.exit(m.version('torch').split('+')[0] != '${torch#torch==}')" 2>/dev/null; then
    say "installing $torch"
    if [ "$(uname)" = Linux ] && ! command -v nvidia-smi >/dev/null 2>&1; then
        $venv/bin/pip install -q --timeout 15 --retries 0 --index-url $TORCH_CPU_INDEX "$torch" >/dev/null 2>&1 ||
            $venv/bin/pip install -q "$torch"
    else
        $venv/bin/pip install -q "$torch"
    fi
fi
say "installing Atrous and its libraries"
$venv/bin/pip install -q -c packaging/constraints.txt -e '.[dev]'
echo "$fingerprint" > "$stamp"
say "ready: $venv/bin/atrous"
