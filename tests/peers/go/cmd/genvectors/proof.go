package main

import (
	"strings"

	"github.com/transparency-dev/formats/proof"
	"golang.org/x/mod/sumdb/tlog"

	"stele.example/tests/peers/internal/fixture"
	"stele.example/tests/peers/internal/mutate"
	"stele.example/tests/peers/internal/verify"
)

type goodProof struct {
	Entry string `json:"entry"`
	Proof string `json:"proof"`
}

type proofCase struct {
	verdict
	Entry string `json:"entry"`
	Proof string `json:"proof"`
}

func proofVectors() any {
	n := fixture.NewNetwork(70)
	return struct {
		About  string      `json:"about"`
		Policy string      `json:"policy"`
		Cases  []proofCase `json:"cases"`
		Good   []goodProof `json:"proofs"`
	}{
		About: "c2sp.org/tlog-proof, written by github.com/transparency-dev/formats/proof and checked by it and by sumdb/note and " +
			"sumdb/tlog under 'policy' (two of three witnesses). Each entry is an index entry of Stele: its place in the tree is " +
			"real, the index root it states is not. Where Go reads several spellings of a value the verdict is that of our Go verifier, " +
			"which writes what it read again and compares.",
		Policy: n.Policy(),
		Cases:  proofCases(n),
		Good:   goodProofs(n),
	}
}

func goodProofs(n *fixture.Network) (out []goodProof) {
	for _, c := range []struct {
		size, position int64
		witnesses      []int
	}{
		{1, 0, []int{0, 1}}, {2, 0, []int{1, 2}}, {3, 2, []int{0, 2}}, {7, 4, []int{0, 1, 2}}, {8, 6, []int{2, 1, 0}},
		{31, 30, []int{0, 1}}, {33, 32, []int{0, 1}}, {65, 0, []int{0, 1}}, {65, 64, []int{0, 1}}, {70, 42, []int{0, 1, 2}},
	} {
		text := tlogProof(n, c.size, c.position, nil, c.witnesses...)
		mustHold(n, text, n.Tree.Leaves[c.position])
		out = append(out, goodProof{string(n.Tree.Leaves[c.position]), text})
	}
	text := tlogProof(n, 70, 42, []byte("extra data, which nothing vouches for"), 0, 1)
	mustHold(n, text, n.Tree.Leaves[42])
	return append(out, goodProof{string(n.Tree.Leaves[42]), text})
}

// proofCases takes one variant of each kind of damage, so that the file stays readable; the whole families are in
// package mutate, and cmd/steleverify runs them all.
func proofCases(n *fixture.Network) (out []proofCase) {
	policy := fixture.Must(verify.ParsePolicy([]byte(n.Policy())))
	good, entry := tlogProof(n, 13, 4, nil, 0, 1), n.Tree.Leaves[4]
	add := func(name, text string, entry []byte) {
		_, _, err := policy.Proof([]byte(text), entry)
		if err == nil {
			panic("the peer accepts: " + name)
		}
		out = append(out, proofCase{judge(name, refuses, err), string(entry), text})
	}
	for _, family := range mutate.Proof(good) {
		if strings.HasPrefix(family.Name, "cut off") || strings.HasPrefix(family.Name, "line ") {
			add(family.Name, family.Variants[len(family.Variants)/16*8], entry)
			continue
		}
		for _, variant := range family.Variants {
			add(family.Name, variant, entry)
		}
	}
	add("another entry", good, n.Tree.Leaves[6])
	add("one witness", tlogProof(n, 13, 4, nil, 1), entry)
	add("no witness", tlogProof(n, 13, 4, nil), entry)
	add("extra data that is not base64", strings.Replace(good, "index", "extra !\nindex", 1), entry)
	add("extra data after the index", strings.Replace(good, "index 4\n", "index 4\nextra AAAA\n", 1), entry)
	add("path of a smaller tree", strings.Replace(good, path(n, 13, 4), path(n, 12, 4), 1), entry)
	forged := fixture.NewNetwork(13)
	forged.Log = fixture.NewKey(n.Log.Name, fixture.AlgEd25519, "forger")
	add("a log of the same name with another key", tlogProof(forged, 13, 4, nil, 0, 1), entry)
	return out
}

func tlogProof(n *fixture.Network, size, position int64, extra []byte, witnesses ...int) string {
	p := proof.TLogProof{Index: uint64(position), Checkpoint: []byte(n.Signed(size, witnesses...)), ExtraData: extra}
	for _, hash := range fixture.Must(tlog.ProveRecord(size, position, &n.Tree)) {
		p.Hashes = append(p.Hashes, hash)
	}
	return string(p.Marshal())
}

func path(n *fixture.Network, size, position int64) string {
	var out strings.Builder
	for _, hash := range fixture.Must(tlog.ProveRecord(size, position, &n.Tree)) {
		out.WriteString(hash.String() + "\n")
	}
	return out.String()
}

func mustHold(n *fixture.Network, text string, entry []byte) {
	policy := fixture.Must(verify.ParsePolicy([]byte(n.Policy())))
	if _, _, err := policy.Proof([]byte(text), entry); err != nil {
		panic("the peer refuses a proof: " + err.Error())
	}
}
