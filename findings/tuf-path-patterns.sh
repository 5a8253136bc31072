#!/usr/bin/env bash
# tuf 7.0.1 (PyPI), @tufjs/models 5.0.2 (npm, of tuf-js 6.0.2, with minimatch 10.2.6) and github.com/theupdateframework/go-tuf/v2 v2.4.1 (Go), three clients of the TUF project: which
# files a delegated role may sign for is said by patterns, which are those of glob(7) (TUF specification 1.0.34, section 4.5, `paths`), and each of the three reads them by the library
# of its language. The pattern `models/*`, by which a role has all files of a folder, covers `models/.gitattributes` in Python and Go and not in JavaScript, and there
# glob(7) agrees: a star takes no dot at the beginning of a name. A name with a plus before parentheses, or in braces, does not match itself in JavaScript, where both
# are patterns, which glob(7) has not. `[!a]`, which is any but a, is something else in Go, and `[^a]` in Python.
#
# Who is hurt: who publishes models through TUF: a folder that was copied from a hub has such files. For one client they are signed; the other finds nobody who may
# sign for them, and reports a file that is not there. Name what begins with a dot in a pattern of its own, and use `*` and `?` alone.
#
# Seen 2026-11-30, Python 3.11, Node 20.20, Go 1.26: the table at the end: pattern, path, Python, JavaScript, Go.
set -euo pipefail
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
cat >"$work/cases" <<'CASES'
models/* models/model.safetensors
models/*.gguf models/tiny.gguf
models/* models/.gitattributes
models/*/*.json models/.cache/index.json
models/tiny+(8B).gguf models/tiny+(8B).gguf
models/{tiny,small}.gguf models/{tiny,small}.gguf
models/[!a].gguf models/b.gguf
models/[^a].gguf models/b.gguf
CASES
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check tuf==7.0.1
python=$("$work/venv/bin/python" - "$work/cases" <<'PY'
import sys
from tuf.api.metadata import DelegatedRole

for line in open(sys.argv[1]):
    pattern, path = line.split()
    print("yes" if DelegatedRole("models", ["key"], 1, False, paths=[pattern]).is_delegated_path(path) else "no")
PY
)
mkdir "$work/node" "$work/go"
(cd "$work/node" && npm init --yes >npm.out && npm install --silent @tufjs/models@5.0.2 minimatch@10.2.6)
cat >"$work/node/read.mjs" <<'JS'
import { readFileSync } from 'node:fs'
import models from '@tufjs/models'

for (const line of readFileSync(process.argv[2], 'utf8').trim().split('\n')) {
  const [pattern, path] = line.split(' ')
  const key = { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: 'ab'.repeat(32) } }
  const role = { name: 'models', keyids: ['key'], threshold: 1, terminating: false, paths: [pattern] }
  const signed = { _type: 'targets', spec_version: '1.0.31', version: 1, expires: '2030-01-01T00:00:00Z', targets: {} }
  const targets = models.Targets.fromJSON({ ...signed, delegations: { keys: { key }, roles: [role] } })
  console.log([...targets.delegations.rolesForTarget(path)].length ? 'yes' : 'no')
}
JS
node=$(node "$work/node/read.mjs" "$work/cases")
cat >"$work/go/go.mod" <<'MOD'
module read

go 1.25

require github.com/theupdateframework/go-tuf/v2 v2.4.1
MOD
cat >"$work/go/main.go" <<'GO'
package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

func main() {
	file, err := os.Open(os.Args[1])
	if err != nil {
		panic(err)
	}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		pattern, path, _ := strings.Cut(lines.Text(), " ")
		role := metadata.DelegatedRole{Name: "models", Paths: []string{pattern}}
		covered, err := role.IsDelegatedPath(path)
		if err != nil {
			panic(err)
		}
		fmt.Println(map[bool]string{true: "yes", false: "no"}[covered])
	}
}
GO
go=$(cd "$work/go" && export GOFLAGS=-mod=mod GOPATH="$work/gopath" && go run . "$work/cases" 2>"$work/err") || { cat "$work/err"; exit 1; }
found=$(paste -d ' ' "$work/cases" <(echo "$python") <(echo "$node") <(echo "$go"))
echo "$found"
[[ $found == 'models/* models/model.safetensors yes yes yes
models/*.gguf models/tiny.gguf yes yes yes
models/* models/.gitattributes yes no yes
models/*/*.json models/.cache/index.json yes no yes
models/tiny+(8B).gguf models/tiny+(8B).gguf yes no yes
models/{tiny,small}.gguf models/{tiny,small}.gguf yes no yes
models/[!a].gguf models/b.gguf yes yes no
models/[^a].gguf models/b.gguf no yes yes' ]]
