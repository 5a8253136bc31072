package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	flog "github.com/transparency-dev/formats/log"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/api/layout"
	"golang.org/x/mod/sumdb/tlog"
)

// tiles has sumdb/tlog read a log's tiles, which it checks against the root, and holds every entry against them.
func tiles(r *report, public string, head *flog.Checkpoint) {
	reader := tileReader(public)
	hashes := tlog.TileHashReader(tlog.Tree{N: int64(head.Size), Hash: tlog.Hash(head.Hash)}, reader)
	var last []byte
	leaves := 0
	err := reader.entries(int64(head.Size), func(index int64, entry []byte) error {
		stored, err := hashes.ReadHashes([]int64{tlog.StoredHashIndex(0, index)})
		if err != nil {
			return err
		}
		if stored[0] != tlog.RecordHash(entry) {
			return fmt.Errorf("entry %d is not what its leaf hash says", index)
		}
		leaves, last = leaves+1, entry
		return nil
	})
	r.check(err, "sumdb/tlog reads the tiles under the signed root, tessera's api the entry bundles: %d entries agree", leaves)

	start := fmt.Appendf(nil, "stele/index@v1\n%d\n", head.Size-1)
	if head.Size == 0 || !bytes.HasPrefix(last, start) {
		err = fmt.Errorf("the last entry is %q", last)
	}
	r.check(err, "the tree ends with an index entry for what is before it")
}

// consistent has sumdb/tlog prove from the tiles that a proof's tree head is an earlier one of the newest.
func consistent(r *report, name, public string, old, new *flog.Checkpoint) {
	hashes := tlog.TileHashReader(tlog.Tree{N: int64(new.Size), Hash: tlog.Hash(new.Hash)}, tileReader(public))
	path, err := tlog.ProveTree(int64(new.Size), int64(old.Size), hashes)
	if err == nil {
		err = tlog.CheckTree(path, int64(new.Size), tlog.Hash(new.Hash), int64(old.Size), tlog.Hash(old.Hash))
	}
	r.check(err, "%s: its tree of %d entries is the beginning of the log's %d", name, old.Size, new.Size)
}

// tileReader reads tiles of height 8 under the paths of c2sp.org/tlog-tiles, which are not sumdb/tlog's own.
type tileReader string

func (tileReader) Height() int { return layout.TileHeight }

func (tileReader) SaveTiles([]tlog.Tile, [][]byte) {}

func (public tileReader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	out := make([][]byte, len(tiles))
	for i, tile := range tiles {
		var err error
		out[i], err = public.read(func(p uint8) string { return layout.TilePath(uint64(tile.L), uint64(tile.N), p) }, tile.W)
		if err != nil {
			return nil, err
		}
		if len(out[i]) < tile.W*tlog.HashSize {
			return nil, fmt.Errorf("tile %d/%d has %d bytes", tile.L, tile.N, len(out[i]))
		}
		out[i] = out[i][:tile.W*tlog.HashSize]
	}
	return out, nil
}

// entries calls visit with each entry of the log, in order.
func (public tileReader) entries(size int64, visit func(int64, []byte) error) error {
	for start := int64(0); start < size; start += layout.EntryBundleWidth {
		width := int(min(size-start, layout.EntryBundleWidth))
		index := uint64(start / layout.EntryBundleWidth)
		content, err := public.read(func(p uint8) string { return layout.EntriesPath(index, p) }, width)
		if err != nil {
			return err
		}
		var bundle api.EntryBundle
		if err := bundle.UnmarshalText(content); err != nil {
			return err
		}
		if len(bundle.Entries) < width {
			return fmt.Errorf("bundle %d has %d entries, not %d", index, len(bundle.Entries), width)
		}
		for i, entry := range bundle.Entries[:width] {
			if err := visit(start+int64(i), entry); err != nil {
				return err
			}
		}
	}
	return nil
}

// read falls back to the full file: a log may drop the partial ones once there is a full one.
func (public tileReader) read(path func(partial uint8) string, width int) ([]byte, error) {
	content, err := os.ReadFile(filepath.Join(string(public), path(uint8(width))))
	if errors.Is(err, os.ErrNotExist) {
		content, err = os.ReadFile(filepath.Join(string(public), path(0)))
	}
	return content, err
}
