"""Statements and manifests, field by field: the chapters statement, name, manifest."""

import datetime
import hashlib
import re
import unicodedata

from bundle_bytes import SPACES, Cbor, Refused, document, encode, enrolled, sha256

# Statements: the envelope, and what all kinds share.


class Statement:
    def __init__(self, data):
        if len(data) > 65535:
            raise Refused("statement-too-long", f"{len(data)} bytes")
        protected, payload, self.signature = envelope(data)
        kid, issuer, self.subject = header(protected)
        self.kid, self.leaf = kid.hex(), sha256(b"\0" + data)
        self.signed = b"\x84\x6aSignature1" + encode(protected) + encode(b"") + encode(payload)
        try:
            self.record = document(payload)
        except Refused as why:
            raise Refused("too-deep" if why.code == "too-deep" else "not-canonical", why) from why
        self.kind, self.publisher, subject = check_record(self.record, self.kid)
        if issuer != f"https://{self.publisher}":
            raise Refused("issuer-differs", issuer)
        if self.subject != subject:
            raise Refused("subject-differs", self.subject)


def envelope(data):
    cbor = Cbor(data)
    if cbor.head() != (6, 18):
        raise Refused("wrong-tag")
    if cbor.head() != (4, 4):
        raise Refused("not-cose-sign1")
    protected = cbor.blob()
    if cbor.head() != (5, 0):
        raise Refused("unprotected-header")
    if cbor.data[cbor.at : cbor.at + 1] == b"\xf6":
        raise Refused("detached-payload")
    payload, signature = cbor.blob(), cbor.blob()
    if len(signature) != 64:
        raise Refused("signature-length")
    if cbor.at < len(data):
        raise Refused("trailing-bytes")
    return protected, payload, signature


def header(data):
    """The protected header: the key's id, iss and sub."""
    if not data:
        raise Refused("missing-header")
    cbor, found = Cbor(data, envelope=True), {}
    try:
        for label in labels(cbor, (1, 3, 4, 15)):
            if label == 15:
                found["claims"] = {claim: cbor.text() for claim in labels(cbor, (1, 2))}
            else:
                found[label] = cbor.blob() if label == 4 else cbor.value()
            if found.get(1, -8) != -8:
                raise Refused("wrong-algorithm", found[1])
            if found.get(3, CONTENT_TYPE) != CONTENT_TYPE:
                raise Refused("wrong-content-type", found[3])
            if len(found.get(4, bytes(32))) != 32:
                raise Refused("kid-length")
    except Refused as why:
        raise Refused("not-canonical", why) if why.code == "truncated" else why
    if cbor.at < len(data):
        raise Refused("not-canonical", "bytes after the protected header")
    return found[4], found["claims"][1], found["claims"][2]


def labels(cbor, known):
    """The labels of a map, each before its value is read."""
    major, count = cbor.head()
    if major != 5:
        raise Refused("not-canonical", "no map")
    last = 0
    for _ in range(count):
        label = cbor.value()
        if type(label) is not int or label not in known:
            raise Refused("unknown-header", label)
        if label <= last:
            raise Refused("not-canonical", "labels out of order")
        last = label
        yield label
    if count != len(known):
        raise Refused("missing-header")


CONTENT_TYPE = "application/vnd.stele.statement+cbor"


def check_record(record, kid):
    """The kind, who speaks and what about; every field is checked."""
    if not isinstance(record, dict):
        raise Refused("field-wrong-type", "the payload")
    if "kind" not in record:
        raise Refused("field-missing", "kind")
    text(record["kind"], "kind")
    if record["kind"] not in KINDS:
        raise Refused("kind-unknown", record["kind"])
    fields, rules = KINDS[record["kind"]]
    common = {"kind": text, "issued_at": moment, "publisher": struct({"name": publisher}), "approvals?": listing(APPROVAL, 16)}
    struct(common | fields)(record, "")
    kids = [each["kid"] for each in record.get("approvals", [])]
    if len({kid, *kids}) <= len(kids):
        raise Refused("field-duplicate", "approvals")
    if kids != sorted(kids):
        raise Refused("field-unexpected", "approvals")
    return record["kind"], record["publisher"]["name"], rules(record, record["publisher"]["name"], kid)


# The grammar of fields: each checker takes a value and the name of its field. A trailing ? says that a field may be left out.


def struct(fields):
    known = {name.rstrip("?"): (check, name.endswith("?")) for name, check in fields.items()}

    def check(value, at):
        if not isinstance(value, dict):
            raise Refused("field-wrong-type", at)
        for name in value:
            if name not in known:
                raise Refused("field-unknown", f"{at}.{name}")
        for name, (inner, optional) in known.items():
            if name in value:
                none_left = value[name] == [] and not hasattr(inner, "may_be_empty")
                if optional and (none_left or value[name] == {} and inner is not_evaluated):
                    raise Refused("not-canonical", f"{at}.{name} is empty")
                inner(value[name], f"{at}.{name}")
            elif not optional:
                raise Refused("field-missing", f"{at}.{name}")

    check.names = {name for name in known}, {name for name, (_, optional) in known.items() if not optional}
    return check


def either(*structs):
    def check(value, at):
        if not isinstance(value, dict):
            raise Refused("field-wrong-type", at)
        for name in value:
            if not any(name in each.names[0] for each in structs):
                raise Refused("field-unknown", f"{at}.{name}")
        for each in structs:
            known, required = each.names
            if required <= set(value) <= known:
                return each(value, at)
        raise Refused("field-invalid", at)

    return check


def listing(item, most, least=0, unique=None):
    def check(value, at):
        if not isinstance(value, list):
            raise Refused("field-wrong-type", at)
        if len(value) < least:
            raise Refused("field-empty", at)
        if len(value) > most:
            raise Refused("field-too-many", at)
        for index, inner in enumerate(value):
            item(inner, f"{at}[{index}]")
        if unique and len({unique(inner) for inner in value}) < len(value):
            raise Refused("field-duplicate", at)

    return check


def or_none(inner):
    """A list of an amendment, where an empty one says that none is left."""

    def check(value, at):
        inner(value, at)

    check.may_be_empty = True
    return check


def of_type(kind):
    def check(value, at):
        if type(value) is not kind:
            raise Refused("field-wrong-type", at)

    return check


text, blob, integer, boolean = of_type(str), of_type(bytes), of_type(int), of_type(bool)


def form(holds, code="field-invalid"):
    def check(value, at):
        text(value, at)
        if not holds(value):
            raise Refused(code, at)

    return check


def words(*known):
    return form(lambda value: value in known, "field-not-one-of")


def matching(pattern, most=1 << 20):
    return lambda value: len(value.encode()) <= most and re.fullmatch(pattern, value, re.ASCII) is not None


def hides(value):
    """Characters that no path and no text has (manifest, "Paths")."""
    turning = "\u061c\u200b\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
    return any(unicodedata.category(char) == "Cc" or char in turning for char in value)


def trimmed(value, most):
    return 1 <= len(value.encode()) <= most and value[0] not in SPACES and value[-1] not in SPACES


def is_path(value):
    parts = value.split("/")
    sizes = len(value.encode()) <= 1024 and len(parts) <= 32 and all(1 <= len(part.encode()) <= 255 for part in parts)
    return sizes and not {".", ".."} & set(parts) and "\\" not in value and not hides(value)


def is_day(value):
    try:
        return bool(re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value) and datetime.date.fromisoformat(value).year >= 1970)
    except ValueError:
        return False


def is_moment(value):
    clock = r"T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z"
    return is_day(value[:10]) and re.fullmatch(clock, value[10:]) is not None


WORD = r"[a-z0-9](?:[-._]?[a-z0-9])*"
is_word = {most: matching(WORD, most) for most in (64, 96)}
is_version = matching(r"[a-z0-9](?:[-._+]?[a-z0-9])*", 64)
is_hex = {length: matching(f"[0-9a-f]{{{length}}}") for length in (40, 64, 128)}


def is_publisher(value):
    host, slash, account = value.partition("/")
    labels = host.split(".")
    one_label = matching(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?", 63)
    names = all(one_label(label) and label[2:4] != "--" for label in labels)
    hosted = len(host) <= 253 and len(labels) >= 2 and names and not labels[-1][0].isdigit()
    return hosted and (not slash or is_word[64](account))


def is_coordinate(value):
    found = re.fullmatch(r"(.+)/([^/@#]+)@([^@#]+)#([^#]+)", value)
    return bool(found) and is_publisher(found[1]) and is_word[96](found[2]) and is_version(found[3]) and is_word[64](found[4])


def is_licence(value):
    """Licence expressions: words and parentheses, with spaces between them."""
    tokens, name = re.findall(r"[()]|[^ ()]+", value), r"[A-Za-z0-9.-]+"

    def take(*wanted):
        return tokens.pop(0) if tokens and tokens[0] in wanted else None

    def word(prefix, plus=""):
        token = tokens.pop(0) if tokens else ""
        reference = re.fullmatch(rf"(DocumentRef-{name}:)?{prefix}-{name}", token)
        bare = re.fullmatch(name + plus, token) and not re.match("DocumentRef-|LicenseRef-|AdditionRef-", token)
        if not reference and (not bare or token.rstrip("+").upper() in RESERVED):
            raise ValueError

    def term(depth):
        if take("("):
            if depth == 16:
                raise ValueError
            expression(depth + 1)
            if not take(")"):
                raise ValueError
            return
        word("LicenseRef", r"\+?")
        if take("WITH"):
            word("AdditionRef")

    def expression(depth):
        term(depth)
        while take("AND", "OR"):
            term(depth)

    licences = len([token for token in tokens if token not in ("(", ")", "AND", "OR", "WITH")]) - tokens.count("WITH")
    try:
        expression(0)
        return not tokens and licences <= 64
    except ValueError:
        return False


RESERVED = {"AND", "OR", "WITH", "NONE", "NOASSERTION"}
line = form(lambda value: trimmed(value, 512) and not hides(value))
prose = form(lambda value: trimmed(value, 4096) and not hides(value.replace("\n", "")))
slug = form(is_word[64])
uri = form(matching(r"[a-z][a-z0-9+.-]*:(?=/*[^/])[\x21-\x7e]+", 1024))
purl = form(matching(r"pkg:[\x21-\x2e\x30-\x7e]+/[\x21-\x7e]+", 1024))
number = form(lambda value: matching(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?", 40)(value) and not re.fullmatch(r"-[0.]+", value))
digest, moment, day, path = form(is_hex[64]), form(is_moment), form(is_day), form(is_path)
publisher, coordinate = form(is_publisher, "name-grammar"), form(is_coordinate, "name-grammar")
rd = struct({"name": line, "sha256": digest, "uri?": uri})
doc = either(rd, struct({"none": prose}))


def licence(value, at):
    line(value, at)
    form(is_licence, "license-unparsable")(value, at)


# Vocabularies and maps of a release.

MADE = ("quantized", "adapter", "merge", "distilled")
ARTIFACTS = "base instruct distilled quantized adapter merge checkpoint hosted-service".split()
DANGEROUS = (
    "cyber-abuse biological-assistance fraud impersonation weaponization surveillance autonomous-agent-misuse "
    "safeguard-removal"
).split()
SAFEGUARDS = (
    "refusal-tuning input-classifier output-classifier system-prompt retrieval-constraint rate-limit usage-monitoring other"
).split()
COMPONENTS = (
    "datasets data-preprocessing-code model-architecture model-parameters-final model-parameters-intermediate model-metadata "
    "training-code inference-code evaluation-code evaluation-data evaluation-results supporting-libraries model-card data-card "
    "technical-report research-paper sample-model-outputs post-training-data training-logs safety-classifiers system-prompts "
    "usage-policy"
).split()
STAGES = "internal trusted-eval limited-research gated-download broad open".split()
REVISED = "huggingface modelscope git oci ollama kaggle".split()
HOSTS = REVISED + "https s3 torrent other".split()
DOCS = "technical_report data_card training_data_summary copyright_policy limitations safety_changelog".split()
RELATIONS = "finetune adapter merge quantized distilled converted other".split()
ROLES = (
    "weights classifier weights-index config tokenizer chat-template generation-config system-prompt code licence model-card "
    "evaluation safety other"
).split()


def not_evaluated(value, at):
    named(value, at, DANGEROUS, prose)


def components(value, at):
    said = {"included": words("yes", "partial", "no"), "license?": licence, "ref?": line, "reason?": prose}
    named(value, at, COMPONENTS, struct(said))
    for name in COMPONENTS:
        if name not in value:
            raise Refused("component-missing", f"{at}.{name}")


def named(value, at, names, inner):
    if not isinstance(value, dict):
        raise Refused("field-wrong-type", at)
    for name in value:
        if name not in names:
            raise Refused("field-not-one-of", f"{at}.{name}")
        inner(value[name], f"{at}.{name}")


def openness(value, at):
    bases = words("OSAID-1.0", "MOF-1.0", "none")
    claims = words("open-science", "open-source", "open-model", "open-weight", "none")
    struct({"claim": claims, "basis": bases, "class?": words("I", "II", "III")})(value, at)
    if ("class" in value) != (value["basis"] == "MOF-1.0"):
        raise Refused("class-differs", f"{at}.class")


def names_commit(value):
    """Whether the version of a package URL is a commit of git."""
    named = re.split(r"[?#]", value)[0]
    return re.search(r"@([0-9a-f]{40}|[0-9a-f]{64})\Z", named) is not None


def model_facts(value, at, names=False):
    name, version = form(is_word[96], "name-grammar"), form(is_version, "name-grammar")
    named = {"name": name, "version": version, "variant": form(is_word[64], "name-grammar")}
    fields = (named if names else {}) | {"artifact": words(*ARTIFACTS)}
    fields |= {"formats": listing(slug, 16, 1, str), "quantization?": line, "family?": line, "parameters?": integer}
    struct(fields | {"architecture?": line, "modalities?": listing(slug, 16, 0, str), "purl?": purl})(value, at)
    if "quantization" not in value and value["artifact"] == "quantized":
        raise Refused("quantization-missing", at)
    if "quantization" in value and value["artifact"] in ("adapter", "hosted-service"):
        raise Refused("quantization-unexpected", at)


def model(value, at):
    model_facts(value, at, names=True)


def weights(value, at):
    struct({"digest": digest, "files": integer, "bytes": integer, "oms_root?": digest, "oms_bundle?": digest})(value, at)
    if value["files"] == 0:
        raise Refused("no-weights", at)


def safeguard(value, at):
    struct({"id": slug, "type": words(*SAFEGUARDS), "travels": boolean, "file?": path})(value, at)
    if "file" in value and not value["travels"]:
        raise Refused("safeguard-file-stays", at)


def host(value, at):
    struct({"type": words(*HOSTS), "locator": uri, "revision?": line, "gated": boolean, "since": day})(value, at)
    if value["type"] in REVISED and "revision" not in value:
        raise Refused("revision-missing", f"{at}.revision")


def evaluation(value, at):
    classes = words("capability", "dangerous-capability", "safety", "other")
    configurations = words("bare-weights", "with-template", "with-safeguards", "hosted")
    fields = {"id": slug, "class": classes, "domain": slug, "subject": digest, "configuration": configurations}
    fields |= {"safeguards?": listing(slug, 64, 0, str), "template?": digest, "system_prompt?": digest}
    fields |= {"dataset": struct({"name": line, "revision?": line}), "metric": line, "value": number, "evaluator": line}
    struct(fields | {"date": day, "effect": prose, "result": rd})(value, at)
    allowed = {"with-safeguards": (True,), "hosted": (True, False)}.get(value["configuration"], (False,))
    if ("safeguards" in value) not in allowed:
        raise Refused("safeguards-differ", f"{at}.safeguards")


def by_id(value):
    return value["id"]


access = struct({"stage": words(*STAGES), "since": day})
safety = struct({"report": doc, "safeguards?": listing(safeguard, 64, 0, by_id)})
license_terms = struct({"spdx": licence, "use_restricted": boolean, "text": rd})
reasons = listing(prose, 32, 1)
rationale = struct({"benefits": reasons, "risks": reasons, "alternatives_rejected": reasons, "text?": rd})
obligations = struct({"incident_channel": uri, "use_policy?": rd, "attribution?": prose, "monitoring?": prose})
hosts, docs = listing(host, 32), struct({name: doc for name in DOCS})
legal = listing(struct({"jurisdiction": line, "regime": line, "claim": prose, "as_of": day, "citation": line}), 64)
evaluations = listing(evaluation, 256, 0, by_id)
reference = struct({"coordinate": coordinate, "entry": integer, "leaf_hash": digest})
mention = either(reference, struct({"coordinate": coordinate}))
carries = struct({name: boolean for name in ("license", "use_policy", "model_card", "risk_notes")})


def listed(value, at):
    """What a host listed of the files of a commit."""
    struct({"digest": digest, "files": integer, "bytes": integer})(value, at)
    if value["files"] == 0:
        raise Refused("field-invalid", f"{at}.files")


def listing_of(files):
    """The listing of files, each `{path, size, digest}` as its host gives it."""
    ordered = sorted(files, key=lambda file: file["path"].encode())
    lines = "".join(f"{file['digest']} {file['size']} {file['path']}\n" for file in ordered)
    digest = hashlib.sha256(f"stele/host-listing@v1\n{lines}".encode()).hexdigest()
    return {"digest": digest, "files": len(files), "bytes": sum(file["size"] for file in files)}


had, unknown = struct({"purl": purl, "digest": digest}), struct({"purl": purl, "unknown": line})
parent = either(reference, had, struct({"purl": purl, "listing": listed}), unknown)
ancestor = struct(
    {
        "relation": words(*RELATIONS),
        "parent": parent,
        "parent_weights?": digest,
        "carries": carries,
        "tool": line,
        "recipe?": rd,
    }
)
lineage = listing(ancestor, 64)


def parents(found):
    """Bytes that were had are bound to their weights; of those that were not, a listing is of a commit."""
    for number, it in enumerate(found):
        at, origin = f"lineage[{number}]", it["parent"]
        never_had = "listing" in origin or "unknown" in origin
        if never_had and "parent_weights" in it:
            raise Refused("field-unexpected", f"{at}.parent_weights")
        if not never_had and "parent_weights" not in it:
            raise Refused("field-required", f"{at}.parent_weights")
        if "listing" in origin and not names_commit(origin["purl"]):
            raise Refused("commit-missing", f"{at}.parent.purl")


# What each kind demands beyond its fields; each gives what the statement is about.


def publisher_rules(record, name, kid):
    action, keys = record["action"], record.get("keys", [])
    for field, wanted in (
        ("keys", action != "revoke"),
        ("revoked", action in ("rotate", "revoke")),
        ("previous", action != "claim"),
    ):
        if (field in record) != wanted:
            missing = "field-required" if field == "previous" else "field-empty"
            raise Refused(missing if wanted else "field-unexpected", field)
    for key in keys:
        raw = bytes.fromhex(key["public_key"])
        if hashlib.sha256(bytes.fromhex("302a300506032b6570032100") + raw).hexdigest() != key["kid"]:
            raise Refused("key-id-differs", key["kid"])
        if not enrolled(raw):
            raise Refused("key-refused", key["kid"])
    if {key["kid"] for key in keys} & set(record.get("revoked", [])):
        raise Refused("field-unexpected", "revoked")
    if not 1 <= record["threshold"] <= (len(keys) if action == "claim" else 16):
        raise Refused("threshold-out-of-range")
    if "release_threshold" in record and not 2 <= record["release_threshold"] <= record["threshold"]:
        raise Refused("threshold-out-of-range", "release_threshold")
    if action == "claim":
        listed = {key["kid"] for key in keys}
        kids = [each["kid"] for each in record.get("approvals", [])]
        if kid not in listed:
            raise Refused("signer-not-listed", kid)
        if not listed.issuperset(kids):
            raise Refused("approver-not-listed")
        if len(kids) + 1 < record["threshold"]:
            raise Refused("approvals-missing")
    return name


def release_rules(record, name, _):
    evidence_rules(record)
    parents(record.get("lineage", []))
    made, artifact = record["from_scratch"], record["model"]["artifact"]
    if made and "lineage" in record:
        raise Refused("lineage-contradiction", "from_scratch")
    if made and artifact in MADE:
        raise Refused("scratch-impossible", artifact)
    if not made and "lineage" not in record:
        raise Refused("lineage-missing", "lineage")
    if STAGES.index(record["access"]["stage"]) >= STAGES.index("gated-download") and "hosts" not in record:
        raise Refused("hosts-missing", "hosts")
    said = record["model"]
    return f"{name}/{said['name']}@{said['version']}#{said['variant']}"


def evidence_rules(record):
    """Every dangerous domain is evaluated, or a reason is given why not; safeguards are the release's."""
    run = record.get("evaluations", [])
    tested = {each["domain"] for each in run if each["class"] in ("dangerous-capability", "safety")}
    for domain in DANGEROUS:
        if (domain in tested) == (domain in record.get("not_evaluated", {})):
            raise Refused("domain-contradiction" if domain in tested else "domain-missing", domain)
    ids = {each["id"] for each in record["safety"].get("safeguards", [])}
    if not ids.issuperset(name for each in run for name in each.get("safeguards", [])):
        raise Refused("safeguard-unknown")


def later_rules(record, name, _):
    about = record["release"]["coordinate"]
    if about.rpartition("/")[0] != name:
        raise Refused("not-the-publisher", about)
    if record["kind"] == "amend":
        if not set(record) & {each.rstrip("?") for each in AMENDED}:
            raise Refused("nothing-amended")
        if "evidence" in record:
            evidence_rules(record["evidence"])
        amended_lineage(record, about)
    if record["kind"] == "supersede" and record["by"]["coordinate"] == about:
        raise Refused("supersedes-itself")
    for each in record.get("actions", []):
        if each["what"] in ("host-removed", "gated") and "host" not in each or each["what"] == "other" and "note" not in each:
            raise Refused("field-required", "actions")
    return about


def amended_lineage(record, about):
    """What depends on each other is said together, and no release is a parent of itself."""
    made = record["model"]["artifact"] in MADE if "model" in record else None
    if made and "lineage" not in record:
        raise Refused("lineage-missing", "lineage")
    if made and not record["lineage"]:
        raise Refused("scratch-impossible", "from_scratch")
    if made is None and record.get("lineage") == []:
        raise Refused("field-required", "model")
    found = record.get("lineage", [])
    parents(found)
    if any(it["parent"].get("coordinate") == about for it in found):
        raise Refused("field-unexpected", "lineage")


def incident_rules(record, name, _):
    return record["affected"][0]["coordinate"]


def evaluation_rules(record, name, _):
    if record["release"]["coordinate"].rpartition("/")[0] == name:
        raise Refused("own-release")
    return record["release"]["coordinate"]


def observation_rules(record, name, _):
    result, files = record["result"], record.get("files", [])
    differ = [each for each in files if each.get("expected") != each.get("found")]
    if result == "match" and differ:
        raise Refused("field-unexpected", "files")
    if result == "differs" and not differ or not all("expected" in each or "found" in each for each in files):
        raise Refused("field-required", "files")
    if "entry" not in record["subject"] and result != "unlogged":
        raise Refused("field-required", "subject")
    return record["subject"]["coordinate"]


KEY = struct({"kid": digest, "algorithm": words("ed25519"), "public_key": digest})
APPROVAL = struct({"kid": digest, "signature": form(is_hex[128])})
PUBLISHER = {"action": words("claim", "add", "rotate", "revoke"), "keys?": listing(KEY, 16, 0, lambda key: key["kid"])}
PUBLISHER |= {
    "revoked?": listing(digest, 16, 0, str),
    "threshold": integer,
    "release_threshold?": integer,
    "reason?": prose,
}
PUBLISHER |= {"previous?": struct({"entry": integer, "leaf_hash": digest})}
EVIDENCE = {"safety": safety, "not_evaluated?": not_evaluated, "evaluations?": evaluations}
FREE = {"docs?": docs, "legal?": legal, "support?": prose}
TERMS = {"license": license_terms, "model_card": rd, "components": components, "openness": openness, "rationale": rationale}
TERMS |= {"obligations": obligations}
RELEASE = TERMS | EVIDENCE | FREE | {"model": model, "manifest": digest, "weights": weights, "tree": struct({"digest": digest})}
RELEASE |= {"access": access, "from_scratch": boolean, "lineage?": lineage, "hosts?": hosts}
AMENDED = {f"{name}?": check for name, check in TERMS.items()} | FREE | {"evidence?": struct(EVIDENCE)}
AMENDED |= {"hosts?": or_none(hosts), "model?": model_facts, "lineage?": or_none(lineage)}
LATER = {"release": reference, "weights_digest": digest, "reason": prose}
ACTION = {
    "what": words("host-removed", "gated", "support-ended", "license-ended", "other"),
    "when": day,
    "host?": uri,
    "note?": prose,
}
WITHDRAW = {
    "actions": listing(struct(ACTION), 32, 1),
    "copies": words("publicly-downloaded", "limited-recipients", "never-left"),
    "advisory?": rd,
}
INCIDENT = {"id": slug, "class": words("vulnerability", "leak", "harm", "backdoor", "impersonation", "swap")}
INCIDENT |= {"severity": words("low", "medium", "high", "critical"), "status": words("open", "mitigated", "resolved", "disputed")}
INCIDENT |= {
    "discovered": day,
    "summary": prose,
    "advisory": rd,
    "affected": listing(mention, 32, 1, lambda each: each["coordinate"]),
}
SEEN = form(matching(r"sha256:[0-9a-f]{64}|git-sha1:[0-9a-f]{40}"))
FILES = listing(struct({"path": path, "expected?": SEEN, "found?": SEEN}), 128, 0, lambda file: file["path"])
OBSERVATION = {
    "subject": mention,
    "host": struct({"type": words(*HOSTS), "locator": uri, "revision?": line}),
    "observed_at": moment,
}
OBSERVATION |= {
    "method": words("tree-api", "oci-manifest", "download", "report"),
    "result": words("match", "differs", "absent", "unlogged"),
}
OBSERVATION |= {"weights_digest?": digest, "files?": FILES, "note?": prose}
KINDS = {
    "publisher": (PUBLISHER, publisher_rules),
    "release": (RELEASE, release_rules),
    "amend": (LATER | AMENDED, later_rules),
    "stage": (LATER | {"access": access, "hosts?": hosts}, later_rules),
    "supersede": (LATER | {"by": reference}, later_rules),
    "withdraw": (LATER | WITHDRAW, later_rules),
    "incident": (INCIDENT, incident_rules),
    "evaluation": ({"release": reference, "evaluation": evaluation}, evaluation_rules),
    "observation": (OBSERVATION, observation_rules),
}


# The manifest.


def parse_manifest(data):
    file = {"path": path, "role": words(*ROLES), "size": integer, "sha256": digest, "git_sha1": form(is_hex[40])}
    if len(data) > 16 << 20:
        raise Refused("manifest-too-long", f"{len(data)} bytes")
    try:
        manifest = document(data)
        struct({"files": listing(struct(file), 1 << 32), "manifest": text})(manifest, "")
    except Refused as why:
        raise Refused("manifest-encoding", why) from why
    if manifest["manifest"] != "stele/manifest@v1":
        raise Refused("manifest-format", manifest["manifest"])
    files = manifest["files"]
    if not files:
        raise Refused("manifest-empty")
    if len(files) > 65536:
        raise Refused("manifest-too-many-files")
    paths = [each["path"].encode() for each in files]
    for one, next_one in zip(paths, paths[1:]):
        if one >= next_one:
            raise Refused("manifest-same-path" if one == next_one else "manifest-order", next_one)
    if sum(each["size"] for each in files) >= 1 << 53:
        raise Refused("manifest-too-many-bytes")
    folded = {each.lower() for each in paths}
    folders = {b"/".join(each.split(b"/")[:count]) for each in folded for count in range(1, each.count(b"/") + 1)}
    if len(folded) < len(paths) or folded & folders:
        raise Refused("manifest-collision")
    return files
