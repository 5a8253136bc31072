#!/usr/bin/env bash
# gitoid 0.9.0 (crates.io, of the OmniBOR project) and git: a gitoid is what git calls a file (IANA's entry of the URI scheme): SHA-256 over the word `blob`,
# the length and the content. The library normalizes line ends first, of binary files too; `\r\n` becomes `\n`, says the documentation of omnibor 0.10.0, which
# has the same code. What it does is to leave out every byte 0x0d, with a line end behind it or without, and to count the length without them. Of a
# text from Windows that gives what was meant; of weights about one byte in 256 is gone, and the id is one of a file that nobody has.
#
# Who is hurt: who puts gitoids of models into a bill of materials (`contentIdentifier` of SPDX 3, `omniborId` of CycloneDX 1.6) or looks one up: another tool finds
# another id for the same file, from the first 0x0d on; a small test file has none, and agrees. Record the SHA-256 of the bytes beside it.
#
# Seen 2026-11-30, Rust 1.95, git 2.39: the lines at the end.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/src"
cat >"$work/Cargo.toml" <<'TOML'
[package]
name = "identify"
version = "0.0.0"
edition = "2021"

[dependencies]
gitoid = { version = "=0.9.0", default-features = false, features = ["backend-rustcrypto", "hash-sha256", "std"] }
TOML
cat >"$work/src/main.rs" <<'RS'
use gitoid::{rustcrypto::Sha256, Blob, GitOid};

fn main() {
    for path in std::env::args().skip(1) {
        let content = std::fs::read(&path).unwrap();
        println!("{}", GitOid::<Sha256, Blob>::id_bytes(&content).as_hex());
    }
}
RS
python3 - "$work" <<'PY'
import array, json, struct, sys

tensor = array.array("f", (i / 7 for i in range(65536))).tobytes()
header = json.dumps({"w": {"dtype": "F32", "shape": [65536], "data_offsets": [0, len(tensor)]}}).encode()
model = struct.pack("<Q", len(header)) + header + tensor
files = {"unix": b"one\ntwo\n", "windows": b"one\r\ntwo\r\n", "model": model}
files |= {"model-lf": model.replace(b"\r\n", b"\n"), "model-no-0d": model.replace(b"\r", b"")}
for name, content in files.items():
    open(f"{sys.argv[1]}/{name}", "wb").write(content)
print(f"of {len(model)} bytes {model.count(13)} are 0x0d, and {model.count(bytes([13, 10]))} of these before 0x0a")
PY
cd "$work"
git init --quiet --object-format=sha256 git
CARGO_HOME="$work/cargo" CARGO_TARGET_DIR="$work/target" cargo build --quiet 2>err || { cat err; exit 1; }
found=$(for name in unix windows model; do
    id=$(target/debug/identify $name)
    for file in unix windows model model-lf model-no-0d; do
        [[ $id != "$(git -C git hash-object --no-filters "../$file")" ]] || echo "the gitoid of $name is the one that git gives to $file"
    done
done)
echo "$found"
[[ $found == 'the gitoid of unix is the one that git gives to unix
the gitoid of windows is the one that git gives to unix
the gitoid of model is the one that git gives to model-no-0d' ]]
