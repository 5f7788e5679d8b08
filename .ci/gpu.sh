#!/usr/bin/env bash
# What a GPU is worth: tests with the marker `gpu` and measurements, under JAX and PyTorch, in JSON.
#
#   gpu.sh OUT [WHEELS] [VGG19.npz]        at most 8 minutes: what takes longer is ended, and told
#   SMALL=1 BACKENDS=jax gpu.sh OUT        a rehearsal on any machine, with tiny pictures
#
# OUT: a folder; gets gpu-jax.json, gpu-torch.json and a log of each. WHEELS: a folder of wheels, for
# a machine without network; what is installed there already is used. The machine needs Python 3.11
# or newer, NumPy, SciPy, OpenCV, h5py, pytest, and JAX or PyTorch with its GPU's libraries; no
# TensorFlow. The wheels, fetched where there is a network (with --python-version and --platform for
# another machine than this one), some 20 MB:
#
#   pip download --no-deps -d WHEELS keras namex optree rich absl-py ml-dtypes loky cloudpickle \
#     platformdirs markdown-it-py mdurl pygments packaging pillow pillow-heif
#
# VGG19.npz: VGG-19 with a mean activation of 1 up to block4_conv1, as `--weights` takes it; without
# it, losses by VGG-19 are left out, and times are taken with random weights.
set -euo pipefail

out=$1 wheels=${2:-} vgg=${3:-}
mkdir -p "$out"
out=$(realpath "$out")
[ -z "$vgg" ] || vgg=$(realpath "$vgg")
root=$(realpath "$(dirname "$0")/..")

# The package in place, without installing it: apps/ and models/ belong inside stylizer/.
site=$(mktemp -d)
trap 'rm -rf "$site"' EXIT
mkdir "$site/stylizer" "$site/wheels"
ln -s "$root"/stylizer/* "$site/stylizer/"
ln -s "$root/models" "$site/stylizer/models"
ln -s "$root/apps" "$site/stylizer/apps"
if [ -n "$wheels" ]; then
  python3 -m pip install -q --no-index --no-deps --target "$site/wheels" "$(realpath "$wheels")"/*.whl
fi
export PYTHONPATH="$site:$site/wheels${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1
export XLA_PYTHON_CLIENT_PREALLOCATE=false

failed=0
for backend in ${BACKENDS:-jax torch}; do
  export KERAS_BACKEND=$backend
  measuring=110 testing=60 # seconds
  [ "$backend" != jax ] || measuring=250 # most of it for compiling
  [ -z "${SMALL:-}" ] || measuring=7200 testing=7200
  (
    cd "$site" # not in the checkout, whose stylizer/ would be found first
    code=0
    timeout "$measuring" python3 -m stylizer.apps.bench.gpu "$out/gpu-$backend.json" ${vgg:+--vgg "$vgg"} \
      --minutes $((measuring / 60)) ${SMALL:+--small} || code=1
    # 5: there is no such test, or none is for this machine
    timeout "$testing" python3 -m pytest -q -rs -c /dev/null --rootdir "$root/tests/gpu" --import-mode importlib \
      --noconftest -p no:cacheprovider -W ignore -m gpu "$root/tests/gpu" || [ $? = 5 ] || code=1
    exit "$code"
  ) 2>&1 | tee "$out/gpu-$backend.log" || failed=1
done
exit "$failed"
