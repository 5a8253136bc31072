package main

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/api/layout"
	"golang.org/x/mod/sumdb/tlog"

	"stele.example/tests/peers/internal/fixture"
)

type tilePath struct {
	Level any    `json:"level"` // a number, or "entries"
	Index uint64 `json:"index"`
	Width int    `json:"width"`
	Path  string `json:"path"`
}

type refusedPath struct {
	verdict
	Path string `json:"path"`
}

type tree struct {
	Size    int64  `json:"size"`
	Root    string `json:"root"`
	Tiles   []tile `json:"tiles"`
	Bundles []tile `json:"bundles"`
}

type tile struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
}

func tileVectors() any {
	return struct {
		About   string        `json:"about"`
		Refused []refusedPath `json:"refused"`
		Paths   []tilePath    `json:"paths"`
		Trees   []tree        `json:"trees"`
	}{
		About: "c2sp.org/tlog-tiles. 'paths' by github.com/transparency-dev/tessera/api/layout. 'trees' have leaf i 'leaf i': every " +
			"tile of each, its bytes read by golang.org/x/mod/sumdb/tlog, and every entry bundle, which tessera's api package can " +
			"read. The digests are SHA-256 over the file's bytes.",
		Refused: refusedPaths(),
		Paths:   tilePaths(),
		Trees:   tileTrees(),
	}
}

func tilePaths() (out []tilePath) {
	for _, index := range []uint64{0, 1, 999, 1000, 234067, 1234067, 999999999, 1 << 40} {
		for _, width := range []int{1, 5, 255, 256} {
			partial := uint8(width) // 256 wraps to 0, which is the package's word for a full tile
			out = append(out, tilePath{"entries", index, width, layout.EntriesPath(index, partial)})
			for _, level := range []uint64{0, 1, 7} {
				out = append(out, tilePath{level, index, width, layout.TilePath(level, index, partial)})
			}
		}
	}
	return out
}

func refusedPaths() (out []refusedPath) {
	for _, c := range []struct{ name, path string }{
		{"no level", "tile/000"},
		{"level with a leading zero", "tile/00/000"},
		{"level above 63", "tile/64/000"},
		{"level with a sign", "tile/+1/000"},
		{"index of two digits", "tile/0/00"},
		{"index of four digits", "tile/0/0000"},
		{"index without x", "tile/0/001/000"},
		{"x on the last element", "tile/0/x001/x000"},
		{"x alone", "tile/0/x000"},
		{"needless leading element", "tile/0/x000/001"},
		{"upper-case X", "tile/0/X001/000"},
		{"width 0", "tile/0/000.p/0"},
		{"width 256", "tile/0/000.p/256"},
		{"width with a leading zero", "tile/0/000.p/05"},
		{"width missing", "tile/0/000.p/"},
		{"width missing, and its slash", "tile/0/000.p"},
		{"something after the width", "tile/0/000.p/5/"},
		{"slash at the end", "tile/0/000/"},
		{"slash at the start", "/tile/0/000"},
		{"Go's form, with the height first", "tile/8/0/000"},
		{"data, Go's word for entries", "tile/data/000"},
		{"dots", "tile/0/../000"},
		{"a space", "tile/0/ 00"},
		{"index over 64 bits", "tile/0/x999/x999/x999/x999/x999/x999/999"},
	} {
		rest, _ := strings.CutPrefix(c.path, "tile/")
		level, index, _ := strings.Cut(rest, "/")
		_, _, _, err := layout.ParseTileLevelIndexPartial(level, index)
		if !strings.HasPrefix(c.path, "tile/") {
			err = fmt.Errorf("not under tile/")
		}
		out = append(out, refusedPath{judge(c.name, refuses, err), c.path})
	}
	return out
}

func tileTrees() (out []tree) {
	var leaves fixture.Tree
	for i := range 70_000 {
		leaves.Push(fmt.Appendf(nil, "leaf %d", i))
	}
	for _, size := range []int64{1, 2, 255, 256, 257, 300, 511, 512, 513, 1000, 66_000} {
		root := leaves.Root(size)
		t := tree{Size: size, Root: b64(root[:])}
		for level := 0; size>>(8*level) > 0; level++ {
			for index := int64(0); index<<8 < size>>(8*level); index++ {
				width := min(size>>(8*level)-index<<8, 256)
				bytes := fixture.Must(tlog.ReadTileData(tlog.Tile{H: 8, L: level, N: index, W: int(width)}, &leaves))
				path := layout.TilePath(uint64(level), uint64(index), uint8(width))
				t.Tiles = append(t.Tiles, tile{path, digest(bytes)})
			}
		}
		for index := int64(0); index<<8 < size; index++ {
			width := min(size-index<<8, 256)
			bytes := bundle(leaves.Leaves[index<<8:][:width])
			t.Bundles = append(t.Bundles, tile{layout.EntriesPath(uint64(index), uint8(width)), digest(bytes)})
		}
		if size == 66_000 { // enough for a tile on level 2; only its right edge is written out
			t.Tiles, t.Bundles = t.Tiles[len(t.Tiles)-4:], t.Bundles[len(t.Bundles)-2:]
		}
		out = append(out, t)
	}
	return out
}

// bundle writes entries as big-endian uint16 lengths and bytes, and holds it against the peer's reading.
func bundle(entries [][]byte) []byte {
	var out []byte
	for _, entry := range entries {
		out = append(out, byte(len(entry)>>8), byte(len(entry)))
		out = append(out, entry...)
	}
	var read api.EntryBundle
	if err := read.UnmarshalText(out); err != nil || len(read.Entries) != len(entries) {
		panic(fmt.Sprint("the peer cannot read a bundle: ", err))
	}
	return out
}

func digest(bytes []byte) string {
	sum := sha256.Sum256(bytes)
	return hexed(sum[:])
}
