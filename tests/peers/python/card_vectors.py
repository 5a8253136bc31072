"""What the Hugging Face Hub's own client reads of model cards, for the reader in client/model-files/src/card.rs.

    python3 tests/peers/python/card_vectors.py > client/model-files/src/card.vectors.json
    python3 tests/peers/python/card_vectors.py check client/model-files/src/card.vectors.json

The second form asks the installed huggingface_hub again, by both of its readers. The inputs are the same in every run.
"""

import datetime
import json
import random
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from huggingface_hub import ModelCard, metadata_load

from report import Report

# Blocks between marks: each is put into a card.
BLOCKS = [
    "license: mit", "license: mit\nbase_model: acme/base", "base_model:\n- acme/a\n- acme/b", "base_model:\n  - acme/a\n  - acme/b",
    "base_model: [acme/a, acme/b]", "base_model: [acme/a,\n  acme/b]", "base_model: [acme/a,\nacme/b]", "base_model: ['acme/a', \"acme/b\"]",
    "base_model: >-\n  acme/base", "base_model: >\n  acme/base", "base_model: |\n  acme/base", "base_model: |-\n  acme/base",
    "base_model: >+\n  acme/base\n\nlicense: mit", "base_model:\n  acme/base", "base_model:\n  acme/\n  base", "base_model: acme/base\n  more",
    "base_model: >-\n  acme/a\n  acme/b", "base_model: >2\n    acme/a", "base_model: 'acme/\n  base'", "base_model: \"acme/\\\n  base\"",
    "base_model:", "base_model: ", "base_model: null", "base_model: ~", "base_model: Null", "base_model: nULL", "base_model: ''",
    "base_model: \"null\"", "base_model: []", "base_model: [null]", "base_model: {}", "base_model: {name: acme/a}",
    "base_model:\n- name: acme/a\n  revision: x", "base_model: &b acme/base\nother: *b", "base_model: *b", "base_model: false", "base_model: no",
    "base_model: 123", "base_model: 1.5", "base_model: 1e5", "base_model: 0o17", "base_model: 0x1F", "base_model: 012", "base_model: 08",
    "base_model: 1_000", "base_model: 1:30", "base_model: .inf", "base_model: .NaN", "base_model: 2026-06-25", "base_model: 2026-13-25",
    "base_model: 2026-06-25T10:00:00Z", "base_model: 2026-6-25", "base_model: =", "base_model: <<", "base_model: !!str 12",
    "base_model: !!int '12'", "base_model: !!binary aGk=", "base_model: !!set {a, b}", "base_model: !!omap [a: 1]", "base_model: !own x",
    "base_model: ! 12", "base_model: !!python/object/apply:os.system [ls]", "base_model: !!null ''", "base_model: !!bool yes", "base_model: !!seq [a]",
    "license: no", "license: yes", "license: on", "license: Off", "license: y", "license: n", "license: True", "license: 'no'",
    "language: no", "language: [en, no, sv]", "language:\n- en\n- no", "license: apache-2.0 # see LICENSE", "license: apache-2.0#see",
    "license: mit\nlicense: apache-2.0", "license: mit\nlicense:", "base_model: a/b\nbase_model: [c/d]", "license : mit", "license :mit",
    "license:mit", "license:\tmit", "license: \tmit", "\tlicense: mit", " license: mit", "  license: mit\n  base_model: acme/a", "license: mit\n base_model: a/b",
    "license: mit\t# tab", "license: mit\t", "tags:\n\t- a", "tags:\n-\ta", "tags:\n- a\n -  b", "tags:\n-a", "tags:\n- - a\n  - b", "tags: [a b, 'c d']",
    "tags: [a, b,]", "tags: [,a]", "tags: [a", "tags: a]", "tags: {a: 1, b}", "tags: {a: 1", "tags: [a: b]", "tags: [a, [b, {c: d}]]", "tags: [a,b,c:d]",
    "tags: [http://a.example/b, c]", "license_link: https://acme.example/licence#text", "license_link: https://acme.example/a b", "license_name: Acme Community License",
    "license_name: acme: community", "license_name: 'acme: community'", "license_name: \"a \\\"b\\\" \\u00e9 \\x41\"", "license_name: 'it''s'", "license_name: it's",
    "license_name: \"a", "license_name: 'a", "license_name: \"\\q\"", "license_name: @acme", "license_name: `acme`", "license_name: %acme", "license_name: a%b",
    "license_name: -", "license_name: - a", "license_name: ?", "license_name: ? a", "license_name: :", "license_name: ::", "license_name: a:", "license_name: a:b", "license_name: #a",
    "license_name: a #b", "license_name: |", "license_name: |x", "license_name: > # c\n  a", "license_name: *", "license_name: &", "license_name: !", "license_name: [", "license_name: ]", "license_name: {", "license_name: }", "license_name: ,a",
    "# only a comment", "", "\n", "license: mit\n\n\nbase_model: acme/a", "license: mit\n# c\nbase_model: a/b", "license: mit\n  # c\nbase_model: a/b", "# c\nlicense: mit",
    "- a\n- b", "just text", "12", "null", "{license: mit, base_model: acme/a}", "{license: mit}\n# end", "[license]", "\"license\": mit", "'license': mit", "? license\n: mit", "? [a]\n: b", "? {a: b}\n: c", "{[a]: b}",
    "1: a\nlicense: mit", "true: a\nlicense: mit", "null: a\nlicense: mit", "2026-01-01: a\nlicense: mit", "a: &x {k: 1}\nb: {<<: *x, l: 2}", "a: &x {k: 1}\nb:\n  <<: *x\n  k: 2",
    "b: {<<: [{k: 1}, {k: 2, l: 3}]}", "b: {<<: 1}", "<<: {license: mit}\nbase_model: a/b", "'<<': {license: mit}", "a: &x 1\na2: &x 2\nb: *x",
    "model-index:\n- name: tiny\n  results:\n  - task: {type: text-generation}\n    metrics:\n    - type: accuracy\n      value: 0.5", "co2_eq_emissions:\n  emissions: 10.5\n  source: code",
    "widget:\n- text: \"Hello: 'you'\"\n- text: |-\n    two\n    lines", "license: mit\n...", "license: mit\n...\n# more", "license: mit\n...\nbase_model: a/b", "%YAML 1.1\n---\nlicense: mit",
    "license: mit\n---x", "license: mit\n --- ", "license: mit\n- a", "- a\nlicense: mit", "license: mit\nbase_model", "license", "license: mit\nbase_model acme", "license: mit extra: x", "license: é", "author: 日本", "emoji: 🤗",
    "a: \"\\ud83e\\udd17\"", "a: x\u0007", "a: \u0085b", "a: \u2028b", "a: \u00a0b", "a: \ufeffb", "a: x\u007f", "a: \\n", "a: 'x\n\n  y'", "a: x\n\n  y", "a: |\n  x\n y", "a: |\n   x\n  y", "a: |1\n  x", "a: >\n  x\n   y\n  z", "a: |+\n\n\nb: c",
    "a: b: c", "a: [b]: c", "a: [b] c", "a: \"b\" c", "a: {b} c", "a:\n  b: 1\n c: 2", "a:\n - b\nc: d", "a:\n- b\n  c", "a: !!float 1", "a: +1", "a: -1", "a: +.5", "a: -.5", "a: .5", "a: 5.", "a: 0b101", "a: 0b_", "a: 0x_", "a: 0_", "a: __", "a: 1__", "a: 0", "a: -0", "a: 00",
    "a" * 1025 + ": x", "a" * 1000 + ": x", "a: " + "x" * 5000, "a: " + "9" * 5000, "license: [mit, apache-2.0]", "license:\n- mit\n- apache-2.0", "license: Apache-2.0 OR MIT", "license: mit\r\nbase_model: a/b\r\n", "a: b\rc: d", "inference: false\nlibrary_name: peft\npipeline_tag: text-generation",
    "[" * 40 + "]" * 40, "a: " + "[" * 40 + "]" * 40, "license: \"mit\" # c", "license: mit#c", "license: mit  ", "license:   mit", "LICENSE: mit", "license: MIT",
    "base_model: \"acme/a\" \"acme/b\"", "base_model: acme/a, acme/b", "base_model: acme/a acme/b", "base_model: - acme/a", "base_model:\n-\n  acme/a", "base_model:\n- \n- acme/a", "base_model:\n-   acme/a", "base_model:\n- acme/a #c\n#d\n- acme/b", "base_model:\n- 'acme/a'\n- >-\n  acme/b",
    "datasets:\n- acme/d\nmetrics: [a]\nbase_model_relation: merge", "base_model: https://huggingface.co/acme/a", "base_model: /home/user/base", "base_model: C:\\models\\base", "base_model: \"C:\\models\\base\"", "base_model: ./out", "base_model: out/base/",
]
# Whole files.
CARDS = [
    "", "# Tiny\n", "license: mit\n", "---", "---\n", "---\n---\n", "---\n---\n# x\n---\n", "---\nlicense: mit\n", "---\nlicense: mit\n---", "---\nlicense: mit\n---\n", "---\nlicense: mit\n---  \n",
    "---\nlicense: mit\n---\t\nx", "---\nlicense: mit\n--- x\n", "---\nlicense: mit\n----\n", "---\nlicense: mit\n----\nbase_model: a/b\n---\n", "\n---\nlicense: mit\n---\n", "\n\n  \n---\nlicense: mit\n---\n", "  ---\nlicense: mit\n---\n", "\t---\nlicense: mit\n---\n",
    "x\n---\nlicense: mit\n---\n", "<!-- c -->\n---\nlicense: mit\n---\n", "--- \nlicense: mit\n---\n", "---\t\nlicense: mit\n---\n", "--- # c\nlicense: mit\n---\n", "----\nlicense: mit\n---\n", "---\r\nlicense: mit\r\n---\r\n", "---\rlicense: mit\r---\r", "---\r\nlicense: mit\n---\r\n# x\r\n",
    "\ufeff---\nlicense: mit\n---\n", "\ufeff\n---\nlicense: mit\n---\n", "\ufeff\ufeff---\nlicense: mit\n---\n", "\u00a0---\nlicense: mit\n---\n", "\u200b---\nlicense: mit\n---\n", "\u001c---\nlicense: mit\n---\n", "---\n\nlicense: mit\n\n---\n", "---\nlicense: mit\n...\n# Tiny\n",
    "---\nlicense: mit\n...\n# Tiny\n\n---\nmore\n", "---\nlicense: mit\n...\nTiny\n\n---\nmore\n", "---\n\n# A rule above a title\n\n---\n", "---\nA text\n---\n", "---\n- a\n---\n", "---\nlicense: mit\n---\n---\nbase_model: a/b\n---\n", "---\nlicense: mit\n ---\n---\n", "```yaml\n---\nlicense: mit\n---\n```\n", "+++\nlicense = 'mit'\n+++\n",
]
BYTES = [
    b"---\nlicense: mit\nauthor: Andr\xe9\n---\n", "---\nlicense: mit\n---\n".encode("utf-16"), "---\nlicense: mit\n---\n".encode("utf-16-be"), b"---\nlicense: mit\n\x00\n---\n", b"\xff---\n", b"# Andr\xe9\n", b"---\nlicense: mit\n---\n# Andr\xe9\n",
]


def inputs():
    for block in BLOCKS:
        yield f"---\n{block}\n---\n# Tiny\n".encode()
    for card in CARDS:
        yield card.encode()
    yield from BYTES
    chance = random.Random(20260625)
    good = "license: apache-2.0 # c\nbase_model:\n- acme/a\n- \"acme/b\"\ntags: [x, 'y z']\nname: >-\n  two\n  lines\nn: 1.5\nm: {a: b}\n"
    for _ in range(400):
        made = list(good)
        for _ in range(chance.randrange(1, 3)):
            at = chance.randrange(len(made))
            if chance.random() < 0.4:
                del made[at]
            else:
                made[at] = chance.choice("[]{}:-,'\"#&*!|>%@` \n\t~?ab0")
        yield ("---\n" + "".join(made) + "---\n").encode()


def plain(value):
    """As the test writes it: of numbers, days and bytes only that they are some; keys that are no texts are left out."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        # Two escapes of one character: PyYAML keeps the halves.
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, (int, float)):
        return 0
    if isinstance(value, datetime.date):
        return {"is": "time"}
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items() if isinstance(key, str)}
    if isinstance(value, list) and not any(isinstance(item, tuple) for item in value):
        return [plain(item) for item in value]
    return {"is": "other"}


def ask(raw: bytes):
    with tempfile.NamedTemporaryFile(suffix=".md") as file:
        Path(file.name).write_bytes(raw)
        try:
            data = metadata_load(file.name)
        except Exception:
            return "refuses"
        if data is None:
            return {} if not data_missing(file.name) else "none"
        return plain(data)


def data_missing(name):
    """Whether there is no block at all; an empty one is None as well."""
    from huggingface_hub.repocard import REGEX_YAML_BLOCK

    return REGEX_YAML_BLOCK.search(Path(name).read_text(encoding="utf-8-sig")) is None


def of_model_card(raw: bytes):
    """The same by ModelCard, as far as it goes: it puts fields under names of its own."""
    with tempfile.NamedTemporaryFile(suffix=".md") as file:
        Path(file.name).write_bytes(raw)
        return plain(ModelCard.load(file.name, ignore_metadata_errors=True).data.to_dict())


def vectors():
    seen, cards = set(), []
    for raw in inputs():
        if raw in seen:
            continue
        seen.add(raw)
        try:
            held = {"text": raw.decode()}
        except UnicodeDecodeError:
            held = {"hex": raw.hex()}
        cards.append(held | {"client": ask(raw)})
    return cards


def main():
    if sys.argv[1:2] != ["check"]:
        made = f"huggingface_hub {version('huggingface_hub')}, PyYAML {version('PyYAML')}"
        comment = f"What metadata_load reads of model cards ({made}); written by tests/peers/python/card_vectors.py."
        print(json.dumps({"comment": comment, "cards": vectors()}, ensure_ascii=True, indent=0, separators=(",", ":")))
        return
    report = Report()
    kept = json.loads(Path(sys.argv[2]).read_text())["cards"]
    made = vectors()
    report.check(len(kept) == len(made), f"{len(made)} cards are in the table", len(kept))
    for one, other in zip(kept, made):
        if one != other:
            report.check(False, f"the client reads {one.get('text', one.get('hex'))!r} as the table says", other["client"])
    # The other reader of the client sees the same fields.
    fields = ("license", "base_model", "license_name", "license_link")
    agree = 0
    for card in made:
        raw = card["text"].encode() if "text" in card else bytes.fromhex(card["hex"])
        # It knows no line end of old Macs.
        if isinstance(card["client"], dict) and b"\r" not in raw.replace(b"\r\n", b""):
            try:
                data = of_model_card(raw)
            except Exception:
                continue
            same = all(data.get(field) == card["client"].get(field) for field in fields)
            agree += same or not report.check(False, f"ModelCard reads {raw!r} as metadata_load does", data)
    report.check(agree > 100, f"ModelCard reads {agree} cards of the table as metadata_load does", agree)
    report.finish("card_vectors")


if __name__ == "__main__":
    main()
