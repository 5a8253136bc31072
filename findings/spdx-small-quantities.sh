#!/usr/bin/env bash
# spdx-python-model 0.0.6 (PyPI, the SPDX project's bindings for SPDX 3), held against the JSON schema of SPDX 3.0.1 as org.spdx:spdx-v3jsonld-store 1.0.1
# (Maven Central, the project's Java library) carries it: a profile for AI says what energy a model took, as an `xsd:decimal`. The bindings hold it as a
# 64-bit float and write what Python prints: of 0.00005 kilowatt-hours for an answer "5e-05", and of 2e16 joules "2e+16". A decimal has no exponent (XML
# Schema Part 2, section 3.3.3), and the schema refuses the document: for quantities below 0.0001, where those of single answers are. The bindings read their
# own text again. Their constraints do not look at it.
#
# Who is hurt: who publishes the energy of a model as a law or a model card asks: the document is good with the one tool of the project and not with the other,
# for the size of a number. Choose a unit in which the number needs no exponent.
#
# Seen 2026-11-30, Python 3.11, Java 17: 0.0001 and 0.25 valid; 0.00005 and 2e16 not.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile spdx-python-model==0.0.6 jsonschema==4.26.0
(cd "$work" && mvn --quiet --batch-mode -Dstyle.color=never -Dmaven.repo.local="$work/maven" org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
    -Dartifact=org.spdx:spdx-v3jsonld-store:1.0.1 -DoutputDirectory="$work")
cat >"$work/write.py" <<'PY'
import datetime, io, json, sys, zipfile
import jsonschema
from spdx_python_model import v3_0_1 as spdx

schema = json.loads(zipfile.ZipFile(sys.argv[1]).read("resources/schema-v3.0.1.json"))


def document(quantity, unit):
    created = spdx.CreationInfo(specVersion="3.0.1", created=datetime.datetime(2026, 11, 30, tzinfo=datetime.timezone.utc))
    maker = spdx.Organization(_id="https://acme.example/", creationInfo=created, name="Acme")
    created.createdBy = [maker]
    energy = spdx.ai_EnergyConsumptionDescription(ai_energyQuantity=quantity, ai_energyUnit=unit)
    model = spdx.ai_AIPackage(_id="https://acme.example/helper", creationInfo=created, name="helper")
    model.ai_energyConsumption = spdx.ai_EnergyConsumption(ai_inferenceEnergyConsumption=[energy])
    objects, written = spdx.SHACLObjectSet([created, maker, model]), io.BytesIO()
    spdx.JSONLDSerializer().write(objects, written)
    return written.getvalue()


for quantity, unit in ((0.25, "kilowattHour"), (0.0001, "kilowattHour"), (0.00005, "kilowattHour"), (2e16, "other")):
    written = document(quantity, getattr(spdx.ai_EnergyUnitType, unit))
    read = spdx.SHACLObjectSet()
    spdx.JSONLDDeserializer().read(io.BytesIO(written), read)
    [found] = [one.ai_energyQuantity for one in read.foreach_type(spdx.ai_EnergyConsumptionDescription)]
    assert found == quantity
    graph = json.loads(written)["@graph"]
    [model] = [one for one in graph if one["type"] == "ai_AIPackage"]
    text = model["ai_energyConsumption"]["ai_inferenceEnergyConsumption"][0]["ai_energyQuantity"]
    valid = jsonschema.Draft202012Validator(schema).is_valid
    # The number alone is what the schema refuses: with another in its place the document is valid.
    other = json.loads(written.replace(json.dumps(text).encode(), b'"1.5"'))
    assert valid(other)
    print(json.dumps(text), "valid" if valid(json.loads(written)) else "not valid")
PY
found=$("$work/venv/bin/python" "$work/write.py" "$work/spdx-v3jsonld-store-1.0.1.jar")
echo "$found"
[[ $found == '"0.25" valid
"0.0001" valid
"5e-05" not valid
"2e+16" not valid' ]]
