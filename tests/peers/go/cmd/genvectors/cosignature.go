package main

import (
	"encoding/binary"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"crypto/ed25519"

	"stele.example/tests/peers/internal/fixture"
)

type cosignature struct {
	Witness string `json:"witness"`
	Time    uint64 `json:"time"`
	Text    string `json:"text"`
	Signed  string `json:"signed"`
	Line    string `json:"line"`
}

type cosignatureCase struct {
	verdict
	Text string `json:"text"`
	Line string `json:"line"`
}

func cosignatureVectors() any {
	n := fixture.NewNetwork(12)
	return struct {
		About string            `json:"about"`
		Keys  []keyVector       `json:"keys"`
		Known string            `json:"known"`
		Cases []cosignatureCase `json:"cases"`
		Good  []cosignature     `json:"cosignatures"`
		Mixed string            `json:"mixed"`
	}{
		About: "c2sp.org/tlog-cosignature, Ed25519 (type 0x04), judged by github.com/transparency-dev/formats/note. 'signed' is the " +
			"message under the signature. 'cases' are lines under a checkpoint, opened with the key 'known' alone. 'mixed' is a " +
			"checkpoint with the log's line, an ML-DSA-44 cosignature (type 0x06) of a key that 'keys' does not hold, and " +
			"the Ed25519 cosignatures of 'keys'.",
		Keys:  []keyVector{keyOf(n.Witnesses[0]), keyOf(n.Witnesses[1]), keyOf(n.Witnesses[2])},
		Known: n.Witnesses[0].VKey(),
		Cases: cosignatureCases(n),
		Good:  cosignatures(n),
		Mixed: mixed(n),
	}
}

func cosignatures(n *fixture.Network) (out []cosignature) {
	for i, w := range n.Witnesses {
		for _, time := range []uint64{0, 1, n.Time, 1<<63 - 1} {
			text := n.Tree.Checkpoint(n.Log.Name, int64(4+i))
			signed := string(fixture.CosignedMessage(text, time))
			out = append(out, cosignature{w.Name, time, text, signed, w.Cosign(text, time)})
		}
	}
	return out
}

func cosignatureCases(n *fixture.Network) (out []cosignatureCase) {
	w, time := n.Witnesses[0], n.Time
	text, other := n.Tree.Checkpoint(n.Log.Name, 12), n.Tree.Checkpoint(n.Log.Name, 11)
	plain := w
	plain.Alg = fixture.AlgEd25519
	signature := ed25519.Sign(w.Private(), fixture.CosignedMessage(text, time))
	stamped := func(time uint64, signature []byte) []byte {
		return append(binary.BigEndian.AppendUint64(nil, time), signature...)
	}
	good := w.Cosign(text, time)
	for _, c := range []struct{ name, stele, text, line string }{
		{"an ordinary signature of the same key", refuses, text, plain.SignLine(text)},
		{"an ordinary signature under the cosigner's id", refuses, text, w.Line(ed25519.Sign(w.Private(), []byte(text)))},
		{"ordinary, with a time before it", refuses, text, w.Line(stamped(time, ed25519.Sign(w.Private(), []byte(text))))},
		{"time changed", refuses, text, w.Line(stamped(time+1, signature))},
		{"time left out", refuses, text, w.Line(signature)},
		{"time behind the signature", refuses, text, w.Line(append(append([]byte{}, signature...), stamped(time, nil)...))},
		{"time in little-endian order", refuses, text, w.Line(append(binary.LittleEndian.AppendUint64(nil, time), signature...))},
		{"time of 2^63", refuses, text, w.Line(stamped(1<<63, ed25519.Sign(w.Private(), fixture.CosignedMessage(text, 1<<63))))},
		{"a byte more", refuses, text, w.Line(append(stamped(time, signature), 0))},
		{"a byte less", refuses, text, w.Line(stamped(time, signature[:63]))},
		{"another tree head", refuses, other, good},
		{"another witness", refuses, text, n.Witnesses[1].Cosign(text, time)},
		{"under another name", refuses, text, strings.Replace(good, w.Name, "mallory.example", 1)},
		{"bits behind the end of the base64", refuses, text, loose(strings.TrimSuffix(good, "\n")) + "\n"},
		{"as it should be", accepts, text, good},
		{"at another time", accepts, text, w.Cosign(text, time+60)},
	} {
		_, err := note.Open([]byte(c.text+"\n"+c.line), note.VerifierList(w.Verifier()))
		out = append(out, cosignatureCase{judge(c.name, c.stele, err), c.text, c.line})
	}
	return out
}

// mixed puts a post-quantum cosignature between the log's line and the witnesses'.
func mixed(n *fixture.Network) string {
	text := n.Tree.Checkpoint(n.Log.Name, 12)
	line := fixture.NewQuantum("quantum.example", "quantum").Cosign(n, 12, n.Time)
	signed := n.Signed(12) + line
	for i, w := range n.Witnesses {
		signed += w.Cosign(text, n.Time+uint64(i))
	}
	return signed
}
