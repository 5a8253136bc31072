#!/usr/bin/env bash
# packageurl-python 0.17.6 (PyPI) and packageurl-js 2.0.1 (npm): one package URL of a model at another hub than the default one,
# read and written again, is two texts. Python leaves `:` and `/` of the value of `repository_url` as they are, JavaScript writes `%3A` and
# `%2F`. And of a version at an OCI registry Python makes lower case, which JavaScript does not. Both call their text the canonical one.
#
# Who is hurt: whoever takes the text of a package URL for the identity of a model, as a key of a database or an identifier in two bills
# of materials: what a tool in one language names is not found by the other. Compare parts, or write with one library everywhere.
#
# Seen 2026-11-29, Python 3.11, Node 20.20: two texts for each of the two; one text for a plain package URL of a hub.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check packageurl-python==0.17.6
purls=('pkg:huggingface/Acme/Tiny@ABCDEF0123' 'pkg:huggingface/acme/tiny@0123?repository_url=https://hub.acme.example' 'pkg:oci/tiny@sha256:AB12')
python=$("$work/venv/bin/python" -c 'import sys; from packageurl import PackageURL; print(*map(PackageURL.from_string, sys.argv[1:]), sep="\n")' "${purls[@]}")
mkdir "$work/node"
(cd "$work/node" && npm init --yes >npm.out && npm install --silent packageurl-js@2.0.1)
cat >"$work/node/again.mjs" <<'JS'
import { PackageURL } from 'packageurl-js'

for (const purl of process.argv.slice(2)) console.log(PackageURL.fromString(purl).toString())
JS
node=$(node "$work/node/again.mjs" "${purls[@]}")
printf 'Python:\n%s\nJavaScript:\n%s\n' "$python" "$node"
[[ $python == 'pkg:huggingface/Acme/Tiny@abcdef0123
pkg:huggingface/acme/tiny@0123?repository_url=https://hub.acme.example
pkg:oci/tiny@sha256:ab12' && $node == 'pkg:huggingface/Acme/Tiny@abcdef0123
pkg:huggingface/acme/tiny@0123?repository_url=https%3A%2F%2Fhub.acme.example
pkg:oci/tiny@sha256:AB12' ]]
