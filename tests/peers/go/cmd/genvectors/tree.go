package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"

	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/merkle/testonly"
	"golang.org/x/mod/sumdb/tlog"

	"stele.example/tests/peers/internal/fixture"
)

// Every proof is written out up to this size, and up to the second one only hashed into a digest.
const (
	writtenSize     = 40
	accumulatedSize = 300
)

type inclusion struct {
	Size     int64    `json:"size"`
	Position int64    `json:"position"`
	Path     []string `json:"path"`
}

type consistency struct {
	Old  int64    `json:"old"`
	New  int64    `json:"new"`
	Path []string `json:"path"`
}

// treeVectors has the leaves of the CT reference tree, and a larger one whose leaf i is the text "leaf i".
func treeVectors() any {
	reference := referenceTree()
	var tree fixture.Tree
	for i := range accumulatedSize {
		tree.Push(fmt.Appendf(nil, "leaf %d", i))
	}
	return struct {
		About       string        `json:"about"`
		Reference   any           `json:"reference"`
		Accumulated any           `json:"accumulated"`
		Roots       []string      `json:"roots"`
		Inclusion   []inclusion   `json:"inclusion"`
		Consistency []consistency `json:"consistency"`
	}{
		About: "RFC 6962 trees by golang.org/x/mod/sumdb/tlog. 'reference' is the tree of RFC 6962's implementations, with " +
			"leaves and roots (of sizes 0 to 8) in hex; github.com/transparency-dev/merkle has the same roots. " +
			"Everything else is of the tree whose leaf i is the ASCII text 'leaf i'. 'roots' are those of sizes 0, 1, 2... " +
			"in base64, and so are the hashes of the proofs, which are complete for every size up to 40: 'inclusion' of " +
			"'position' in 'size', 'consistency' from 'old' to 'new'. 'accumulated' is the lower-case hex SHA-256 over the text " +
			"of every proof up to 'size': for size 1..=size, for position 0..size the line 'position/size' and a line of " +
			"base64 for each hash; likewise for new 1..=size, for old 1..=new the line 'old>new' and the hashes.",
		Reference:   reference,
		Accumulated: accumulated(&tree),
		Roots:       roots(&tree),
		Inclusion:   inclusions(&tree),
		Consistency: consistencies(&tree),
	}
}

// referenceTree holds sumdb/tlog against a second package that has the published roots as constants.
func referenceTree() any {
	var tree fixture.Tree
	var leaves, roots, hashes []string
	for size, root := range testonly.RootHashes() {
		ours := tlog.Hash(sha256.Sum256(nil))
		if size > 0 {
			leaf := testonly.LeafInputs()[size-1]
			tree.Push(leaf)
			leaves = append(leaves, hexed(leaf))
			hashes = append(hashes, hexed(rfc6962.DefaultHasher.HashLeaf(leaf)))
			ours = tree.Root(int64(size))
		}
		if !bytes.Equal(ours[:], root) {
			panic("two Go packages disagree about a root")
		}
		roots = append(roots, hexed(root))
	}
	return struct {
		Leaves     []string `json:"leaves"`
		LeafHashes []string `json:"leaf_hashes"`
		Roots      []string `json:"roots"`
	}{leaves, hashes, roots}
}

func roots(tree *fixture.Tree) []string {
	empty := sha256.Sum256(nil)
	out := []string{b64(empty[:])}
	for size := int64(1); size <= writtenSize; size++ {
		root := tree.Root(size)
		out = append(out, b64(root[:]))
	}
	return out
}

func inclusions(tree *fixture.Tree) (out []inclusion) {
	for size := int64(1); size <= writtenSize; size++ {
		for position := range size {
			path := fixture.Must(tlog.ProveRecord(size, position, tree))
			out = append(out, inclusion{size, position, texts(path)})
		}
	}
	return out
}

func consistencies(tree *fixture.Tree) (out []consistency) {
	for new := int64(1); new <= writtenSize; new++ {
		for old := int64(1); old <= new; old++ {
			path := fixture.Must(tlog.ProveTree(new, old, tree))
			out = append(out, consistency{old, new, texts(path)})
		}
	}
	return out
}

func accumulated(tree *fixture.Tree) any {
	records, trees := sha256.New(), sha256.New()
	for size := int64(1); size <= accumulatedSize; size++ {
		for i := range size {
			fmt.Fprintf(records, "%d/%d\n", i, size)
			for _, hash := range fixture.Must(tlog.ProveRecord(size, i, tree)) {
				fmt.Fprintf(records, "%s\n", hash)
			}
			fmt.Fprintf(trees, "%d>%d\n", i+1, size)
			for _, hash := range fixture.Must(tlog.ProveTree(size, i+1, tree)) {
				fmt.Fprintf(trees, "%s\n", hash)
			}
		}
	}
	return struct {
		Size        int    `json:"size"`
		Inclusion   string `json:"inclusion"`
		Consistency string `json:"consistency"`
	}{accumulatedSize, hexed(records.Sum(nil)), hexed(trees.Sum(nil))}
}

func texts(path []tlog.Hash) []string {
	out := make([]string, 0, len(path))
	for _, hash := range path {
		out = append(out, hash.String())
	}
	return out
}
