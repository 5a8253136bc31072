"""The documents of `stele export`, read by the libraries of the formats: in-toto-attestation, cyclonedx-python-lib, spdx-python-model.

    exports.py FOLDER IN-TOTO.json CYCLONEDX.json SPDX3.json

FOLDER is the released folder. What each document says of its files is compared with their bytes; then each is changed where its format forbids it,
and has to be refused.
"""

import copy
import hashlib
import io
import json
import pathlib
import re
import sys

from cyclonedx.model.bom import Bom
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from google.protobuf import json_format
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement
from report import Report
from spdx_python_model import v3_0_1 as spdx


def main(folder, in_toto, cyclonedx, spdx3):
    report = Report()
    own = {"release.stele", "release.toml"}
    found = (path for path in sorted(pathlib.Path(folder).rglob("*")) if path.is_file())
    files = {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in found if path.name not in own}
    bundle = hashlib.sha256((pathlib.Path(folder) / "release.stele").read_bytes()).hexdigest()
    of_in_toto(report, files, json.load(open(in_toto)))
    of_cyclonedx(report, files, bundle, open(cyclonedx).read())
    of_spdx(report, files, bundle, open(spdx3).read())
    report.finish("exports")


def of_in_toto(report, files, document):
    def read(document):
        found = Statement.copy_from_pb(json_format.ParseDict(document, statement_pb2.Statement()))
        found.validate()
        return found.pb

    found = read(document)
    named = {subject.name: subject.digest["sha256"] for subject in found.subject}
    report.check(named == files, "in-toto-attestation: the subjects are the files", named)
    for what, change in [
        ("another type", lambda of: of.update(_type="https://in-toto.io/Statement/v0.1")),
        ("no predicate type", lambda of: of.update(predicateType="")),
        ("a subject without a digest", lambda of: of["subject"][0].update(digest={})),
        ("no subject", lambda of: of.update(subject=[])),
    ]:
        report.check(is_refused(read, changed(document, change)), f"in-toto-attestation refuses {what}")


def of_cyclonedx(report, files, bundle, text):
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    problem = validator.validate_str(text)
    report.check(problem is None, "cyclonedx-python-lib: valid by the strict schema of 1.6", problem)
    document = json.loads(text)
    bom = Bom.from_json(data=document)
    model = bom.metadata.component
    named = {part.name: next(iter(part.hashes)).content for part in model.components}
    report.check(named == files, "cyclonedx-python-lib: the parts are the files", named)
    proofs = [found for found in model.external_references if found.type.value == "attestation"]
    report.check([next(iter(proof.hashes)).content for proof in proofs] == [bundle], "cyclonedx-python-lib: the proof is an attestation")
    for what, change in [
        ("another format", lambda of: of.update(bomFormat="SPDX")),
        ("a serial number that is none", lambda of: of.update(serialNumber="urn:uuid:1")),
        ("a hash that is short", lambda of: of["metadata"]["component"]["components"][0]["hashes"][0].update(content="ab")),
        ("a kind of component that is none", lambda of: of["metadata"]["component"].update(type="model")),
        ("a field that is none", lambda of: of["metadata"]["component"].update(weights=1)),
    ]:
        refused = validator.validate_str(json.dumps(changed(document, change))) is not None
        report.check(refused, f"cyclonedx-python-lib refuses {what}")


def of_spdx(report, files, bundle, text):
    def read(text):
        found = spdx.SHACLObjectSet()
        spdx.JSONLDDeserializer().read(io.BytesIO(text.encode()), found)
        return found

    found = read(text)
    missing = found.link()
    report.check(not missing, "spdx-python-model: every reference is to an element of the document", missing)
    packages = list(found.foreach_type(spdx.ai_AIPackage))
    report.check(len(packages) == 1, "spdx-python-model: one package of the AI profile", packages)
    hashes = {file.name: file.verifiedUsing[0].hashValue for file in found.foreach_type(spdx.software_File)}
    report.check(hashes == files | {"release.stele": bundle}, "spdx-python-model: the files and the proof", hashes)
    relations = {re.sub(".*/", "", str(relation.relationshipType)) for relation in found.foreach_type(spdx.Relationship)}
    report.check({"contains", "hasEvidence", "hasDeclaredLicense"} <= relations, "spdx-python-model: the relations", relations)
    document = json.loads(text)

    def element(kind):
        return lambda of: next(element for element in of["@graph"] if element["type"] == kind)

    for what, change in [
        ("a purpose that is none", lambda of: element("ai_AIPackage")(of).update(software_primaryPurpose="weights")),
        ("a field that is none", lambda of: element("ai_AIPackage")(of).update(software_weights="1")),
        ("a relation that is none", lambda of: element("Relationship")(of).update(relationshipType="made")),
        ("a time that is none", lambda of: element("CreationInfo")(of).update(created="yesterday")),
    ]:
        report.check(is_refused(read, json.dumps(changed(document, change))), f"spdx-python-model refuses {what}")


def changed(document, change):
    document = copy.deepcopy(document)
    change(document)
    return document


def is_refused(read, document):
    try:
        read(document)
    except Exception:
        return True
    return False


if __name__ == "__main__":
    main(*sys.argv[1:])
