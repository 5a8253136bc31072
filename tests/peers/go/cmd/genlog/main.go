// Command genlog writes a log that is right in every respect, made by Go alone, so that the suite's own verifiers are
// known to accept a good log before they are asked about Stele's.
//
//	genlog -out DIR [-size N]
//
// DIR/artifacts is what steleverify takes, DIR/public what a log serves, DIR/log.vkey the log's key.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/transparency-dev/formats/proof"
	"github.com/transparency-dev/tessera/api/layout"
	"golang.org/x/mod/sumdb/tlog"

	"stele.example/tests/peers/internal/fixture"
)

func main() {
	out := flag.String("out", "", "folder to write to")
	size := flag.Int64("size", 601, "entries in the log, an odd number")
	flag.Parse()
	if *out == "" || *size%2 == 0 {
		flag.Usage()
		os.Exit(2)
	}
	n := fixture.NewNetwork(*size)
	write(*out, "log.vkey", []byte(n.Log.VKey()+"\n"))
	write(*out, "artifacts/policy", []byte(n.Policy()))
	write(*out, "artifacts/checkpoint", []byte(n.Signed(*size, 0, 1, 2)))
	for _, c := range []struct{ position, size int64 }{{0, 1}, {42, min(*size, 300)}, {*size - 1, *size}} {
		p := proof.TLogProof{Index: uint64(c.position), Checkpoint: []byte(n.Signed(c.size, 0, 2))}
		for _, hash := range fixture.Must(tlog.ProveRecord(c.size, c.position, &n.Tree)) {
			p.Hashes = append(p.Hashes, hash)
		}
		write(*out, fmt.Sprintf("artifacts/entry-%d.tlog-proof", c.position), p.Marshal())
		write(*out, fmt.Sprintf("artifacts/entry-%d.entry", c.position), n.Tree.Leaves[c.position])
	}
	public(filepath.Join(*out, "public"), n, *size)
}

func public(dir string, n *fixture.Network, size int64) {
	write(dir, "checkpoint", []byte(n.Signed(size, 0, 1, 2)))
	for level := 0; size>>(8*level) > 0; level++ {
		for index := int64(0); index<<8 < size>>(8*level); index++ {
			width := min(size>>(8*level)-index<<8, 256)
			bytes := fixture.Must(tlog.ReadTileData(tlog.Tile{H: 8, L: level, N: index, W: int(width)}, &n.Tree))
			write(dir, layout.TilePath(uint64(level), uint64(index), uint8(width)), bytes)
		}
	}
	for index := int64(0); index<<8 < size; index++ {
		width := min(size-index<<8, 256)
		var bundle []byte
		for _, entry := range n.Tree.Leaves[index<<8:][:width] {
			bundle = append(append(bundle, byte(len(entry)>>8), byte(len(entry))), entry...)
		}
		write(dir, layout.EntriesPath(uint64(index), uint8(width)), bundle)
	}
}

func write(dir, name string, content []byte) {
	path := filepath.Join(dir, filepath.FromSlash(name))
	fixture.Must(0, os.MkdirAll(filepath.Dir(path), 0o755))
	fixture.Must(0, os.WriteFile(path, content, 0o644))
}
