#!/usr/bin/env bash
# github.com/transparency-dev/formats v0.1.1 (Go): `TLogProof.Marshal` writes proofs of inclusion that `Unmarshal` of the same package cannot read. C2SP's
# tlog-proof has no limit for the line `extra`, in which a proof may carry data of its own; the reader takes lines through a scanner that ends,
# without a word, at the first one of 64 KiB. So with 49146 bytes of extra data a proof is read, and with one more it is "missing required
# index", though its index is where it should be. (A line of that length in the checkpoint gets an error that says so.)
#
# Who is hurt: who puts what was logged into `extra`, so that a file proves itself (the record of a model of some hundred shards is longer than that):
# it is good for other readers, and the message leads one to look for a fault in the index.
#
# Seen 2026-11-30, Go 1.26: 49146 bytes: read, and equal; 49147 bytes: "tlog proof missing required index".
set -euo pipefail
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
cat >"$work/go.mod" <<'MOD'
module read

go 1.25.0

require github.com/transparency-dev/formats v0.1.1
MOD
cat >"$work/main.go" <<'GO'
package main

import (
	"bytes"
	"fmt"

	"github.com/transparency-dev/formats/proof"
)

func main() {
	checkpoint := []byte("example.com/log\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n\u2014 example.com/log AAAAAAA=\n")
	for _, length := range []int{49146, 49147} {
		written := proof.TLogProof{Index: 0, ExtraData: make([]byte, length), Checkpoint: checkpoint}.Marshal()
		var read proof.TLogProof
		err := read.Unmarshal(written)
		fmt.Println(length, err, err == nil && bytes.Equal(read.Marshal(), written))
	}
	extended := bytes.Replace(checkpoint, []byte("\n\n"), append(append([]byte("\n"), bytes.Repeat([]byte("x"), 70000)...), "\n\n"...), 1)
	var read proof.TLogProof
	fmt.Println(read.Unmarshal(proof.TLogProof{Checkpoint: extended}.Marshal()))
}
GO
found=$(cd "$work" && export GOFLAGS=-mod=mod GOPATH="$work/gopath" && go run .)
echo "$found"
[[ $found == '49146 <nil> true
49147 tlog proof missing required index false
scanning tlog proof: bufio.Scanner: token too long' ]]
