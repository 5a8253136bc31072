#!/usr/bin/env bash
# go-containerregistry 0.22.1, the registry of `registry.New(registry.WithReferrersSupport(true))`: its list of referrers says the media type of a manifest's config as `artifactType`, and not the
# manifest's own `artifactType`, as version 1.1 of the distribution specification has it ("set to the value of the artifactType in the image manifest, if present"). An artifact with the
# empty config, which is how the specification wants most of them, is of the type `application/vnd.oci.empty.v1+json` there. The same list in docker-registry with oras's tag has the type.
#
# Who is hurt: a client that goes by the list finds no signature and no bill of materials there, and no error; `oras discover --artifact-type` shows none. Read the manifests of what is listed so.
#
# Seen 2026-11-30, Go 1.26.8, oras 1.3.6: application/vnd.oci.empty.v1+json in the list, application/example.sbom in the manifest.
set -euo pipefail
work=$(mktemp -d)
trap 'kill "$registry" 2>/dev/null; rm -rf "$work"' EXIT
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# The same programs, pinned, as in the foreign peers.
GOBIN=$work/bin GOFLAGS=-mod=readonly go -C "$here/../tests/peers/registry" install . tool
oras=$work/bin/oras
host=127.0.0.1:$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$work/bin/gcr-registry" "$host" 2>"$work/log" &
registry=$!
cd "$work"
printf '{"a":1}' >config.json
printf '{}' >sbom.json
for _ in {1..50}; do
    "$oras" push --plain-http "$host/tiny:v1" --artifact-type application/example.model config.json >said && break
    sleep 0.1
done
"$oras" attach --plain-http "$host/tiny:v1" --artifact-type application/example.sbom sbom.json >said
subject=$("$oras" resolve --plain-http "$host/tiny:v1")
curl -fsS "http://$host/v2/tiny/referrers/$subject" >list.json
listed=$(python3 -c 'import json; print(json.load(open("list.json"))["manifests"][0]["artifactType"])')
referrer=$(python3 -c 'import json; print(json.load(open("list.json"))["manifests"][0]["digest"])')
own=$("$oras" manifest fetch --plain-http "$host/tiny@$referrer" | python3 -c 'import json, sys; print(json.load(sys.stdin)["artifactType"])')
printf 'the list says %s, the manifest %s\n' "$listed" "$own"
[[ $listed == application/vnd.oci.empty.v1+json && $own == application/example.sbom ]]
