#!/usr/bin/env bash
# Tessera's fsck reads a log from its entries to its root and compares every tile. It must accept PUBLIC, the folder that a log
# serves, as files and over HTTP, and refuse copies of it with one byte flipped.
#
#   tests/peers/fsck.sh PUBLIC ORIGIN VKEY [URL]
#
# VKEY is a file with the log's verifier key. URL is the running log's, if it runs.
source "$(dirname "$0")/lib.sh"

public=$(cd "${1:?usage: fsck.sh PUBLIC ORIGIN VKEY [URL]}" && pwd)
origin=$2 vkey=$3 url=${4:-}
copy=$(mktemp -d "$work/fsck.XXXXXX")
trap 'rm -rf "$copy"; [[ -z ${server:-} ]] || kill "$server"' EXIT

# fsck ends with 0 whatever it found, and its words are the verdict. With one worker it waits for ever behind a bad tile,
# hence the many.
fsck() { # URL [ORIGIN]
    local said
    said=$(timeout 60 "$work/bin/fsck" --ui=false --N=512 --storage_url="$1" --origin="${2:-$origin}" --public_key="$vkey" 2>&1) || {
        printf '%s\nfsck did not come to an end\n' "$said"
        return 1
    }
    printf '%s\n' "$said"
    grep -q "Successfully fsck'd log" <<<"$said" && ! grep -q 'fsck failed' <<<"$said"
}

# damaged "what" PATTERN FILE BYTE: a copy of the log with the lowest bit of one byte of a file flipped.
damaged() {
    local what=$1 pattern=$2 file=$3 at=$4
    rm -rf "$copy/log" && cp -a "$public" "$copy/log" && chmod -R u+w "$copy/log"
    python3 - "$copy/log/$file" "$at" <<'PY'
import sys
path, at = sys.argv[1], int(sys.argv[2])
content = bytearray(open(path, "rb").read())
content[at] ^= 1
open(path, "wb").write(content)
PY
    refuses "$what ($file)" "$pattern" fsck "file://$copy/log"
}

# current LEVEL: the right-most file of a level that the newest checkpoint needs. A log may have older partial ones, and
# damage to those is nothing that fsck looks for.
current() {
    python3 - "$(sed -n 2p "$public/checkpoint")" "$1" <<'PY'
import sys
size, level = int(sys.argv[1]), sys.argv[2]
width = size >> (0 if level == "entries" else 8 * int(level))
index = (width - 1) >> 8
parts = []
rest = index
while not parts or rest:
    parts.insert(0, ("x" if parts else "") + f"{rest % 1000:03}")
    rest //= 1000
print(f"tile/{level}/{'/'.join(parts)}" + (f".p/{width % 256}" if width % 256 else ""))
PY
}

accepts "fsck accepts the log's files" fsck "file://$public"
if [[ -n $url ]]; then
    accepts "fsck accepts the running log" fsck "$url/"
fi

python3 -u -m http.server --bind 127.0.0.1 --directory "$public" 0 >"$copy/served" 2>&1 &
server=$!
for _ in $(seq 50); do
    port=$(sed -nE 's/.* port ([0-9]+) .*/\1/p' "$copy/served")
    [[ -n $port ]] && break
    sleep 0.1
done
accepts "fsck accepts them behind a plain web server" fsck "http://127.0.0.1:$port/"

size=$(sed -n 2p "$public/checkpoint")
bundle=$(current entries) tile=$(current 0)
damaged "fsck refuses a flipped byte in an entry" 'fsck failed' "$bundle" -2
damaged "fsck refuses a flipped byte in an entry's length" 'fsck failed' "$bundle" 1
damaged "fsck refuses a flipped byte in a tile" 'fsck failed: failed: tile/.*: log has:' "$tile" 3
if [[ $size -gt 256 ]]; then
    damaged "fsck refuses a flipped byte in a full tile" 'fsck failed: failed: tile/.*: log has:' tile/0/000 8000
    damaged "fsck refuses a flipped byte in a tile above" 'fsck failed: failed: tile/.*: log has:' "$(current 1)" 3
fi
damaged "fsck refuses a flipped byte in the checkpoint" 'fsck failed' checkpoint "$(($(head -3 "$public/checkpoint" | wc -c) - 10))"
refuses "fsck refuses the log under another origin" 'fsck failed' fsck "file://$public" other.example/log

finish fsck
