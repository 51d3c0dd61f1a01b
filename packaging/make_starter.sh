#!/bin/sh
# Makes resources/models/starter.safetensors: renders pictures that the sample does not hold, and learns them as any user would.
# Usage: packaging/make_starter.sh [MINUTES]. What ships learnt from twelve pictures for 2.5 minutes on two cores: right enough to help, and with
# something left to correct and to learn.
set -eu
cd "$(dirname "$0")/.."
minutes=${1:-2.5}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
.venv/bin/python packaging/render_sample.py "$work/voc" --voc --count 12 --seed 1000 --longest-side 1024
.venv/bin/atrous info "$work/voc" >/dev/null  # opens it in place: writes atrous.toml
sed -i.bak 's/^working_size = .*/working_size = 640/' "$work/voc/atrous.toml"  # as the sample project, see services/opening.py
.venv/bin/atrous train "$work/voc" --recipe quick --minutes "$minutes"
version=$(.venv/bin/atrous info "$work/voc" --json | .venv/bin/python -c 'import json, sys; print(json.load(sys.stdin)["in_use"])')
out=resources/models/starter.safetensors
rm -f $out
.venv/bin/atrous model export "$work/voc" "$version" $out --format safetensors
