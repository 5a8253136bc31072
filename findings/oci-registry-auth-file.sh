#!/usr/bin/env bash
# Debian's docker-registry 2.8.2 and podman's variable for a file of logins: with `REGISTRY_AUTH_FILE` in the environment the registry does not start. It takes every variable that begins
# with `REGISTRY_` for a setting: this one for `auth.file`, a kind of authentication that it does not have, and it names the config file as the place of the error.
#
# Who is hurt: whoever starts a registry on a machine where podman, skopeo or buildah were told where logins are, in CI for example. `env -u REGISTRY_AUTH_FILE` helps.
#
# Seen 2026-11-30: exit code 1, "error parsing ...: cannot unmarshal !!str ... into configuration.Parameters"; without the variable it serves.
set -euo pipefail
work=$(mktemp -d)
trap 'kill "$registry" 2>/dev/null; rm -rf "$work"' EXIT
command -v docker-registry >/dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends docker-registry; }
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
printf 'version: 0.1\nstorage: {filesystem: {rootdirectory: "%s"}}\nhttp: {addr: "127.0.0.1:%s"}\n' "$work/data" "$port" >"$work/config.yml"
printf '{}' >"$work/auth.json"
status=0
said=$(REGISTRY_AUTH_FILE=$work/auth.json timeout 10 docker-registry serve "$work/config.yml" 2>&1) || status=$?
printf 'with the variable: exit code %s, %s\n' "$status" "$(grep -m1 -A1 'error parsing' <<<"$said" | tr '\n' ' ')"
env -u REGISTRY_AUTH_FILE docker-registry serve "$work/config.yml" 2>"$work/log" &
registry=$!
for _ in {1..50}; do
    curl -fsS "http://127.0.0.1:$port/v2/" >"$work/answer" 2>/dev/null && break
    sleep 0.1
done
printf 'without it: %s\n' "$(cat "$work/answer")"
[[ $status == 1 && $said == *'cannot unmarshal'* && $(cat "$work/answer") == '{}' ]]
