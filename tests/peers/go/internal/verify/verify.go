// Package verify checks Stele's artifacts with Go packages alone: sumdb/note opens the notes, transparency-dev/formats reads
// policies, tree heads, cosignatures and .tlog-proof files, sumdb/tlog checks inclusion.
//
// The packages are laxer than Stele about spelling (the unused bits of base64, leading zeros), so what they read is
// written again and has to come out the same.
package verify

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"strings"

	flog "github.com/transparency-dev/formats/log"
	fnote "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/formats/proof"
	"github.com/transparency-dev/formats/witness"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Policy says whose word is taken for a tree head (c2sp.org/tlog-policy).
type Policy struct {
	logs      []note.Verifier
	witnesses []note.Verifier
	quorum    witness.Group
}

// ParsePolicy reads the quorum with the formats package. That package skips log lines and wants a URL for each
// witness; the log lines are read here, and a witness without a URL is given one that nobody asks.
func ParsePolicy(text []byte) (*Policy, error) {
	var policy Policy
	var witnessed []string
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		switch {
		case len(fields) >= 2 && fields[0] == "log":
			log, err := note.NewVerifier(fields[1])
			if err != nil {
				return nil, fmt.Errorf("log %q: %w", fields[1], err)
			}
			policy.logs = append(policy.logs, log)
		case len(fields) >= 3 && fields[0] == "witness":
			cosigner, err := fnote.NewVerifierForCosignatureV1(fields[2])
			if err != nil {
				return nil, fmt.Errorf("witness %q: %w", fields[2], err)
			}
			policy.witnesses = append(policy.witnesses, cosigner)
			if len(fields) == 3 {
				line = strings.Join(fields, " ") + " http://127.0.0.1/\n"
			}
		}
		witnessed = append(witnessed, line)
	}
	if len(policy.logs) == 0 {
		return nil, errors.New("the policy names no log")
	}
	var err error
	policy.quorum, err = witness.ParsePolicy([]byte(strings.Join(witnessed, "")))
	return &policy, err
}

// Witnesses are the names of the policy's witnesses, in its order.
func (p *Policy) Witnesses() (names []string) {
	for _, w := range p.witnesses {
		names = append(names, w.Name())
	}
	return names
}

// Checkpoint checks the signature of the log that the origin line names, every cosignature of a witness that the policy
// knows, and the quorum. It gives the tree head and the names of the witnesses.
func (p *Policy) Checkpoint(signed []byte) (*flog.Checkpoint, []string, error) {
	origin, _, _ := strings.Cut(string(signed), "\n")
	for _, log := range p.logs {
		if log.Name() != origin {
			continue
		}
		head, rest, opened, err := flog.ParseCheckpoint(signed, origin, log, p.witnesses...)
		if err != nil {
			return nil, nil, err
		}
		if len(rest) > 0 {
			return nil, nil, errors.New("the tree head has extension lines")
		}
		if err := rewritten(signed, head, opened); err != nil {
			return nil, nil, err
		}
		if !p.quorum.Satisfied(signed) {
			return nil, nil, errors.New("too few witnesses for the policy's quorum")
		}
		var cosigners []string
		for _, signature := range opened.Sigs {
			if signature.Name != origin || signature.Hash != log.KeyHash() {
				cosigners = append(cosigners, signature.Name)
			}
		}
		return head, cosigners, nil
	}
	return nil, nil, fmt.Errorf("the policy does not know the log %q", origin)
}

// Proof checks that an entry is in the tree of a tree head that the policy accepts, and gives its position.
func (p *Policy) Proof(text, entry []byte) (uint64, *flog.Checkpoint, error) {
	var read proof.TLogProof
	if err := read.Unmarshal(text); err != nil {
		return 0, nil, err
	}
	if !bytes.Equal(read.Marshal(), text) {
		return 0, nil, errors.New("the proof is not spelled as it would be written")
	}
	head, _, err := p.Checkpoint(read.Checkpoint)
	if err != nil {
		return 0, nil, err
	}
	if head.Size > math.MaxInt64 || read.Index >= head.Size {
		return 0, nil, fmt.Errorf("index %d in a tree of %d entries", read.Index, head.Size)
	}
	path := make(tlog.RecordProof, len(read.Hashes))
	for i, hash := range read.Hashes {
		path[i] = tlog.Hash(hash)
	}
	err = tlog.CheckRecord(path, int64(head.Size), tlog.Hash(head.Hash), int64(read.Index), tlog.RecordHash(entry))
	return read.Index, head, err
}

// rewritten writes the note's text and signature lines anew and compares.
func rewritten(signed []byte, head *flog.Checkpoint, opened *note.Note) error {
	if string(head.Marshal()) != opened.Text {
		return errors.New("the tree head is not spelled as it would be written")
	}
	again := opened.Text + "\n"
	for line := range strings.Lines(string(signed[len(again):])) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), " ")
		if len(fields) != 3 {
			return fmt.Errorf("not a signature line: %q", line)
		}
		bytes, err := base64.StdEncoding.Strict().DecodeString(fields[2])
		if err != nil {
			return err
		}
		again += "— " + fields[1] + " " + base64.StdEncoding.EncodeToString(bytes) + "\n"
	}
	if again != string(signed) {
		return errors.New("the signatures are not spelled as they would be written")
	}
	return nil
}
