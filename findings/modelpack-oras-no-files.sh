#!/usr/bin/env bash
# oras 1.3.6 and CNCF ModelPack (model-spec d78bf32): `oras pull` of an artifact as the specification has it writes no file and ends with 0. ModelPack names the file of a
# layer in the annotation `org.cncf.model.filepath`; oras goes by `org.opencontainers.image.title`, says `Skipped` of each layer, and succeeds.
#
# Who is hurt: a job that pulls a model with oras goes on with an empty folder. Who packs for both writes both annotations, as `stele push` does; who
# pulls checks that something came.
#
# Seen 2026-11-30, Go 1.26.8, Debian's docker-registry 2.8.2: exit code 0 and no folder; with the other annotation both files.
set -euo pipefail
work=$(mktemp -d)
trap 'kill "$registry" 2>/dev/null; rm -rf "$work"' EXIT
command -v docker-registry >/dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends docker-registry; }
GOBIN=$work/bin go install oras.land/oras/cmd/oras@v1.3.6
oras=$work/bin/oras
host=127.0.0.1:$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
printf 'version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: "%s"}}\nhttp: {addr: "%s"}\n' "$work/data" "$host" >"$work/config.yml"
docker-registry serve "$work/config.yml" &
registry=$!
cd "$work"
printf '{}' >config.json
printf 'weights' >model.safetensors
for _ in {1..50}; do
    "$oras" push --plain-http "$host/tiny:titles" --artifact-type application/vnd.cncf.model.manifest.v1+json \
        config.json:application/vnd.cncf.model.weight.config.v1.raw model.safetensors:application/vnd.cncf.model.weight.v1.raw && break
    sleep 0.1
done
"$oras" manifest fetch --plain-http "$host/tiny:titles" | sed 's/org.opencontainers.image.title/org.cncf.model.filepath/g' >as-specified.json
"$oras" manifest push --plain-http "$host/tiny:modelpack" as-specified.json
"$oras" pull --plain-http -o with-titles "$host/tiny:titles"
"$oras" pull --plain-http -o as-specified "$host/tiny:modelpack"
printf 'with titles: %s files; as ModelPack has it: %s files\n' "$(find with-titles -type f | wc -l)" "$(find . -path './as-specified/*' | wc -l)"
[[ $(find with-titles -type f | wc -l) == 2 && ! -e as-specified ]]
