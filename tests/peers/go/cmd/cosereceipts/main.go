// Command cosereceipts puts the receipts in a file of cases through go-cose: it has to verify the good ones and to refuse the damaged ones.
//
//	cosereceipts CASES.json
package main

import (
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"

	"github.com/veraison/go-cose"
)

type receipts struct {
	PublicKey string `json:"public_key"`
	Cases     []struct {
		Receipt string `json:"receipt"`
		Root    string `json:"root"`
		Good    bool   `json:"good"`
	} `json:"cases"`
}

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Println("FAIL", err)
		os.Exit(1)
	}
}

func run(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var all receipts
	if err := json.Unmarshal(text, &all); err != nil {
		return err
	}
	key, err := hex.DecodeString(all.PublicKey)
	if err != nil {
		return err
	}
	good := 0
	for _, one := range all.Cases {
		receipt, _ := hex.DecodeString(one.Receipt)
		root, _ := hex.DecodeString(one.Root)
		if err := verify(receipt, root, key); (err == nil) != one.Good {
			return fmt.Errorf("go-cose: expected good to be %t, found %v: %s", one.Good, err, one.Receipt)
		}
		if one.Good {
			good++
		}
	}
	if good == 0 || good == len(all.Cases) {
		return fmt.Errorf("expected good receipts and damaged ones, found %d of %d good", good, len(all.Cases))
	}
	fmt.Printf("ok   go-cose verifies %d and refuses %d damaged receipts\n", good, len(all.Cases)-good)
	return nil
}

// verify checks the signature over the detached root.
func verify(receipt, root []byte, key ed25519.PublicKey) error {
	var message cose.Sign1Message
	if err := message.UnmarshalCBOR(receipt); err != nil {
		return err
	}
	algorithm, err := message.Headers.Protected.Algorithm()
	if err != nil {
		return err
	}
	verifier, err := cose.NewVerifier(algorithm, key)
	if err != nil {
		return err
	}
	message.Payload = root
	return message.Verify(nil, verifier)
}
