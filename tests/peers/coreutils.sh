#!/usr/bin/env bash
# Recomputes what a release says about its files with coreutils and git, and compares it with the signed statement and with
# what `stele inspect --json` shows.
#
#   tests/peers/coreutils.sh STELE MODEL_DIR EXTRACTED
#
# EXTRACTED is where `stele inspect --extract` wrote statement.cose and manifest.cbor; MODEL_DIR has release.stele.
source "$(dirname "$0")/lib.sh"

stele=$(realpath "${1:?usage: coreutils.sh STELE MODEL_DIR EXTRACTED}")
model=$(cd "$2" && pwd)
extracted=$(cd "$3" && pwd)
record() { "$work/venv/bin/python" -B "$here/python/record.py" "$@"; }
stated() { record fields "$extracted/statement.cose" | sed -n "s/^$1\t//p"; }
shown=$("$stele" inspect --json "$model/release.stele")

# in-toto's dirHash1: the lines of sha256sum, sorted by path, hashed once more.
dir_hash() { (cd "$model" && LC_ALL=C sort | tr '\n' '\0' | xargs -0 sha256sum | sha256sum | cut -d' ' -f1); }

weights=$(record files "$extracted/manifest.cbor" weights | dir_hash)
tree=$(record files "$extracted/manifest.cbor" | dir_hash)
equal "weights.digest is what sha256sum and sort make of the weights" "$weights" "$(stated weights.digest)"
equal "tree.digest is what they make of all files" "$tree" "$(stated tree.digest)"
equal "stele shows that weights.digest" "$weights" "$(record json weights.digest <<<"$shown")"
equal "stele shows that tree.digest" "$tree" "$(record json tree.digest <<<"$shown")"
equal "the manifest is the one that the statement names" "$(sha256sum <"$extracted/manifest.cbor" | cut -d' ' -f1)" "$(stated manifest)"

recomputed=$(record files "$extracted/manifest.cbor" | while IFS= read -r path; do
    file=$model/$path
    echo "$(stat -Lc %s "$file") $(sha256sum <"$file" | cut -d' ' -f1) $(git hash-object --no-filters "$file") $path"
done)
equal "each file's size, sha256sum and git hash-object are what the manifest says" "$recomputed" "$(record listing "$extracted/manifest.cbor")"
equal "the files are those that find finds" \
    "$(cd "$model" && find -L . -type f ! -name release.stele ! -name release.toml -printf '%P\n' | LC_ALL=C sort)" \
    "$(record files "$extracted/manifest.cbor" | LC_ALL=C sort)"
sizes=$(record files "$extracted/manifest.cbor" weights | (cd "$model" && tr '\n' '\0' | xargs -0 stat -Lc %s) | awk '{ sum += $1 } END { printf "%d", sum }')
equal "weights.bytes is the sum of the weights' sizes" "$sizes" "$(stated weights.bytes)"
equal "weights.files is their number" "$(record files "$extracted/manifest.cbor" weights | wc -l)" "$(stated weights.files)"

finish coreutils
