package main

import (
	"fmt"
	"strings"

	"github.com/transparency-dev/formats/witness"

	"stele.example/tests/peers/internal/fixture"
)

type policyCase struct {
	verdict
	Policy string `json:"policy"`
}

type quorumCase struct {
	Name   string `json:"name"`
	Policy string `json:"policy"`
	// Enough lists every set of cosigners that the peer finds to be enough, as bits: witness w1 is bit 0.
	Enough []int `json:"enough"`
}

func policyVectors() any {
	n := fixture.NewNetwork(12)
	return struct {
		About string            `json:"about"`
		Keys  []keyVector       `json:"keys"`
		Text  string            `json:"text"`
		Lines map[string]string `json:"lines"`
		Cases []policyCase      `json:"cases"`
		Good  []quorumCase      `json:"quorums"`
	}{
		About: "c2sp.org/tlog-policy, judged by github.com/transparency-dev/formats/witness (which ignores log lines, wants a URL for " +
			"each witness and does not look for duplicates: Stele is stricter). In 'quorums', 'enough' are all the sets of the " +
			"four witnesses w1 to w4 (w1 is bit 0) that satisfy the policy; 'text' is the checkpoint, signed by the log, and " +
			"'lines' each witness's cosignature line, so that every set can be tried.",
		Keys:  policyKeys(n),
		Text:  n.Signed(12),
		Lines: policyLines(n),
		Cases: policyCases(n),
		Good:  quorumCases(n),
	}
}

// fourth joins the network's three witnesses, so that groups of groups can be told apart.
func fourth() fixture.Key { return fixture.NewKey("w4.example", fixture.AlgCosignature, "w4") }

func cosigners(n *fixture.Network) []fixture.Key { return append(n.Witnesses[:], fourth()) }

func policyKeys(n *fixture.Network) (out []keyVector) {
	for _, w := range cosigners(n) {
		out = append(out, keyOf(w))
	}
	return out
}

func policyLines(n *fixture.Network) map[string]string {
	out := map[string]string{}
	for i, w := range cosigners(n) {
		out[fmt.Sprintf("w%d", i+1)] = w.Cosign(n.Tree.Checkpoint(n.Log.Name, 12), n.Time)
	}
	return out
}

// members are the lines that every policy starts with.
func members(n *fixture.Network) string {
	out := "log " + n.Log.VKey() + " https://log.example/stele\n"
	for i, w := range cosigners(n) {
		out += fmt.Sprintf("witness w%d %s https://w%d.example/\n", i+1, w.VKey(), i+1)
	}
	return out
}

func policyCases(n *fixture.Network) (out []policyCase) {
	all := members(n)
	w1, w2, log := n.Witnesses[0].VKey(), n.Witnesses[1].VKey(), "log "+n.Log.VKey()+"\n"
	quantum := fixture.NewQuantum(n.Witnesses[0].Name, "w1 quantum")
	renamed := n.Log
	renamed.Name = "other.example/log"
	for _, c := range []struct{ name, stele, policy string }{
		{"empty", refuses, ""},
		{"no quorum", refuses, all},
		{"two quorums", refuses, all + "quorum w1\nquorum w2\n"},
		{"quorum of two names", refuses, all + "quorum w1 w2\n"},
		{"quorum without a name", refuses, all + "quorum\n"},
		{"quorum of an unknown name", refuses, all + "quorum w9\n"},
		{"quorum before its group", refuses, all + "quorum g\ngroup g any w1\n"},
		{"group before its witness", refuses, "group g any w1\nwitness w1 " + w1 + " https://w1.example/\nquorum g\n"},
		{"group of itself", refuses, all + "group g any g\nquorum g\n"},
		{"group without members", refuses, all + "group g any\nquorum g\n"},
		{"group of none", refuses, all + "group g any none\nquorum g\n"},
		{"group called none", refuses, all + "group none any w1\nquorum w1\n"},
		{"witness called none", refuses, "witness none " + w1 + " https://w1.example/\nquorum none\n"},
		{"threshold 0", refuses, all + "group g 0 w1 w2\nquorum g\n"},
		{"threshold above the members", refuses, all + "group g 3 w1 w2\nquorum g\n"},
		{"threshold with a plus", refuses, all + "group g +1 w1 w2\nquorum g\n"},
		{"threshold with a leading zero", refuses, all + "group g 01 w1 w2\nquorum g\n"},
		{"threshold in words", refuses, all + "group g most w1 w2\nquorum g\n"},
		{"a member twice in a group", refuses, all + "group g 2 w1 w1\nquorum g\n"},
		{"a member in two groups", refuses, all + "group g any w1 w2\ngroup h any w1 w3\ngroup q all g h\nquorum q\n"},
		{"a group with a witness's name", refuses, all + "group w1 any w2\nquorum w1\n"},
		{"a witness's name twice", refuses, all + "witness w1 " + w2 + " https://w1.example/\nquorum w1\n"},
		{"a witness's key twice", refuses, all + "witness again " + w1 + " https://w1.example/\nquorum w1\n"},
		{"a log's key twice", refuses, log + "log " + renamed.VKey() + "\n" + all + "quorum w1\n"},
		{"witness with a bad key", refuses, "witness w1 " + w1[:len(w1)-2] + " https://w1.example/\nquorum w1\n"},
		{"witness without a key", refuses, "witness w1\nquorum w1\n"},
		{"witness with a word too many", refuses, "witness w1 " + w1 + " https://w1.example/ more\nquorum w1\n"},
		{"witness with an ordinary key", refuses, "witness w1 " + n.Log.VKey() + " https://w1.example/\nquorum w1\n"},
		{"log without a key", refuses, "log\n" + all + "quorum w1\n"},
		{"log with a word too many", refuses, log[:len(log)-1] + " https://log.example/ more\n" + "quorum none\n"},
		{"log with a cosigner's key", refuses, "log " + w1 + "\nquorum none\n"},
		{"unknown keyword", refuses, all + "require w1\nquorum w1\n"},
		{"keyword in upper case", refuses, all + "Quorum w1\n"},
		{"CR", refuses, all + "quorum w1\r\n"},
		{"form feed", refuses, all + "quorum\fw1\n"},
		{"NUL in a comment", refuses, all + "# \x00\nquorum w1\n"},
		{"DEL in a comment", refuses, all + "# \x7f\nquorum w1\n"},
		{"a comment behind a line", refuses, all + "quorum w1 # comment\n"},
		{"no newline at the end", refuses, all + "quorum w1"},
		{"quorum none", accepts, log + "quorum none\n"},
		{"no log", accepts, "quorum none\n"},
		{"tabs, spaces, empty lines, comments", accepts, "# p\n\n \t\n\t # q\n" + strings.ReplaceAll(all, " ", " \t ") + "  quorum\tw1 \n"},
		{"a witness with an ML-DSA-44 key", accepts, "witness w " + quantum.VKey() + " https://w.example/\nquorum w\n"},
		{"a witness with a key of each kind", accepts, all + "witness q " + quantum.VKey() + " https://w1.example/\ngroup w any w1 q\nquorum w\n"},
		{"a log with an ML-DSA-44 key", accepts, log + "log " + fixture.NewQuantum(n.Log.Name, "log quantum").VKey() + "\nquorum none\n"},
		{"names that are not ASCII", accepts, "witness zoë " + w1 + " https://w1.example/\nquorum zoë\n"},
		{"lines in another order", accepts, "witness w1 " + w1 + " https://w1.example/\nquorum w1\n" + log},
	} {
		_, err := witness.ParsePolicy([]byte(c.policy))
		out = append(out, policyCase{judge(c.name, c.stele, err), c.policy})
	}
	// The one thing that the specification allows and the peer, made for a log that must reach its witnesses, does not.
	return append(out, policyCase{
		verdict{"a witness without a URL", accepts, refuses}, log + "witness w1 " + w1 + "\nquorum w1\n",
	})
}

func quorumCases(n *fixture.Network) (out []quorumCase) {
	lines := policyLines(n)
	for _, c := range []struct{ name, rest string }{
		{"nobody is asked", "quorum none\n"},
		{"one witness", "quorum w3\n"},
		{"any of four", "group g any w1 w2 w3 w4\nquorum g\n"},
		{"two of three", "group g 2 w1 w2 w3\nquorum g\n"},
		{"three of four", "group g 3 w1 w2 w3 w4\nquorum g\n"},
		{"all", "group g all w1 w2 w3 w4\nquorum g\n"},
		{"one witness and one of two", "group g any w2 w3\ngroup q all w1 g\nquorum q\n"},
		{"two operators of two keys each", "group a any w1 w2\ngroup b any w3 w4\ngroup q all a b\nquorum q\n"},
		{"two of: a pair, a witness, a witness", "group a all w1 w2\ngroup q 2 a w3 w4\nquorum q\n"},
		{"a group that the quorum leaves out", "group a all w1 w2\ngroup q any w3 w4\nquorum q\n"},
	} {
		policy := members(n) + c.rest
		quorum := fixture.Must(witness.ParsePolicy([]byte(policy)))
		enough := []int{}
		for set := range 16 {
			signed := n.Signed(12)
			for i := range 4 {
				if set>>i&1 == 1 {
					signed += lines[fmt.Sprintf("w%d", i+1)]
				}
			}
			if quorum.Satisfied([]byte(signed)) {
				enough = append(enough, set)
			}
		}
		out = append(out, quorumCase{c.name, policy, enough})
	}
	return out
}
