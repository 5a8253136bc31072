package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"filippo.io/edwards25519"

	"stele.example/tests/peers/internal/fixture"
)

// Facts about an encoded point.
const (
	lowOrder     = "low-order"     // its order divides 8
	torsion      = "torsion"       // its torsion component is not the identity
	nonCanonical = "non-canonical" // the same point has another, smaller encoding
	offCurve     = "off-curve"
)

type edgeKey struct {
	Stele string   `json:"stele"`
	Key   string   `json:"key"`
	Facts []string `json:"facts,omitempty"`
}

type edgeSignature struct {
	Stele string   `json:"stele"`
	Go    string   `json:"go"`
	Key   string   `json:"key"`
	Sig   string   `json:"sig"`
	Msg   string   `json:"msg"`
	A     []string `json:"a,omitempty"`
	R     []string `json:"r,omitempty"`
	// Holds names the equations that hold: "cofactorless" is [s]B = R + [k]A, "cofactored" is eight times that.
	Holds []string `json:"holds,omitempty"`
	S     string   `json:"s,omitempty"`
	K     string   `json:"k,omitempty"`
}

// edgeVectors covers what RFC 8032 leaves to the verifier: points of low order, with a torsion component, or in a second
// encoding, as the key and as the signature's R, in every combination.
func edgeVectors() any {
	return struct {
		About      string          `json:"about"`
		Keys       []edgeKey       `json:"keys"`
		Signatures []edgeSignature `json:"signatures"`
	}{
		About: "The corners of Ed25519, computed with filippo.io/edwards25519. 'keys' are 32-byte encodings: Stele enrols a key only if it " +
			"is canonical, not of low order and without a torsion component. 'signatures' combine keys and values of R of each " +
			"kind: 'a' and 'r' are the facts about the two points, 'holds' the equations that hold, 's' says that s was written with " +
			"a multiple of the group order added, 'k' that the hash was taken over canonical encodings. 'go' is the verdict of " +
			"crypto/ed25519. 'stele' accepts only if the key is enrolled, s is reduced, R is canonical and not of low order, and " +
			"the cofactorless equation holds. 'verify_strict' alone, with the key not looked at, accepts when neither point is of low " +
			"order, R is canonical, s is reduced and the cofactorless equation holds. Messages are ASCII.",
		Keys:       edgeKeys(),
		Signatures: edgeSignatures(),
	}
}

// point is an encoded point whose discrete logarithm (up to torsion) is known.
type point struct {
	encoded []byte
	scalar  *edwards25519.Scalar
}

func (p point) decoded() *edwards25519.Point {
	return fixture.Must(new(edwards25519.Point).SetBytes(p.encoded))
}

func facts(encoded []byte) (out []string) {
	p, err := new(edwards25519.Point).SetBytes(encoded)
	if err != nil {
		return []string{offCurve}
	}
	if new(edwards25519.Point).MultByCofactor(p).Equal(edwards25519.NewIdentityPoint()) == 1 {
		out = append(out, lowOrder)
	}
	if timesOrder(p).Equal(edwards25519.NewIdentityPoint()) == 0 {
		out = append(out, torsion)
	}
	if !bytes.Equal(p.Bytes(), encoded) {
		out = append(out, nonCanonical)
	}
	return out
}

// order is the prime l = 2^252 + 27742317777372353535851937790883648493.
var order = func() *big.Int {
	l, _ := new(big.Int).SetString("27742317777372353535851937790883648493", 10)
	return l.Add(l, new(big.Int).Lsh(big.NewInt(1), 252))
}()

// prime is the field's, 2^255 - 19.
var prime = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))

// timesOrder is [l]P = [l-1]P + P: l itself is no scalar.
func timesOrder(p *edwards25519.Point) *edwards25519.Point {
	most := fixture.Must(edwards25519.NewScalar().SetCanonicalBytes(little(new(big.Int).Sub(order, big.NewInt(1)))))
	return new(edwards25519.Point).Add(new(edwards25519.Point).ScalarMult(most, p), p)
}

// torsionPoints are the eight points of order 1, 2, 4 or 8: the multiples of one of order 8.
func torsionPoints() (out []*edwards25519.Point) {
	var generator *edwards25519.Point
	for i := 0; generator == nil; i++ {
		seed := sha256.Sum256(fmt.Appendf(nil, "stele torsion %d", i))
		p, err := new(edwards25519.Point).SetBytes(seed[:])
		if err != nil {
			continue
		}
		t := timesOrder(p)
		double := new(edwards25519.Point).Add(t, t)
		if new(edwards25519.Point).Add(double, double).Equal(edwards25519.NewIdentityPoint()) == 0 {
			generator = t
		}
	}
	sum := edwards25519.NewIdentityPoint()
	for range 8 {
		out = append(out, new(edwards25519.Point).Set(sum))
		sum.Add(sum, generator)
	}
	return out
}

// secondEncodings are the encodings other than the canonical ones: y + p where that fits into 255 bits (y < 19), and x = 0
// with its sign bit set.
func secondEncodings() (out [][]byte) {
	var candidates [][]byte
	for y := int64(0); y < 19; y++ {
		candidates = append(candidates, little(new(big.Int).Add(prime, big.NewInt(y))))
	}
	candidates = append(candidates, little(big.NewInt(1)), little(new(big.Int).Sub(prime, big.NewInt(1))))
	for _, candidate := range candidates {
		for _, sign := range []byte{0, 0x80} {
			encoded := slices.Clone(candidate)
			encoded[31] |= sign
			if slices.Contains(facts(encoded), nonCanonical) {
				out = append(out, encoded)
			}
		}
	}
	return out
}

func edgeKeys() (out []edgeKey) {
	var encodings [][]byte
	for y := int64(2); len(encodings) < 3; y++ {
		if encoded := little(big.NewInt(y)); slices.Contains(facts(encoded), offCurve) {
			encodings = append(encodings, encoded)
		}
	}
	encodings = append(encodings, secondEncodings()...)
	for _, t := range torsionPoints() {
		encodings = append(encodings, t.Bytes())
	}
	for _, p := range mixedPoints("key") {
		encodings = append(encodings, p.encoded)
	}
	for i := range 4 {
		encodings = append(encodings, fixture.NewKey("", 0, fmt.Sprint("edge ", i)).Public())
	}
	for _, encoded := range encodings {
		known := facts(encoded)
		out = append(out, edgeKey{verdictIf(len(known) == 0), hexed(encoded), known})
	}
	return out
}

// mixedPoints are [a]B + T for each torsion point T; the first is an ordinary point.
func mixedPoints(label string) (out []point) {
	for i, t := range torsionPoints() {
		a := scalar(sha512.Sum512(fmt.Appendf(nil, "stele edge %s %d", label, i)))
		p := new(edwards25519.Point).Add(new(edwards25519.Point).ScalarBaseMult(a), t)
		out = append(out, point{p.Bytes(), a})
	}
	return out
}

// lowPoints are the points of low order in all their encodings.
func lowPoints() (out []point) {
	for _, t := range torsionPoints() {
		out = append(out, point{t.Bytes(), edwards25519.NewScalar()})
	}
	for _, encoded := range secondEncodings() {
		if slices.Contains(facts(encoded), lowOrder) {
			out = append(out, point{encoded, edwards25519.NewScalar()})
		}
	}
	return out
}

func edgeSignatures() (out []edgeSignature) {
	keys := slices.Concat(mixedPoints("key"), lowPoints())
	for i, a := range keys {
		for j, r := range slices.Concat(mixedPoints("nonce"), lowPoints()) {
			holding, residue := edgeSignature{}, edgeSignature{}
			for n := range 64 {
				v := edge(a, r, fmt.Sprintf("edge %d %d %d", i, j, n))
				if slices.Contains(v.Holds, "cofactorless") {
					holding = v
				} else if residue.Msg == "" {
					residue = v
				}
				if holding.Msg != "" {
					break
				}
			}
			if holding.Msg != "" {
				out = append(out, holding)
			}
			if residue.Msg != "" && (holding.Msg == "" || i < 8 && j < 8) {
				out = append(out, residue)
			}
		}
	}
	return append(out, otherSignatures(keys[0])...)
}

// edge signs with s = r + ka, which satisfies the cofactored equation whatever the torsion.
func edge(a, r point, msg string) edgeSignature {
	k := challenge(r.encoded, a.encoded, msg)
	s := edwards25519.NewScalar().MultiplyAdd(k, a.scalar, r.scalar)
	return judged(a.encoded, r.encoded, s.Bytes(), msg)
}

// otherSignatures are by an ordinary key, and damaged in s, k, R or the message.
func otherSignatures(a point) (out []edgeSignature) {
	r := mixedPoints("nonce")[0]
	const msg = "an ordinary message"
	good := edge(a, r, msg)
	s := edwards25519.NewScalar().MultiplyAdd(challenge(r.encoded, a.encoded, msg), a.scalar, r.scalar)
	for _, multiple := range []int64{1, 2, 8, 15} {
		raised := new(big.Int).Add(fromLittle(s.Bytes()), new(big.Int).Mul(order, big.NewInt(multiple)))
		v := judged(a.encoded, r.encoded, little(raised), msg)
		v.S = fmt.Sprintf("s + %d l", multiple)
		out = append(out, v)
	}
	high := s.Bytes()
	high[31] |= 0x80
	v := judged(a.encoded, r.encoded, high, msg)
	v.S = "high bit set"
	out = append(out, v)

	for _, encoded := range secondEncodings() {
		if !slices.Contains(facts(encoded), lowOrder) {
			continue
		}
		low := point{encoded, edwards25519.NewScalar()}
		canonical := low.decoded().Bytes()
		k := challenge(canonical, a.encoded, msg)
		v := judged(a.encoded, encoded, edwards25519.NewScalar().Multiply(k, a.scalar).Bytes(), msg)
		v.K = "canonical R"
		out = append(out, v)
	}
	for y := int64(2); y < 12; y++ {
		if encoded := little(big.NewInt(y)); slices.Contains(facts(encoded), offCurve) {
			out = append(out, judged(a.encoded, encoded, s.Bytes(), msg), judged(encoded, r.encoded, s.Bytes(), msg))
		}
	}
	out = append(out, judged(a.encoded, r.encoded, s.Bytes(), "another message"))
	for i := range 4 {
		ordinary := fixture.NewKey("", 0, fmt.Sprint("edge ", i))
		text := fmt.Sprint("ordinary ", i)
		signature := ed25519.Sign(ordinary.Private(), []byte(text))
		out = append(out, judged(ordinary.Public(), signature[:32], signature[32:], text))
	}
	return append(out, good)
}

// judged computes which equations hold and what follows.
func judged(a, r, s []byte, msg string) edgeSignature {
	signature := slices.Concat(r, s)
	v := edgeSignature{
		Key: hexed(a), Sig: hexed(signature), Msg: msg, A: facts(a), R: facts(r),
		Go: verdictIf(ed25519.Verify(a, []byte(msg), signature)),
	}
	reduced := fromLittle(s).Cmp(order) < 0
	v.Holds = equations(a, r, s, msg)
	v.Stele = verdictIf(len(v.A) == 0 && reduced && slices.Contains(v.Holds, "cofactorless") &&
		!slices.Contains(v.R, lowOrder) && !slices.Contains(v.R, nonCanonical))
	return v
}

func equations(a, r, s []byte, msg string) (out []string) {
	A, errA := new(edwards25519.Point).SetBytes(a)
	R, errR := new(edwards25519.Point).SetBytes(r)
	if errors.Join(errA, errR) != nil {
		return nil
	}
	scalar := fixture.Must(edwards25519.NewScalar().SetCanonicalBytes(little(new(big.Int).Mod(fromLittle(s), order))))
	rest := new(edwards25519.Point).ScalarMult(challenge(r, a, msg), A)
	rest.Subtract(new(edwards25519.Point).ScalarBaseMult(scalar), rest).Subtract(rest, R)
	if rest.Equal(edwards25519.NewIdentityPoint()) == 1 {
		out = append(out, "cofactorless")
	}
	if rest.MultByCofactor(rest).Equal(edwards25519.NewIdentityPoint()) == 1 {
		out = append(out, "cofactored")
	}
	return out
}

// challenge is k = SHA-512(R || A || M) mod l (RFC 8032 §5.1.7).
func challenge(r, a []byte, msg string) *edwards25519.Scalar {
	return scalar(sha512.Sum512(slices.Concat(r, a, []byte(msg))))
}

func scalar(wide [64]byte) *edwards25519.Scalar {
	return fixture.Must(edwards25519.NewScalar().SetUniformBytes(wide[:]))
}

func verdictIf(accepted bool) string {
	if accepted {
		return accepts
	}
	return refuses
}

// little is the 32-byte little-endian form.
func little(n *big.Int) []byte {
	out := n.FillBytes(make([]byte, 32))
	slices.Reverse(out)
	return out
}

func fromLittle(bytes []byte) *big.Int {
	reversed := slices.Clone(bytes)
	slices.Reverse(reversed)
	return new(big.Int).SetBytes(reversed)
}
