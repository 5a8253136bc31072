package main

import (
	"crypto/ed25519"
	"encoding/binary"
	"fmt"
	"strings"

	fnote "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"

	"stele.example/tests/peers/internal/fixture"
)

type subtreeCase struct {
	verdict
	Origin string `json:"origin"`
	Start  uint64 `json:"start"`
	End    uint64 `json:"end"`
	Hash   string `json:"hash"`
	Line   string `json:"line"`
}

func mldsaVectors() any {
	n := fixture.NewNetwork(12)
	w := fixture.NewQuantum("w1.example", "w1 quantum")
	log := fixture.NewQuantum(n.Log.Name, "log quantum")
	return struct {
		About    string            `json:"about"`
		Keys     []keyVector       `json:"keys"`
		VKeys    []keyCase         `json:"vkeys"`
		SKeys    []keyCase         `json:"skeys"`
		Known    string            `json:"known"`
		Cases    []cosignatureCase `json:"cases"`
		Good     []cosignature     `json:"cosignatures"`
		Log      string            `json:"log"`
		Heads    []head            `json:"heads"`
		Subtrees []subtreeCase     `json:"subtrees"`
	}{
		About: "c2sp.org/tlog-cosignature, ML-DSA-44 (type 0x06), signed by filippo.io/mldsa (deterministically) and judged by " +
			"github.com/transparency-dev/formats/note. 'signed' is the message under the signature, in hex. 'cases' are lines " +
			"under a checkpoint, opened with the key 'known' alone. 'heads' are tree heads that a log signed with the key 'log'. " +
			"'subtrees' are lines of 'known' over parts of a tree, without a time; hashes in base64.",
		Keys:     []keyVector{quantumOf(w), quantumOf(log)},
		VKeys:    quantumVKeys(w),
		SKeys:    quantumSKeys(w),
		Known:    w.VKey(),
		Cases:    quantumCases(n, w),
		Good:     quantumCosignatures(n, w),
		Log:      log.VKey(),
		Heads:    quantumHeads(n, log),
		Subtrees: subtreeCases(n, w),
	}
}

func quantumOf(q fixture.Quantum) keyVector {
	return keyVector{q.Name, hexed(q.Seed[:]), hexed(q.Public()), fmt.Sprintf("%08x", q.ID()), q.SKey(), q.VKey()}
}

func quantumVKeys(q fixture.Quantum) (out []keyCase) {
	with := func(key []byte) string {
		return q.Name + "+" + digest(append([]byte(q.Name+"\n"), key...))[:8] + "+" + b64(key)
	}
	public := append([]byte{fixture.AlgMLDSA44}, q.Public()...)
	for _, c := range []struct{ name, stele, key string }{
		{"a byte more", refuses, with(append(append([]byte{}, public...), 0))},
		{"a byte less", refuses, with(public[:len(public)-1])},
		{"32 bytes, as Ed25519 has", refuses, with(public[:33])},
		{"type of Ed25519", refuses, with(append([]byte{fixture.AlgCosignature}, q.Public()...))},
		{"id of another key", refuses, strings.Replace(q.VKey(), fmt.Sprintf("%08x", q.ID()), "00000000", 1)},
		{"as it should be", accepts, q.VKey()},
	} {
		_, err := fnote.NewMLDSAVerifier(c.key)
		out = append(out, keyCase{judge(c.name, c.stele, err), c.key})
	}
	return out
}

func quantumSKeys(q fixture.Quantum) (out []keyCase) {
	id := fmt.Sprintf("%08x", q.ID())
	with := func(key []byte) string { return "PRIVATE+KEY+" + q.Name + "+" + id + "+" + b64(key) }
	seed := append([]byte{fixture.AlgMLDSA44}, q.Seed[:]...)
	for _, c := range []struct{ name, stele, key string }{
		{"a byte more", refuses, with(append(append([]byte{}, seed...), 0))},
		{"a byte less", refuses, with(seed[:32])},
		{"the public key", refuses, with(append([]byte{fixture.AlgMLDSA44}, q.Public()...))},
		{"id of another key", refuses, strings.Replace(q.SKey(), id, "00000000", 1)},
		{"as it should be", accepts, q.SKey()},
	} {
		_, err := fnote.NewMLDSASigner(c.key)
		out = append(out, keyCase{judge(c.name, c.stele, err), c.key})
	}
	return out
}

func quantumCosignatures(n *fixture.Network, w fixture.Quantum) (out []cosignature) {
	for i, time := range []uint64{0, 1, n.Time, 1<<63 - 1} {
		size := int64(4 + i)
		root := n.Tree.Root(size)
		signed := hexed(fixture.SubtreeMessage(w.Name, time, n.Log.Name, 0, uint64(size), root[:]))
		out = append(out, cosignature{w.Name, time, n.Tree.Checkpoint(n.Log.Name, size), signed, w.Cosign(n, size, time)})
	}
	return out
}

func quantumCases(n *fixture.Network, w fixture.Quantum) (out []cosignatureCase) {
	origin, time := n.Log.Name, n.Time
	text, other := n.Tree.Checkpoint(origin, 12), n.Tree.Checkpoint(origin, 11)
	root := n.Tree.Root(12)
	good := w.Sign(time, origin, 0, 12, root[:])
	line := w.Line(good)
	stamped := func(time uint64) []byte { return append(binary.BigEndian.AppendUint64(nil, time), good[8:]...) }
	flipped := append([]byte{}, good...)
	flipped[1000] ^= 1
	renamed := w
	renamed.Name = "mallory.example"
	for _, c := range []struct{ name, stele, text, line string }{
		{"a bit of the signature flipped", refuses, text, w.Line(flipped)},
		{"time changed", refuses, text, w.Line(stamped(time + 1))},
		{"time set to 0", refuses, text, w.Line(stamped(0))},
		{"time left out", refuses, text, w.Line(good[8:])},
		{"a byte more", refuses, text, w.Line(append(append([]byte{}, good...), 0))},
		{"a byte less", refuses, text, w.Line(good[:len(good)-1])},
		{"another tree head", refuses, other, line},
		{"another origin", refuses, strings.Replace(text, origin, "other.example", 1), line},
		{"over a part that does not begin at 0", refuses, text, w.Line(w.Sign(0, origin, 1, 12, root[:]))},
		{"over the text, as Ed25519 signs it", refuses, text, w.Line(append(binary.BigEndian.AppendUint64(nil, time), fixture.Must(w.Private().SignDeterministic(fixture.CosignedMessage(text, time), nil))...))},
		{"signed under another name", refuses, text, w.Line(renamed.Sign(time, origin, 0, 12, root[:]))},
		{"under another name", refuses, text, renamed.Line(good)},
		{"an Ed25519 cosignature under the id", refuses, text, w.Line(append(binary.BigEndian.AppendUint64(nil, time), ed25519.Sign(n.Witnesses[0].Private(), fixture.CosignedMessage(text, time))...))},
		{"a text that is no checkpoint", refuses, "hello\n", line},
		{"as it should be", accepts, text, line},
		{"at another time", accepts, text, w.Line(w.Sign(time+60, origin, 0, 12, root[:]))},
		{"without a time", accepts, text, w.Line(w.Sign(0, origin, 0, 12, root[:]))},
		{"an extension line, which it does not sign", accepts, text + "extension\n", line},
	} {
		_, err := note.Open([]byte(c.text+"\n"+c.line), note.VerifierList(w.Verifier()))
		out = append(out, cosignatureCase{judge(c.name, c.stele, err), c.text, c.line})
	}
	return out
}

func quantumHeads(n *fixture.Network, log fixture.Quantum) (out []head) {
	for _, size := range []int64{1, 2, 7, 12} {
		text, root := n.Tree.Checkpoint(n.Log.Name, size), n.Tree.Root(size)
		out = append(out, head{n.Log.Name, size, b64(root[:]), text, text + "\n" + log.Cosign(n, size, 0)})
	}
	return out
}

func subtreeCases(n *fixture.Network, w fixture.Quantum) (out []subtreeCase) {
	origin, hash := n.Log.Name, n.Tree.Root(5)
	for _, c := range []struct {
		name, stele string
		start, end  uint64
		signature   []byte
	}{
		{"another end", refuses, 8, 13, w.Sign(0, origin, 8, 12, hash[:])},
		{"another start", refuses, 8, 13, w.Sign(0, origin, 0, 13, hash[:])},
		{"another origin", refuses, 8, 13, w.Sign(0, "other.example", 8, 13, hash[:])},
		{"with a time", refuses, 8, 13, w.Sign(n.Time, origin, 8, 13, hash[:])},
		{"from 0 with a time", refuses, 0, 8, w.Sign(n.Time, origin, 0, 8, hash[:])},
		{"as it should be", accepts, 8, 13, w.Sign(0, origin, 8, 13, hash[:])},
		{"from 0", accepts, 0, 8, w.Sign(0, origin, 0, 8, hash[:])},
	} {
		var err error
		if !w.Verifier().VerifySubtree(binary.BigEndian.Uint64(c.signature), origin, c.start, c.end, hash[:], c.signature) {
			err = fmt.Errorf("refused")
		}
		out = append(out, subtreeCase{judge(c.name, c.stele, err), origin, c.start, c.end, b64(hash[:]), w.Line(c.signature)})
	}
	return out
}
