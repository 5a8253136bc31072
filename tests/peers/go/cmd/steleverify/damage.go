package main

import (
	"fmt"
	"slices"
	"strings"

	"stele.example/tests/peers/internal/fixture"
	"stele.example/tests/peers/internal/mutate"
	"stele.example/tests/peers/internal/verify"
)

// damagedCheckpoint flips every bit of a checkpoint that carries just a quorum.
func damagedCheckpoint(r *report, policy *verify.Policy, signed []byte) {
	least := leastSigned(string(signed), func(text string) bool {
		_, _, err := policy.Checkpoint([]byte(text))
		return err == nil
	})
	accepted := 0
	for i := range least {
		for bit := range 8 {
			changed := []byte(least)
			changed[i] ^= 1 << bit
			if _, _, err := policy.Checkpoint(changed); err == nil {
				accepted++
			}
		}
	}
	r.check(none(accepted), "checkpoint: each bit of its %d bytes flipped: all refused", len(least))
}

// damagedProof runs every family of damage over a proof, and damages the entry and the policy too.
func damagedProof(r *report, name string, policy *verify.Policy, policyText []byte, proof string, entry []byte) {
	holds := func(policy *verify.Policy, proof string, entry []byte) bool {
		_, _, err := policy.Proof([]byte(proof), entry)
		return err == nil
	}
	least := leastSigned(proof, func(text string) bool { return holds(policy, text, entry) })
	for _, family := range mutate.Proof(least) {
		accepted := 0
		for _, variant := range family.Variants {
			if holds(policy, variant, entry) {
				accepted++
			}
		}
		r.check(none(accepted), "%s: %s: all %d refused", name, family.Name, len(family.Variants))
	}

	accepted := 0
	entries := append(mutate.Flips(entry), nil, entry[:len(entry)-1], append(slices.Clone(entry), 0))
	for _, changed := range entries {
		if holds(policy, proof, changed) {
			accepted++
		}
	}
	r.check(none(accepted), "%s: another entry: all %d refused", name, len(entries))
	r.check(none(damagedPolicies(policyText, func(policy *verify.Policy) bool { return holds(policy, least, entry) })),
		"%s: a policy with another log key, other witnesses or all of them: refused", name)
}

// damagedPolicies counts the policies under which a proof with the least signatures still holds.
func damagedPolicies(text []byte, holds func(*verify.Policy) bool) (accepted int) {
	var log, witnesses, quorum, renamed []string
	var names []string
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		other := line
		switch {
		case len(fields) > 1 && fields[0] == "log":
			name, _, _ := strings.Cut(fields[1], "+")
			other = strings.Replace(line, fields[1], fixture.NewKey(name, fixture.AlgEd25519, "stranger").VKey(), 1)
			log, witnesses, quorum = append(log, other), append(witnesses, line), append(quorum, line)
			renamed = append(renamed, strings.Replace(line, fields[1], fixture.NewKey("other.example/log", fixture.AlgEd25519, "stranger").VKey(), 1))
			continue
		case len(fields) > 2 && fields[0] == "witness":
			names = append(names, fields[1])
			name, _, _ := strings.Cut(fields[2], "+")
			other = strings.Replace(line, fields[2], fixture.NewKey(name, fixture.AlgCosignature, "stranger "+name).VKey(), 1)
		}
		log, witnesses, renamed = append(log, line), append(witnesses, other), append(renamed, line)
		if len(fields) > 0 && fields[0] != "quorum" && fields[0] != "group" {
			quorum = append(quorum, line)
		}
	}
	quorum = append(quorum, "group everyone all "+strings.Join(names, " ")+"\nquorum everyone\n")
	for _, lines := range [][]string{log, renamed, witnesses, quorum} {
		policy, err := verify.ParsePolicy([]byte(strings.Join(lines, "")))
		if err != nil {
			panic("a damaged policy has to be one that can be read: " + err.Error())
		}
		if holds(policy) {
			accepted++
		}
	}
	return accepted
}

// leastSigned leaves out signature lines as long as what is left is accepted.
func leastSigned(text string, accepted func(string) bool) string {
	lines := strings.SplitAfter(text, "\n")
	for i := len(lines) - 1; i >= 0; i-- {
		if !strings.HasPrefix(lines[i], "— ") {
			continue
		}
		fewer := strings.Join(slices.Concat(lines[:i], lines[i+1:]), "")
		if accepted(fewer) {
			lines = strings.SplitAfter(fewer, "\n")
		}
	}
	return strings.Join(lines, "")
}

func none(accepted int) error {
	if accepted > 0 {
		return fmt.Errorf("%d accepted", accepted)
	}
	return nil
}
