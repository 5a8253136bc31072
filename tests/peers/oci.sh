#!/usr/bin/env bash
# Registries and clients of others: Debian's docker-registry, which has no list of referrers, and go-containerregistry's, which has one; oras and skopeo. What
# theirs push is verified by ours, what ours attach and push is found and pulled by theirs, and what is changed is refused.
#
#   tests/peers/oci.sh STELE MODEL POLICY
source "$(dirname "$0")/lib.sh"

stele=$1 model=$2 policy=$3
place=$work/oci
oras=$work/bin/oras
servers=()

main() {
    rm -rf "$place" && mkdir -p "$place"
    accepts "Go: oras, and a registry of go-containerregistry" env GOBIN="$work/bin" GOFLAGS=-mod=readonly go -C "$here/registry" install . tool
    installs "Debian's docker-registry" docker-registry docker-registry
    installs "Debian's skopeo" skopeo skopeo
    # No login of whoever runs this.
    export DOCKER_CONFIG=$place REGISTRY_AUTH_FILE=$place/auth.json HOME=$place
    printf '{}' >"$REGISTRY_AUTH_FILE"
    local old new
    old=127.0.0.1:$(free_port)
    printf 'version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: "%s"}}\nhttp: {addr: "%s"}\n' \
        "$place/data" "$old" >"$place/old.yml"
    # It would take podman's variable for a setting of its own.
    serve "docker-registry serves" "$old" env -u REGISTRY_AUTH_FILE docker-registry serve "$place/old.yml"
    new=127.0.0.1:$(free_port)
    serve "go-containerregistry serves" "$new" "$work/bin/gcr-registry" "$new"
    between "$old" referrers-tag docker-registry
    between "$new" referrers-api go-containerregistry
    accepts "oras copies an artifact with what refers to it" \
        "$oras" cp -r --from-plain-http --to-plain-http "$old/acme/theirs:v1" "$new/acme/copied:v1"
    accepts "stele verifies the copy in the other registry" verify "oci://$new/acme/copied:v1"
    finish oci
}

# between HOST WAY NAME: their client and ours at one registry.
between() {
    local host=$1 way=$2 name=$3 theirs=$1/acme/theirs:v1 ours=$1/acme/ours:v1 said manifest referrer
    pushed_by_oras "$model" "$theirs"
    refuses "stele says that nothing is attached in $name" 'no-release-attached|no release is attached' verify "oci://$theirs"
    accepts "stele attaches to what oras pushed" "$stele" attach "oci://$theirs" --release "$model/release.stele" --policy "$policy"
    said=$("$stele" verify "oci://$theirs" --policy "$policy" --no-state --json) || true
    equal "stele verifies what oras pushed to $name" verified "$(field "$said" verdict)"
    equal "it is found as $name keeps it" "$way" "$(field "$said" artifact found_by)"
    manifest=$(field "$said" artifact manifest) referrer=$(field "$said" artifact referrer)
    equal "oras names the same manifest" "sha256:$manifest" "$("$oras" resolve --plain-http "$theirs")"
    equal "skopeo gets the bytes of that manifest" "$manifest" \
        "$(skopeo inspect --tls-verify=false --raw "docker://$host/acme/theirs@sha256:$manifest" | sha256sum | cut -d' ' -f1)"
    # Without a filter: go-containerregistry lists another type than the manifest has.
    said=$("$oras" discover --plain-http --format json "$theirs")
    equal "oras discovers the release" 1 "$(grep -c "@sha256:$referrer" <<<"$said")"
    accepts "oras pulls the release" "$oras" pull --plain-http -o "$place/referrer-$way" "$host/acme/theirs@sha256:$referrer"
    accepts "its bytes are those of release.stele" cmp "$place/referrer-$way/release.stele" "$model/release.stele"
    accepts "oras pulls the artifact by the digest of the verdict" "$oras" pull --plain-http -o "$place/pulled-$way" "$host/acme/theirs@sha256:$manifest"
    accepts "and what it pulled is the release" "$stele" verify "$place/pulled-$way" --bundle "$model/release.stele" --policy "$policy" --no-state
    # Others refer to the same artifact, before and after.
    printf '{}' >"$place/sbom.json"
    accepts "oras attaches something else" env -C "$place" "$oras" attach --plain-http "$theirs" --artifact-type application/example.sbom sbom.json
    accepts "stele finds the release beside it" verify "oci://$theirs"
    accepts "stele attaches the same again" "$stele" attach "oci://$theirs" --release "$model/release.stele" --policy "$policy"
    equal "and oras still discovers both" 3 "$("$oras" discover --plain-http --format json "$theirs" | grep -c '"reference": ".*@sha256:' || true)"
    changed_ones "$host" "$name"
    accepts "stele pushes to $name" "$stele" push "$model" "oci://$ours" --policy "$policy"
    accepts "and verifies it" verify "oci://$ours"
    accepts "oras pulls what stele pushed" "$oras" pull --plain-http -o "$place/ours-$way" "$ours"
    accepts "and it is the release" "$stele" verify "$place/ours-$way" --bundle "$model/release.stele" --policy "$policy" --no-state
    accepts "skopeo copies what stele pushed, and checks its digests" \
        skopeo copy --quiet --src-tls-verify=false "docker://$ours" "dir:$place/skopeo-$way"
}

# changed_ones HOST NAME: the tag moves to something else.
changed_ones() {
    local host=$1 name=$2 folder=$place/changed
    rm -rf "$folder" && cp -r "$model" "$folder"
    printf 'import os\n' >"$folder/modeling_extra.py"
    pushed_by_oras "$folder" "$host/acme/more:v1"
    refuses "a program more in $name is refused" '^UNRECORDED' verify "oci://$host/acme/more:v1" --bundle "$model/release.stele"
    refuses "and nothing is attached to it" 'unrecorded|not in the record' "$stele" attach "oci://$host/acme/more:v1" --release "$model/release.stele" --policy "$policy"
    rm "$folder/modeling_extra.py"
    printf '{}' >"$folder/config.json"
    pushed_by_oras "$folder" "$host/acme/other:v1"
    refuses "another configuration in $name is refused" '^DIFFERS' verify "oci://$host/acme/other:v1" --bundle "$model/release.stele"
    rm "$folder/config.json"
    pushed_by_oras "$folder" "$host/acme/less:v1"
    refuses "a file less in $name is refused" '^INCOMPLETE' verify "oci://$host/acme/less:v1" --bundle "$model/release.stele"
}

verify() { "$stele" verify "$@" --policy "$policy" --no-state; }

# pushed_by_oras FOLDER REFERENCE: each file as it is, but what tools keep beside a release.
pushed_by_oras() {
    local files=()
    mapfile -t files < <(cd "$1" && find . -type f ! -name 'release.*' ! -path './.*/*' -printf '%P:application/vnd.cncf.model.weight.v1.raw\n' | sort)
    accepts "oras pushes ${#files[@]} files" env -C "$1" "$oras" push --plain-http "$2" \
        --artifact-type application/vnd.cncf.model.manifest.v1+json "${files[@]}"
}

# field JSON NAME...: a value in a document; nothing where it has none.
field() {
    python3 -c 'import functools, json, sys; print(functools.reduce(lambda at, name: (at or {}).get(name), sys.argv[2:], json.loads(sys.argv[1] or "{}")))' "$@"
}

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# serve "what" HOST COMMAND...: in the background, until this ends.
serve() {
    local what=$1 host=$2
    shift 2
    "$@" >>"$place/servers.log" 2>&1 &
    servers+=($!)
    trap 'kill "${servers[@]}" 2>/dev/null || true' EXIT
    accepts "$what" answers "${host##*:}"
}

answers() {
    local _
    for _ in {1..100}; do
        python3 -c 'import socket, sys; socket.create_connection(("127.0.0.1", int(sys.argv[1])), 1)' "$1" 2>/dev/null && return
        sleep 0.1
    done
    return 1
}

main
