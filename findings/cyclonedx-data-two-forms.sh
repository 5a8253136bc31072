#!/usr/bin/env bash
# cyclonedx-go v0.12.0 (Go), held against the schemas of CycloneDX 1.6 in cyclonedx-python-lib 11.12.0 (PyPI): JSON and XML are two forms of one bill of
# materials, and they have two names for the person who answers for a data set: `contact` in the JSON schema (dataGovernanceResponsibleParty),
# `individual` in the XML schema; and a model card refers to a data set in JSON by `ref` in an item of `datasets`, in XML by `ref` in the item's
# place. The Go library takes JSON's names in both. So it writes a valid JSON document as XML that the standard's own schema refuses, and of
# a valid XML document it loses who answers for the data and on which data set the model was trained, without an error.
#
# Who is hurt: who keeps a model's bill of materials in one form and hands it on in the other: what is lost is what the model card says of the data.
#
# Seen 2026-11-30, Python 3.11, Go 1.26: JSON to XML: two faults, `ref` and `contact`; XML to JSON: {} for the person, no data set.
set -euo pipefail
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check 'cyclonedx-python-lib[validation]==11.12.0'
mkdir "$work/go"
cat >"$work/go/go.mod" <<'MOD'
module convert

go 1.24

require github.com/CycloneDX/cyclonedx-go v0.12.0
MOD
cat >"$work/go/main.go" <<'GO'
package main

import (
	"os"

	"github.com/CycloneDX/cyclonedx-go"
)

func main() {
	from, to := cyclonedx.BOMFileFormatJSON, cyclonedx.BOMFileFormatXML
	if os.Args[1] == "json" {
		from, to = to, from
	}
	var document cyclonedx.BOM
	if err := cyclonedx.NewBOMDecoder(os.Stdin, from).Decode(&document); err != nil {
		panic(err)
	}
	if err := cyclonedx.NewBOMEncoder(os.Stdout, to).EncodeVersion(&document, cyclonedx.SpecVersion1_6); err != nil {
		panic(err)
	}
}
GO
(cd "$work/go" && export GOFLAGS=-mod=mod GOPATH="$work/gopath" && go build -o "$work/convert" .)
cat >"$work/bom.json" <<'JSON'
{"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": [
 {"type": "machine-learning-model", "name": "tiny", "modelCard": {"modelParameters": {"datasets": [{"ref": "texts"}]}}},
 {"type": "data", "bom-ref": "texts", "name": "texts",
  "data": [{"type": "dataset", "governance": {"custodians": [{"contact": {"name": "A. Person"}}]}}]}]}
JSON
cat >"$work/bom.xml" <<'XML'
<bom xmlns="http://cyclonedx.org/schema/bom/1.6" version="1"><components>
 <component type="machine-learning-model"><name>tiny</name>
  <modelCard><modelParameters><datasets><ref>texts</ref></datasets></modelParameters></modelCard></component>
 <component type="data" bom-ref="texts"><name>texts</name><data><type>dataset</type><governance><custodians>
  <custodian><individual><name>A. Person</name></individual></custodian></custodians></governance></data></component></components></bom>
XML
"$work/convert" xml <"$work/bom.json" >"$work/from-json.xml"
"$work/convert" json <"$work/bom.xml" >"$work/from-xml.json"
cat >"$work/check.py" <<'PY'
import json, sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from cyclonedx.validation.xml import XmlValidator

read = lambda name: open(f"{sys.argv[1]}/{name}").read()
by_json, by_xml = JsonStrictValidator(SchemaVersion.V1_6), XmlValidator(SchemaVersion.V1_6)
assert by_json.validate_str(read("bom.json")) is None and by_xml.validate_str(read("bom.xml")) is None
faults = [str(fault).split("Element '{http://cyclonedx.org/schema/bom/1.6}")[1].split("'")[0] for fault in by_xml.validate_str(read("from-json.xml"), all_errors=True)]
print("JSON to XML, not expected:", *faults)
assert faults == ["ref", "contact"]
model, data = json.loads(read("from-xml.json"))["components"]
datasets, custodians = model["modelCard"]["modelParameters"].get("datasets"), data["data"][0]["governance"]["custodians"]
print("XML to JSON:", datasets, custodians)
assert not datasets and custodians == [{}]
PY
"$work/venv/bin/python" "$work/check.py" "$work"
