#!/usr/bin/env bash
# github.com/google/licenseclassifier/v2 v2.0.0 and github.com/google/licensecheck v0.3.1 (Go), two libraries of one house that tell the licence of a text, over texts of SPDX
# (spdx-license-list 6.12.0, npm). Open models come under known texts with a clause put in or added: MIT, but large services show a name; Apache-2.0, but not for sale. The
# classifier calls them MIT and Apache-2.0: with a confidence of 1 where the clause stands at the end, and of 0.96 where the grant of MIT itself has become one for
# purposes that are not commercial. licensecheck calls them so too where it stands at the end, and says how much of the text it knows, 88 and 99 percent (MIT as it is: 99); where it
# was put in, it finds nothing of MIT, and Apache-2.0 all the same, in 6 percent of the text. Neither knows OpenMDW-1.0, the licence that was written for open models.
#
# Who is hurt: who lets such a tool fill the licence of a model into a card, a bill of materials or a gate: a model that must not be sold, or must show a name, is MIT
# there. Where the text is not equal to that of its licence to the word, record the text and its digest, and `LicenseRef-`.
#
# Seen 2026-11-30, Go 1.26, Node 20.20: the lines at the end.
set -euo pipefail
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
mkdir "$work/node" "$work/go" "$work/texts"
(cd "$work/node" && npm init --yes >npm.out && npm install --silent spdx-license-list@6.12.0)
cat >"$work/node/write.cjs" <<'JS'
const { writeFileSync } = require('node:fs')
const { MIT, 'Apache-2.0': Apache, 'OpenMDW-1.0': OpenMDW } = require('spdx-license-list/full')

const put = (text, place, words) => {
  if (text.split(place).length !== 2) throw new Error(place)
  return text.replace(place, words)
}
const noSale = 'The Work may not be used for commercial purposes, nor by whoever has more than 700 million users in a month.\n\n'
const texts = {
  'MIT': MIT.licenseText,
  'MIT, name to be shown added': `${MIT.licenseText}\n\nWhoever offers the Software to more than 100 million users in a month shows its name to each of them.\n`,
  'MIT, sale forbidden': put(MIT.licenseText, 'without restriction', 'for purposes that are not commercial'),
  'Apache-2.0': Apache.licenseText,
  'Apache-2.0, sale forbidden at the end': `${Apache.licenseText}\n\n${noSale}`,
  'Apache-2.0, sale forbidden in section 3': put(Apache.licenseText, '3. Grant of Patent License.', `${noSale}3. Grant of Patent License.`),
  'OpenMDW-1.0': OpenMDW.licenseText,
}
for (const [name, text] of Object.entries(texts)) writeFileSync(`${process.argv[2]}/${name}`, text)
JS
node "$work/node/write.cjs" "$work/texts"
cat >"$work/go/go.mod" <<'MOD'
module tell

go 1.25

require (
	github.com/google/licensecheck v0.3.1
	github.com/google/licenseclassifier/v2 v2.0.0
)
MOD
cat >"$work/go/main.go" <<'GO'
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/licensecheck"
	"github.com/google/licenseclassifier/v2/assets"
)

func main() {
	classifier, err := assets.DefaultClassifier()
	if err != nil {
		panic(err)
	}
	paths, err := filepath.Glob(os.Args[1] + "/*")
	if err != nil {
		panic(err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			panic(err)
		}
		fmt.Print(filepath.Base(path), ": classifier")
		for _, match := range classifier.Match(text).Matches {
			fmt.Printf(" %s %.2f", match.Name, match.Confidence)
		}
		covered := licensecheck.Scan(text)
		fmt.Print(", check")
		for _, match := range covered.Match {
			fmt.Printf(" %s", match.ID)
		}
		fmt.Printf(" %.0f%%\n", covered.Percent)
	}
}
GO
found=$(cd "$work/go" && export GOFLAGS=-mod=mod GOPATH="$work/gopath" && go run . "$work/texts" 2>"$work/err") || { cat "$work/err"; exit 1; }
echo "$found"
[[ $found == 'Apache-2.0: classifier Apache-2.0 1.00, check Apache-2.0 100%
Apache-2.0, sale forbidden at the end: classifier Apache-2.0 1.00, check Apache-2.0 99%
Apache-2.0, sale forbidden in section 3: classifier Apache-2.0 0.99, check Apache-2.0 6%
MIT: classifier MIT 1.00, check MIT 99%
MIT, name to be shown added: classifier MIT 1.00, check MIT 88%
MIT, sale forbidden: classifier MIT 0.96, check 0%
OpenMDW-1.0: classifier, check 0%' ]]
