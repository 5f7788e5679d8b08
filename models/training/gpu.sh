#!/usr/bin/env bash
# Trains on a machine with a GPU that has JAX, Keras, h5py and platformdirs, and no network.
#
#   gpu.sh PACK OUT MINUTES [setting ...]
#
# PACK: what `python -m stylizer.models.training.pack DATA PACK` makes, 49 MB. OUT: gets state.npz,
# NETWORK.weights.h5 (both under 16 MB), log.csv, sheet.jpg and the log; where state.npz is there
# already, it goes on from it. MINUTES: of training; compiling and the sheet at the end take two
# more. Settings: as of `stylizer.models.training.train`, such as --network adaptive --batch 32.
#
# An H200 did 350 pictures of 256 pixels a second with all losses. Rehearse first, for a minute and
# with the very settings, that the losses fall: 340,000 pictures were once painted by a network that
# had died.
set -euo pipefail

pack=$(realpath "$1") out=$2 minutes=$3
shift 3
mkdir -p "$out"
out=$(realpath "$out")
root=$(realpath "$(dirname "$0")/../..")

# The package in place, without installing it: apps/ and models/ belong inside stylizer/.
site=$(mktemp -d)
trap 'rm -rf "$site"' EXIT
mkdir "$site/stylizer"
ln -s "$root"/stylizer/* "$site/stylizer/"
ln -s "$root/models" "$site/stylizer/models"
ln -s "$root/apps" "$site/stylizer/apps"

export PYTHONPATH="$site${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1 KERAS_BACKEND=jax
cd "$site" # not in the checkout, whose stylizer/ would be found first
python3 -m stylizer.models.training.train "$pack" --out "$out" --minutes "$minutes" \
  --arithmetic bfloat16 "$@" 2>&1 | tee -a "$out/log.txt"
