package main

import (
	"fmt"
	"slices"
	"strings"

	flog "github.com/transparency-dev/formats/log"
	"golang.org/x/mod/sumdb/note"

	"stele.example/tests/peers/internal/fixture"
)

type checkpointCase struct {
	verdict
	Text string `json:"text"`
}

type head struct {
	Origin string `json:"origin"`
	Size   int64  `json:"size"`
	Root   string `json:"root"`
	Text   string `json:"text"`
	Note   string `json:"note"`
}

func checkpointVectors() any {
	n := fixture.NewNetwork(12)
	return struct {
		About string           `json:"about"`
		VKey  string           `json:"vkey"`
		Cases []checkpointCase `json:"cases"`
		Heads []head           `json:"heads"`
	}{
		About: "c2sp.org/tlog-checkpoint. 'cases' are note texts, judged by github.com/transparency-dev/formats/log. 'heads' are tree " +
			"heads signed with golang.org/x/mod/sumdb/note under 'vkey'; roots in base64. Stele keeps extension lines of other logs and reads nothing in them.",
		VKey:  n.Log.VKey(),
		Cases: checkpointCases(n),
		Heads: heads(n),
	}
}

func checkpointCases(n *fixture.Network) (out []checkpointCase) {
	good := n.Tree.Checkpoint(n.Log.Name, 12)
	root := strings.Split(good, "\n")[2]
	for _, c := range []struct{ name, stele, text string }{
		{"empty", refuses, ""},
		{"one line", refuses, "log.example\n"},
		{"two lines", refuses, "log.example\n12\n"},
		{"empty origin", refuses, "\n12\n" + root + "\n"},
		{"empty size", refuses, "log.example\n\n" + root + "\n"},
		{"size with a leading zero", refuses, "log.example\n012\n" + root + "\n"},
		{"size 00", refuses, "log.example\n00\n" + root + "\n"},
		{"size with a plus", refuses, "log.example\n+12\n" + root + "\n"},
		{"negative size", refuses, "log.example\n-1\n" + root + "\n"},
		{"size with a space", refuses, "log.example\n12 \n" + root + "\n"},
		{"size in hex", refuses, "log.example\n0x0c\n" + root + "\n"},
		{"size of 2^64", refuses, "log.example\n18446744073709551616\n" + root + "\n"},
		{"no root", refuses, "log.example\n12\n\n"},
		{"root of 31 bytes", refuses, "log.example\n12\n" + b64(make([]byte, 31)) + "\n"},
		{"root of 33 bytes", refuses, "log.example\n12\n" + b64(make([]byte, 33)) + "\n"},
		{"root without padding", refuses, "log.example\n12\n" + strings.TrimRight(root, "=") + "\n"},
		{"root with bits behind its end", refuses, "log.example\n12\n" + loose(root) + "\n"},
		{"root in hex", refuses, "log.example\n12\n" + strings.Repeat("00", 32) + "\n"},
		{"no newline at the end", refuses, strings.TrimSuffix(good, "\n")},
		{"an empty line at the end", refuses, good + "\n"},
		{"an empty line before an extension line", refuses, good + "\nextension\n"},
		{"an extension line", accepts, good + "extension\n"},
		{"as it should be", accepts, good},
		{"size of 2^63 - 1", accepts, "log.example\n9223372036854775807\n" + root + "\n"},
	} {
		var read flog.Checkpoint
		rest, err := read.Unmarshal([]byte(c.text))
		// Extension lines are what the peer gives back; none of them may be empty.
		if err == nil && len(rest) > 0 && slices.Contains(strings.Split(strings.TrimSuffix(string(rest), "\n"), "\n"), "") {
			err = fmt.Errorf("an empty line after the root: %q", rest)
		}
		out = append(out, checkpointCase{judge(c.name, c.stele, err), c.text})
	}
	return out
}

func heads(n *fixture.Network) (out []head) {
	for _, size := range []int64{1, 2, 3, 7, 8, 12} {
		text, signed := n.Tree.Checkpoint(n.Log.Name, size), n.Signed(size)
		read, _, _, err := flog.ParseCheckpoint([]byte(signed), n.Log.Name, n.Log.Verifier(), []note.Verifier{}...)
		if err != nil || string(read.Marshal()) != text {
			panic(fmt.Sprint("the peer refuses a tree head: ", err))
		}
		root := n.Tree.Root(size)
		out = append(out, head{n.Log.Name, size, b64(root[:]), text, signed})
	}
	return out
}
