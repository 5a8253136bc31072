package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/bits"

	"github.com/transparency-dev/merkle/proof"
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
		Subtrees    []subtree     `json:"subtrees"`
	}{
		About: "RFC 6962 trees by golang.org/x/mod/sumdb/tlog. 'reference' is the tree of RFC 6962's implementations, with " +
			"leaves and roots (of sizes 0 to 8) in hex; github.com/transparency-dev/merkle has the same roots. " +
			"Everything else is of the tree whose leaf i is the ASCII text 'leaf i'. 'roots' are those of sizes 0, 1, 2... " +
			"in base64, and so are the hashes of the proofs, which are complete for every size up to 40: 'inclusion' of " +
			"'position' in 'size', 'consistency' from 'old' to 'new'. 'accumulated' is the lower-case hex SHA-256 over the text " +
			"of every proof up to 'size': for size 1..=size, for position 0..size the line 'position/size' and a line of " +
			"base64 for each hash; likewise for new 1..=size, for old 1..=new the line 'old>new' and the hashes. 'subtrees' are parts [start, end) of trees up to size 20 " +
			"that start above 0, with hash and proof by the definition of the MTC draft, each accepted by github.com/transparency-dev/merkle.",
		Reference:   reference,
		Accumulated: accumulated(&tree),
		Roots:       roots(&tree),
		Inclusion:   inclusions(&tree),
		Consistency: consistencies(&tree),
		Subtrees:    subtrees(&tree),
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

type subtree struct {
	Start int64    `json:"start"`
	End   int64    `json:"end"`
	Size  int64    `json:"size"`
	Hash  string   `json:"hash"`
	Path  []string `json:"path"`
}

// subtrees are the parts that do not begin at 0; those that do have the consistency proofs above.
func subtrees(tree *fixture.Tree) (out []subtree) {
	for size := int64(2); size <= 20; size++ {
		root := tree.Root(size)
		for start := int64(1); start < size; start++ {
			for end := start + 1; end <= size; end++ {
				if ceiling := int64(1) << bits.Len64(uint64(end-start-1)); start%ceiling != 0 {
					continue
				}
				hash := rangeHash(tree, start, end)
				path := subtreeProof(tree, start, end, 0, size, true)
				raw := make([][]byte, 0, len(path))
				for _, hash := range path {
					raw = append(raw, hash[:])
				}
				err := proof.VerifySubtreeConsistency(rfc6962.DefaultHasher, uint64(start), uint64(end), uint64(size), raw, hash[:], root[:])
				if err != nil {
					panic(err)
				}
				out = append(out, subtree{start, end, size, hash.String(), texts(path)})
			}
		}
	}
	return out
}

// subtreeProof is SUBTREE_SUBPROOF(start, end, D[left:right], whole) of draft-ietf-plants-merkle-tree-certs-03, section 4.4.1.
func subtreeProof(tree *fixture.Tree, start, end, left, right int64, whole bool) []tlog.Hash {
	if start <= left && end == right && (left == start || !whole) {
		if whole {
			return nil
		}
		return []tlog.Hash{rangeHash(tree, left, right)}
	}
	middle := left + splitPoint(right-left)
	switch {
	case end <= middle:
		return append(subtreeProof(tree, start, end, left, middle, whole), rangeHash(tree, middle, right))
	case middle <= start:
		return append(subtreeProof(tree, start, end, middle, right, whole), rangeHash(tree, left, middle))
	default:
		return append(subtreeProof(tree, start, end, middle, right, false), rangeHash(tree, left, middle))
	}
}

// rangeHash is MTH(D[start:end]).
func rangeHash(tree *fixture.Tree, start, end int64) tlog.Hash {
	if end-start == 1 {
		return tlog.RecordHash(tree.Leaves[start])
	}
	middle := start + splitPoint(end-start)
	return tlog.NodeHash(rangeHash(tree, start, middle), rangeHash(tree, middle, end))
}

// splitPoint is the largest power of two below n.
func splitPoint(n int64) int64 { return int64(1) << (bits.Len64(uint64(n-1)) - 1) }

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
