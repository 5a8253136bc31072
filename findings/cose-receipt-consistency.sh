#!/usr/bin/env bash
# @transmute/cose 0.2.11 (npm, with @transmute/rfc9162 0.0.5) and golang.org/x/mod v0.38.0 (Go, `sumdb/tlog`): the receipts of consistency that the one
# issues are refused by the other, and the other way round, whenever the older of the two trees has a size that is a power of two. RFC 9162 then leaves the
# old root out of the proof, as the verifier has it (section 2.1.4.1: SUBPROOF of a complete subtree that began the recursion is empty), and
# tells the verifier to put it back in front (2.1.4.2, step 2). The library puts it into the proof, and skips that step; so it accepts what it
# issues. Its receipts of inclusion are as they should be, for every tree. Receipts in COSE name that algorithm (`RFC9162_SHA256`).
#
# Who is hurt: an auditor of a transparency service in another language. The receipts that one tries first, from 1, 2 or 4 entries on, are refused, and a test
# with 3 or 5 passes. A refused receipt of consistency reads as a log that has rewritten its history.
#
# Seen 2026-11-30, Node 20.20, Go 1.26: the lines at the end, for all pairs of trees of up to 9 entries.
set -euo pipefail
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
mkdir "$work/node" "$work/go"
(cd "$work/node" && npm init --yes >npm.out && npm install --silent @transmute/cose@0.2.11 @transmute/rfc9162@0.0.5)
cat >"$work/node/receipts.cjs" <<'JS'
const { readFileSync } = require('node:fs')
const cose = require('@transmute/cose')

const hex = (bytes) => Buffer.from(bytes).toString('hex')
const proofs = (receipt) => receipt.value[1].get(396).get(-2)

// issue: a receipt of consistency for each pair of trees. Or a file of proofs by another: the same receipts with those, verified.
const main = async () => {
  const other = process.argv[2] === 'issue' ? undefined : JSON.parse(readFileSync(process.argv[2]))
  const secret = await cose.key.generate('ES256', 'application/jwk+json')
  const key = await cose.key.publicFromPrivate(secret)
  const signer = cose.detached.signer({ remote: cose.crypto.signer({ privateKeyJwk: secret }) })
  const verifier = cose.detached.verifier({ resolver: { resolve: async () => key } })
  const protectedHeader = cose.ProtectedHeader([[1, -7], [395, 1]])
  const leaves = await Promise.all([...Array(9).keys()].map((n) => cose.receipt.leaf(Buffer.from(`entry ${n}`))))
  const roots = [undefined]
  const said = []
  for (let size = 1; size <= 9; size++) {
    const entries = leaves.slice(0, size)
    const inclusion = await cose.receipt.inclusion.issue({ protectedHeader, entry: 0, entries, signer })
    roots[size] = await cose.receipt.inclusion.verify({ entry: leaves[0], receipt: inclusion, verifier })
    for (let old = 1; old < size; old++) {
      const first = await cose.receipt.inclusion.issue({ protectedHeader, entry: 0, entries: leaves.slice(0, old), signer })
      let { receipt } = await cose.receipt.consistency.issue({ protectedHeader, receipt: first, entries, signer })
      const read = cose.cbor.decode(receipt)
      const [, , path] = cose.cbor.decode(proofs(read)[0])
      if (other) {
        const theirs = other[said.length].map((one) => new Uint8Array(Buffer.from(one, 'hex')).buffer)
        proofs(read)[0] = cose.cbor.toArrayBuffer(cose.cbor.encode([old, size, theirs]))
        receipt = cose.cbor.encode(read)
      }
      const request = { oldRoot: roots[old], newRoot: roots[size], receipt, verifier }
      const verified = await cose.receipt.consistency.verify(request).catch(({ message }) => message)
      said.push({ old, size, oldRoot: hex(roots[old]), newRoot: hex(roots[size]), path: path.map(hex), verified })
    }
  }
  console.log(JSON.stringify(said))
}
main()
JS
cat >"$work/go/go.mod" <<'MOD'
module check

go 1.25.0

require golang.org/x/mod v0.38.0
MOD
cat >"$work/go/main.go" <<'GO'
package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"

	"golang.org/x/mod/sumdb/tlog"
)

type tree []tlog.Hash

func (t tree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		hashes[i] = t[index]
	}
	return hashes, nil
}

func hash(text string) (h tlog.Hash) {
	if n, err := hex.Decode(h[:], []byte(text)); err != nil || n != len(h) {
		panic(text)
	}
	return h
}

func main() {
	var pairs []struct {
		Old, Size        int64
		OldRoot, NewRoot string
		Path             []string
	}
	file, err := os.ReadFile(os.Args[1])
	if err != nil || json.Unmarshal(file, &pairs) != nil {
		panic("the receipts cannot be read")
	}
	var stored tree
	for n := range int64(9) {
		hashes, err := tlog.StoredHashes(n, fmt.Appendf(nil, "entry %d", n), stored)
		if err != nil {
			panic(err)
		}
		stored = append(stored, hashes...)
	}
	accepted, powers, refused := 0, 0, 0
	var proofs [][]string
	for _, pair := range pairs {
		var path tlog.TreeProof
		for _, one := range pair.Path {
			path = append(path, hash(one))
		}
		switch {
		case tlog.CheckTree(path, pair.Size, hash(pair.NewRoot), pair.Old, hash(pair.OldRoot)) == nil:
			accepted++
		case pair.Old&(pair.Old-1) == 0:
			powers++
		default:
			refused++
		}
		made, err := tlog.ProveTree(pair.Size, pair.Old, stored)
		if err != nil || tlog.CheckTree(made, pair.Size, hash(pair.NewRoot), pair.Old, hash(pair.OldRoot)) != nil {
			panic("the trees are not the same")
		}
		written := []string{}
		for _, one := range made {
			written = append(written, hex.EncodeToString(one[:]))
		}
		proofs = append(proofs, written)
	}
	fmt.Printf("Go of JavaScript's: %d accepted, %d refused with an old size 1, 2, 4 or 8, %d others\n", accepted, powers, refused)
	written, err := json.Marshal(proofs)
	if err != nil || os.WriteFile(os.Args[2], written, 0o600) != nil {
		panic("the proofs cannot be written")
	}
}
GO
node "$work/node/receipts.cjs" issue >"$work/receipts.json"
(cd "$work/go" && export GOFLAGS=-mod=mod GOPATH="$work/gopath" && go run . "$work/receipts.json" "$work/proofs.json") >"$work/go.out"
node "$work/node/receipts.cjs" "$work/proofs.json" >"$work/verified.json"
cat >"$work/count.cjs" <<'JS'
const [issued, others] = [2, 3].map((n) => JSON.parse(require('node:fs').readFileSync(process.argv[n])))
const power = ({ old }) => (old & (old - 1)) === 0
const refused = others.filter(({ verified }) => verified !== true)
console.log(`JavaScript of its own: ${issued.filter(({ verified }) => verified === true).length} accepted of ${issued.length}`)
console.log(`JavaScript of Go's: ${others.length - refused.length} accepted, ${refused.filter(power).length} refused with such a size, ` +
  `${refused.filter((one) => !power(one)).length} others`)
console.log([...new Set(refused.map(({ verified }) => `${verified}`))].sort().join('; '))
JS
found=$(node "$work/count.cjs" "$work/receipts.json" "$work/verified.json" && cat "$work/go.out")
echo "$found"
[[ $found == "JavaScript of its own: 36 accepted of 36
JavaScript of Go's: 15 accepted, 21 refused with such a size, 0 others
sn is not zero, proof validation failed.
Go of JavaScript's: 15 accepted, 21 refused with an old size 1, 2, 4 or 8, 0 others" ]]
