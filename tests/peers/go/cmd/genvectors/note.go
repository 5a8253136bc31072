package main

import (
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"stele.example/tests/peers/internal/fixture"
)

type keyVector struct {
	Name   string `json:"name"`
	Seed   string `json:"seed"`
	Public string `json:"public"`
	ID     string `json:"id"`
	SKey   string `json:"skey"`
	VKey   string `json:"vkey"`
}

type keyCase struct {
	verdict
	Key string `json:"key"`
}

type noteCase struct {
	verdict
	Note string `json:"note"`
	// Signers are the known keys whose signatures hold, in the order of their lines.
	Signers []string `json:"signers,omitempty"`
}

func noteVectors() any {
	alice, bob := fixture.NewKey("alice.example/one", 1, "alice"), fixture.NewKey("bob.example", 1, "bob")
	return struct {
		About string      `json:"about"`
		Keys  []keyVector `json:"keys"`
		VKeys []keyCase   `json:"vkeys"`
		SKeys []keyCase   `json:"skeys"`
		Notes []noteCase  `json:"notes"`
	}{
		About: "c2sp.org/signed-note with Ed25519 keys (type 0x01) by golang.org/x/mod/sumdb/note. 'keys' are the keys known when " +
			"'notes' are opened; seeds and public keys in hex. A case has Stele's verdict and Go's; Stele is stricter where a " +
			"value has several encodings. 'notes' that are accepted name the known signers whose signatures hold.",
		Keys:  []keyVector{keyOf(alice), keyOf(bob)},
		VKeys: vkeyCases(alice),
		SKeys: skeyCases(alice),
		Notes: noteCases(alice, bob),
	}
}

func keyOf(k fixture.Key) keyVector {
	return keyVector{k.Name, hexed(k.Seed[:]), hexed(k.Public()), fmt.Sprintf("%08x", k.ID()), k.SKey(), k.VKey()}
}

func vkeyCases(k fixture.Key) (out []keyCase) {
	name, id, key := split(k.VKey())
	for _, c := range []struct{ name, stele, key string }{
		{"empty", refuses, ""},
		{"name only", refuses, name},
		{"no key", refuses, name + "+" + id},
		{"empty key", refuses, name + "+" + id + "+"},
		{"id of another key", refuses, name + "+00000000+" + key},
		{"id of seven digits", refuses, name + "+" + id[1:] + "+" + key},
		{"id in upper case", refuses, name + "+" + strings.ToUpper(id) + "+" + key},
		{"empty name", refuses, "+" + id + "+" + key},
		{"name changed", refuses, "x" + name + "+" + id + "+" + key},
		{"space in the name", refuses, rekeyed("a b", k)},
		{"no-break space in the name", refuses, rekeyed("a\u00a0b", k)},
		{"a newline within the key", refuses, name + "+" + id + "+" + key[:20] + "\n" + key[20:]},
		{"padding behind the key", refuses, k.VKey() + "="},
		{"key with a byte more", refuses, withKey(k, append([]byte{1}, append(k.Public(), 0)...))},
		{"key with a byte less", refuses, withKey(k, append([]byte{1}, k.Public()[:31]...))},
		{"type 0x02", refuses, withKey(k, append([]byte{2}, k.Public()...))},
		{"newline at the end", refuses, k.VKey() + "\n"},
		{"space at the end", refuses, k.VKey() + " "},
		{"as it should be", accepts, k.VKey()},
		{"non-ASCII name", accepts, rekeyed("zoë.example/日誌", k)},
	} {
		_, err := note.NewVerifier(c.key)
		out = append(out, keyCase{judge(c.name, c.stele, err), c.key})
	}
	return out
}

func skeyCases(k fixture.Key) (out []keyCase) {
	name, id, key := split(strings.TrimPrefix(k.SKey(), "PRIVATE+KEY+"))
	for _, c := range []struct{ name, stele, key string }{
		{"a verifier key", refuses, k.VKey()},
		{"no prefix", refuses, strings.TrimPrefix(k.SKey(), "PRIVATE+KEY+")},
		{"prefix in lower case", refuses, "private+key+" + name + "+" + id + "+" + key},
		{"id of another key", refuses, "PRIVATE+KEY+" + name + "+00000000+" + key},
		{"name changed", refuses, "PRIVATE+KEY+x" + name + "+" + id + "+" + key},
		{"a newline within the key", refuses, "PRIVATE+KEY+" + name + "+" + id + "+" + key[:20] + "\n" + key[20:]},
		{"newline at the end", refuses, k.SKey() + "\n"},
		{"as it should be", accepts, k.SKey()},
	} {
		_, err := note.NewSigner(c.key)
		out = append(out, keyCase{judge(c.name, c.stele, err), c.key})
	}
	return out
}

func noteCases(alice, bob fixture.Key) (out []noteCase) {
	carol := fixture.NewKey("carol.example", 1, "carol")
	text := "A line.\n\nAnother — with é.\n"
	a, b, c := alice.SignLine(text), bob.SignLine(text), carol.SignLine(text)
	broken := func(k fixture.Key) string {
		signature := ed25519.Sign(k.Private(), []byte(text))
		signature[10] ^= 1
		return k.Line(signature)
	}
	renamed := alice
	renamed.Name = "mallory.example"
	for _, n := range []struct{ name, stele, note string }{
		{"empty", refuses, ""},
		{"text alone", refuses, text},
		{"no signature", refuses, text + "\n"},
		{"no blank line", refuses, strings.TrimSuffix(text, "\n") + "\n" + a},
		{"text without its newline", refuses, "A line." + "\n" + alice.SignLine("A line.")},
		{"last line without its newline", refuses, text + "\n" + strings.TrimSuffix(a, "\n")},
		{"an empty line at the end", refuses, text + "\n" + a + "\n"},
		{"an empty line between signatures", refuses, text + "\n" + a + "\n" + b},
		{"a hyphen for the dash", refuses, text + "\n" + strings.Replace(a, "—", "-", 1)},
		{"two spaces", refuses, text + "\n" + strings.Replace(a, "— ", "—  ", 1)},
		{"a space at the end of a line", refuses, text + "\n" + strings.Replace(a, "\n", " \n", 1)},
		{"CR", refuses, text + "\n" + strings.Replace(a, "\n", "\r\n", 1)},
		{"a tab in the text", refuses, "a\tb\n\n" + alice.SignLine("a\tb\n")},
		{"NUL in the text", refuses, "a\x00b\n\n" + alice.SignLine("a\x00b\n")},
		{"a plus in the name", refuses, text + "\n" + strings.Replace(a, "alice", "ali+ce", 1)},
		{"not base64", refuses, text + "\n" + strings.Replace(a, "=", "!", 1)},
		{"base64 without padding", refuses, text + "\n" + strings.Replace(a, "=", "", 1)},
		{"only an id", refuses, text + "\n" + alice.Line(nil)},
		{"bits behind the end of the base64", refuses, text + "\n" + loose(strings.TrimSuffix(a, "\n")) + "\n"},
		{"a hundred and one lines", refuses, text + "\n" + strings.Repeat(c, 100) + a},
		{"only an unknown key", refuses, text + "\n" + c},
		{"a known key's signature under another name", refuses, text + "\n" + renamed.SignLine(text)},
		{"a known key's signature broken", refuses, text + "\n" + broken(alice)},
		{"one known signature holds, another is broken", refuses, text + "\n" + a + broken(bob)},
		{"signature over another text", refuses, "Another text.\n\n" + a},
		{"signature with a byte more", refuses, text + "\n" + alice.Line(append(ed25519.Sign(alice.Private(), []byte(text)), 0))},
		{"one signature", accepts, text + "\n" + a},
		{"two signatures", accepts, text + "\n" + b + a},
		{"an unknown key beside a known one", accepts, text + "\n" + c + a},
		{"an unknown key's signature may be nonsense", accepts, text + "\n" + carol.Line([]byte("nonsense")) + a},
		{"sixteen lines", accepts, text + "\n" + strangers(15, text) + a},
		{"two lines of one key that is unknown", refuses, text + "\n" + c + c + a},
		{"two lines of one key", refuses, text + "\n" + a + a},
		{"a text of one newline", accepts, "\n\n" + alice.SignLine("\n")},
		{"a text that looks like a signature", accepts, a + "\n" + alice.SignLine(a)},
	} {
		opened, err := note.Open([]byte(n.note), note.VerifierList(alice.Verifier(), bob.Verifier()))
		var signers []string
		if err == nil {
			for _, signature := range opened.Sigs {
				signers = append(signers, signature.Name)
			}
		}
		out = append(out, noteCase{judge(n.name, n.stele, err), n.note, signers})
	}
	return out
}

// strangers are the lines of so many keys that nobody knows.
func strangers(count int, text string) string {
	var lines strings.Builder
	for n := range count {
		name := fmt.Sprintf("stranger-%d.example", n)
		lines.WriteString(fixture.NewKey(name, 1, name).SignLine(text))
	}
	return lines.String()
}

// rekeyed is the vkey of the same key under another name, its id right for that name.
func rekeyed(name string, k fixture.Key) string {
	k.Name = name
	return k.VKey()
}

// withKey is a vkey over other key bytes, its id right for them.
func withKey(k fixture.Key, key []byte) string {
	id := digest(append([]byte(k.Name+"\n"), key...))[:8]
	return k.Name + "+" + id + "+" + b64(key)
}

// loose sets the unused bits at the end of a base64 text: the same bytes to a lax decoder, another text.
func loose(text string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	end := len(strings.TrimRight(text, "="))
	if end == len(text) {
		panic("no unused bits in " + text)
	}
	last := strings.IndexByte(alphabet, text[end-1])
	changed := text[:end-1] + string(alphabet[last|1]) + text[end:]
	if changed == text {
		panic("unused bits already set")
	}
	tail := changed[strings.LastIndexAny(changed, " +")+1:]
	if _, err := base64.StdEncoding.Strict().DecodeString(tail); err == nil && len(tail)%4 == 0 {
		panic("strictly encoded: " + tail)
	}
	return changed
}

func split(key string) (name, id, rest string) {
	name, key, _ = strings.Cut(key, "+")
	id, rest, _ = strings.Cut(key, "+")
	return name, id, rest
}
