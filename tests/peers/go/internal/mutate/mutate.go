// Package mutate makes, of a good proof, the bad ones that a verifier must refuse.
package mutate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Family is a kind of damage and every variant of it.
type Family struct {
	Name     string
	Variants []string
}

// Proof damages a .tlog-proof whose checkpoint carries no more witnesses than its policy asks for: were there more, the
// loss of one would be no reason to refuse.
func Proof(text string) (families []Family) {
	lines := strings.SplitAfter(strings.TrimSuffix(text, "\n"), "\n")
	lines[len(lines)-1] += "\n"
	blank := slices.Index(lines, "\n")
	first := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, "index ") }) + 1
	path, checkpoint := lines[first:blank], lines[blank+1:]
	index, _ := strconv.ParseUint(strings.TrimSpace(strings.TrimPrefix(lines[first-1], "index ")), 10, 64)
	with := func(from, to int, replacement ...string) string {
		return strings.Join(slices.Concat(lines[:from], replacement, lines[to:]), "")
	}

	offset := 0
	for i, line := range lines {
		families = append(families, Family{
			fmt.Sprintf("line %d (%s): each bit of its %d bytes flipped", i+1, excerpt(line), len(line)),
			flips(text, offset, offset+len(line)),
		})
		offset += len(line)
	}
	var truncated []string
	for end := range len(text) {
		truncated = append(truncated, text[:end])
	}
	families = append(families, Family{"cut off after any byte", truncated})

	var indexes []string
	for _, other := range []uint64{index + 1, index - 1, index ^ 2, index + 1<<32, index + 1<<63, 1<<64 - 1} {
		if other != index {
			indexes = append(indexes, with(first-1, first, fmt.Sprintf("index %d\n", other)))
		}
	}
	indexes = append(indexes, with(first-1, first, fmt.Sprintf("index 0%d\n", index)), with(first-1, first))
	families = append(families, Family{"another index, or none", indexes})

	const extra = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
	hashes := []string{with(first, first, extra), with(blank, blank, extra)}
	for i, hash := range path {
		hashes = append(hashes, with(first+i, first+i+1), with(first+i, first+i, hash), with(first+i, first+i+1, extra))
		if i > 0 && hash != path[i-1] {
			hashes = append(hashes, with(first+i-1, first+i+1, hash, path[i-1]))
		}
	}
	families = append(families, Family{"a hash more, less, twice, replaced or swapped", hashes})

	origin := strings.TrimSuffix(checkpoint[0], "\n")
	families = append(families, Family{"the origin of another log", []string{
		with(blank+1, blank+2, "other.example/log\n"),
		with(blank+1, blank+2, strings.ToUpper(origin)+"\n"),
		strings.ReplaceAll(text, origin, "other.example/log"),
	}})

	signatures := slices.Index(checkpoint, "\n") + 1 + blank + 1
	var dropped []string
	for i := signatures; i < len(lines); i++ {
		dropped = append(dropped, with(i, i+1))
		for j := range lines[signatures:] {
			if j+signatures != i {
				dropped = append(dropped, with(i, i+1, lines[signatures+j])) // one signature twice, for two
			}
		}
	}
	dropped = append(dropped, with(signatures, len(lines)), with(signatures+1, len(lines)))
	families = append(families, Family{"signatures dropped, or one counted twice", dropped})

	families = append(families, Family{"something put before, after or between", []string{
		" " + text, "\n" + text, text + "\n", text + " ", text + text, strings.ReplaceAll(text, "\n", "\r\n"),
		strings.Replace(text, "@v1", "@v2", 1), with(blank, blank, "\n"), with(signatures-1, signatures-1, "extension\n"),
	}})
	return families
}

// Flips gives every copy of the bytes with one bit of each byte flipped.
func Flips(content []byte) [][]byte {
	var out [][]byte
	for i := range content {
		changed := slices.Clone(content)
		changed[i] ^= 1 << (i % 8)
		out = append(out, changed)
	}
	return out
}

func flips(text string, from, to int) (out []string) {
	for i := from; i < to; i++ {
		for bit := range 8 {
			changed := []byte(text)
			changed[i] ^= 1 << bit
			out = append(out, string(changed))
		}
	}
	return out
}

func excerpt(line string) string {
	line = strings.TrimSuffix(line, "\n")
	if runes := []rune(line); len(runes) > 28 {
		line = string(runes[:27]) + "…"
	}
	if line == "" {
		return "empty"
	}
	return line
}
