// Command steleverify checks Stele's artifacts with Go packages that know nothing of Stele, and then damages them and
// checks that the same packages refuse what is damaged.
//
//	steleverify -dir DIR [-public DIR] [-head]
//
// DIR holds `policy`, `checkpoint`, and for each proof `NAME.tlog-proof` and `NAME.entry`, the entry's bytes. With -public it
// also reads a log's tiles and entry bundles (c2sp.org/tlog-tiles) from a folder. With -head it looks at the checkpoint alone.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"stele.example/tests/peers/internal/verify"
)

func main() {
	dir := flag.String("dir", "", "folder of artifacts")
	public := flag.String("public", "", "folder that a log serves")
	headOnly := flag.Bool("head", false, "only the checkpoint: there are no proofs")
	flag.Parse()
	if *dir == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	var report report
	run(&report, *dir, *public, *headOnly)
	fmt.Printf("%d passed, %d failed\n", report.passed, report.failed)
	if report.failed > 0 || report.passed == 0 {
		os.Exit(1)
	}
}

func run(r *report, dir, public string, headOnly bool) {
	policyText := read(r, dir, "policy")
	policy, err := verify.ParsePolicy(policyText)
	if !r.check(err, "formats/witness reads the policy") {
		return
	}
	signed := read(r, dir, "checkpoint")
	head, cosigners, err := policy.Checkpoint(signed)
	if !r.check(err, "sumdb/note and formats/log accept the checkpoint: log signature, quorum") {
		return
	}
	r.check(nil, "%s of %d entries, cosigned by %s", head.Origin, head.Size, strings.Join(cosigners, ", "))
	damagedCheckpoint(r, policy, signed)
	if headOnly {
		return
	}

	proofs, _ := filepath.Glob(filepath.Join(dir, "*.tlog-proof"))
	if len(proofs) == 0 {
		r.check(fmt.Errorf("none in %s", dir), "there are proofs to check")
	}
	for _, path := range proofs {
		name := strings.TrimSuffix(filepath.Base(path), ".tlog-proof")
		proof, entry := read(r, dir, name+".tlog-proof"), read(r, dir, name+".entry")
		index, at, err := policy.Proof(proof, entry)
		if !r.check(err, "%s: sumdb/tlog finds the entry in the tree that its checkpoint signs", name) {
			continue
		}
		r.check(nil, "%s: entry %d of %d", name, index, at.Size)
		damagedProof(r, name, policy, policyText, string(proof), entry)
		if public != "" {
			consistent(r, name, public, at, head)
		}
	}
	if public != "" {
		tiles(r, public, head)
	}
}

// report prints a line for each check and counts them.
type report struct{ passed, failed int }

// check is passed when there is no error.
func (r *report) check(err error, format string, values ...any) bool {
	if err != nil {
		r.failed++
		fmt.Printf("FAIL %s: %v\n", fmt.Sprintf(format, values...), err)
		return false
	}
	r.passed++
	fmt.Printf("ok   %s\n", fmt.Sprintf(format, values...))
	return true
}

func read(r *report, dir, name string) []byte {
	bytes, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		r.check(err, "read %s", name)
	}
	return bytes
}
