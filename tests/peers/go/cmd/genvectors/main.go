// Command genvectors writes the vectors in spec/vectors/foreign: keys, notes, tree heads, cosignatures, policies, proofs
// and tiles, made and judged by Go packages that nobody here wrote. Run again it writes the same bytes.
//
//	go run ./cmd/genvectors -out ../../../spec/vectors/foreign
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	out := flag.String("out", "", "folder to write the vectors to")
	flag.Parse()
	if *out == "" {
		flag.Usage()
		os.Exit(2)
	}
	files := []struct {
		name    string
		content any
	}{
		{"note.json", noteVectors()},
		{"checkpoint.json", checkpointVectors()},
		{"cosignature.json", cosignatureVectors()},
		{"mldsa.json", mldsaVectors()},
		{"tree.json", treeVectors()},
		{"tile.json", tileVectors()},
		{"policy.json", policyVectors()},
		{"tlog-proof.json", proofVectors()},
		{"ed25519-edges.json", edgeVectors()},
	}
	for _, file := range files {
		if err := os.WriteFile(filepath.Join(*out, file.name), render(file.content), 0o644); err != nil {
			fmt.Fprintln(os.Stderr, "genvectors:", err)
			os.Exit(1)
		}
	}
}

// verdict says what Stele has to do with a case, and what the Go package did with it. They differ only where Stele is
// stricter: it accepts one encoding of each value.
type verdict struct {
	Name  string `json:"name"`
	Stele string `json:"stele"`
	Go    string `json:"go"`
}

const (
	accepts = "accepts"
	refuses = "refuses"
)

// judge fills in the peer's verdict and holds it against Stele's: a peer may be laxer, never stricter.
func judge(name, stele string, err error) verdict {
	peer := accepts
	if err != nil {
		peer = refuses
	}
	if stele == accepts && peer == refuses {
		panic(fmt.Sprintf("%s: the peer refuses what Stele is to accept: %v", name, err))
	}
	return verdict{Name: name, Stele: stele, Go: peer}
}

// render writes an object with one line for each element of its lists, so that a difference is one line too.
//
// Text that is not UTF-8 would come out as other text, and with it another case.
func render(content any) []byte {
	var plain bytes.Buffer
	encoder := json.NewEncoder(&plain)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(content); err != nil {
		panic(err)
	}
	if bytes.Contains(plain.Bytes(), []byte(`\ufffd`)) {
		panic("a text is not UTF-8")
	}
	var fields []struct {
		key   string
		value json.RawMessage
	}
	decoder := json.NewDecoder(&plain)
	token(decoder)
	for decoder.More() {
		key := token(decoder).(string)
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			panic(err)
		}
		fields = append(fields, struct {
			key   string
			value json.RawMessage
		}{key, value})
	}
	var out bytes.Buffer
	out.WriteString("{\n")
	for i, field := range fields {
		fmt.Fprintf(&out, "%q: ", field.key)
		var elements []json.RawMessage
		if field.value[0] == '[' && json.Unmarshal(field.value, &elements) == nil && len(elements) > 0 {
			out.WriteString("[\n")
			for j, element := range elements {
				out.Write(element)
				out.WriteString(separator(j, len(elements)))
			}
			out.WriteString("]")
		} else {
			out.Write(field.value)
		}
		out.WriteString(separator(i, len(fields)))
	}
	out.WriteString("}\n")
	return out.Bytes()
}

func separator(i, n int) string {
	if i+1 < n {
		return ",\n"
	}
	return "\n"
}

func token(decoder *json.Decoder) json.Token {
	token, err := decoder.Token()
	if err != nil {
		panic(err)
	}
	return token
}

func b64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

func hexed(b []byte) string { return hex.EncodeToString(b) }

func hexBytes(text string) ([]byte, error) { return hex.DecodeString(text) }
