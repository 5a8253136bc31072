#!/usr/bin/env bash
# filippo.io/torchwood v0.6.1 and github.com/transparency-dev/tessera v1.0.4 (Go): a log may delete a partial tile once the full one is there (C2SP
# tlog-tiles, section "Partial Tiles"), and Tessera's logs do so each minute. The proof of an entry by an older checkpoint, of 300 entries, say, still asks for the tile
# of 44 hashes. The document allows a client to take the full tile in its place, and leaves it to the client; Tessera's does, torchwood's does not, and says
# "unexpected status code 404". The hashes it needs are the first 44 of a tile that the log has for ever.
#
# Who is hurt: who keeps a checkpoint (in a release's proof, from a witness, as the last one that an auditor saw) and comes back when the log has grown: what
# reads like a log that lost data, or a stored checkpoint that is no good, is a client that asks for a file by the name it had then.
#
# Seen 2026-11-30, Go 1.26: of a log of 600 entries, proofs by its checkpoint of 300: each file that is asked for, and what comes of it.
set -euo pipefail
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
cat >"$work/go.mod" <<'MOD'
module prove

go 1.25.8

require (
	filippo.io/torchwood v0.6.1
	github.com/transparency-dev/tessera v1.0.4
	golang.org/x/mod v0.38.0
)
MOD
cat >"$work/main.go" <<'GO'
package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sort"
	"strings"
	"sync"

	"filippo.io/torchwood"
	"github.com/transparency-dev/tessera/client"
	"golang.org/x/mod/sumdb/tlog"
)

type hashes []tlog.Hash

func (stored hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		found[i] = stored[index]
	}
	return found, nil
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// A log of a size that was once smaller, as files.
func files(stored hashes, sizes ...int64) map[string][]byte {
	made := make(map[string][]byte)
	for _, size := range sizes {
		for _, tile := range tlog.NewTiles(torchwood.TileHeight, 0, size) {
			made["/"+torchwood.TilePath(tile)] = must(tlog.ReadTileData(tile, stored))
		}
	}
	return made
}

func main() {
	const old, size, entry = 300, 600, 280
	var stored hashes
	for n := range int64(size) {
		stored = append(stored, must(tlog.StoredHashes(n, fmt.Appendf(nil, "entry %d", n), stored))...)
	}
	checkpoint := tlog.Tree{N: old, Hash: must(tlog.TreeHash(old, stored))}
	served := files(stored, old, size)
	var mutex sync.Mutex
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		mutex.Lock()
		defer mutex.Unlock()
		content, found := served[request.URL.Path]
		asked = append(asked, request.URL.Path)
		if !found {
			http.NotFound(writer, request)
			return
		}
		writer.Write(content)
	}))
	defer server.Close()
	judge := func(name string, proof tlog.RecordProof, err error) {
		sort.Strings(asked)
		outcome := "no proof"
		if err == nil {
			outcome = fmt.Sprint("a proof, good: ", tlog.CheckRecord(proof, old, checkpoint.Hash, entry, tlog.RecordHash(fmt.Appendf(nil, "entry %d", entry))) == nil)
		}
		fmt.Println(name, strings.Join(asked, " "), outcome)
		if err != nil {
			fmt.Println(" ", strings.ReplaceAll(err.Error(), server.URL, ""))
		}
		asked = nil
	}
	for _, state := range []string{"before", "after"} {
		if state == "after" {
			delete(served, "/tile/0/001.p/44")
		}
		fetcher := must(client.NewHTTPFetcher(must(url.Parse(server.URL)), nil))
		var proof tlog.RecordProof
		builder, err := client.NewProofBuilder(context.Background(), old, fetcher.ReadTile)
		if err == nil {
			var path [][]byte
			path, err = builder.InclusionProof(context.Background(), entry)
			for _, one := range path {
				proof = append(proof, tlog.Hash(one))
			}
		}
		judge(state+", tessera:  ", proof, err)
		tiles := torchwood.TileHashReaderWithContext(context.Background(), checkpoint, must(torchwood.NewTileFetcher(server.URL)))
		proof, err = tlog.ProveRecord(old, entry, tiles)
		judge(state+", torchwood:", proof, err)
	}
}
GO
found=$(cd "$work" && export GOFLAGS=-mod=mod GOPATH="$work/gopath" && go run . 2>"$work/err") || { cat "$work/err"; exit 1; }
echo "$found"
[[ $found == 'before, tessera:   /tile/0/001.p/44 /tile/1/000.p/1 a proof, good: true
before, torchwood: /tile/0/001.p/44 /tile/1/000.p/1 a proof, good: true
after, tessera:   /tile/0/001 /tile/0/001.p/44 /tile/1/000.p/1 a proof, good: true
after, torchwood: /tile/0/001.p/44 /tile/1/000.p/1 no proof
  tile/0/001.p/44: unexpected status code 404' ]]
