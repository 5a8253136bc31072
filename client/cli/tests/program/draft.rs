//! `stele draft` with answers from elsewhere: what goes on, what never does, and what is asked in spite of an answer.

use std::path::{Path, PathBuf};

use crate::common::{Ran, stele, stele_with};
use serde_json::Value;
use tempfile::TempDir;
use toml::Table;

/// A folder with a model as Transformers writes it, and room beside it.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.card("license: apache-2.0");
        folder.write("config.json", br#"{"architectures": ["LlamaForCausalLM"], "transformers_version": "4.57.1"}"#);
        folder.write("model.safetensors", &safetensors());
        folder
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn write(&self, path: &str, bytes: &[u8]) {
        std::fs::create_dir_all(self.at("model")).unwrap();
        std::fs::write(self.at("model").join(path), bytes).unwrap();
    }

    fn card(&self, front: &str) {
        self.write("README.md", format!("---\n{front}\n---\n# Tiny\n").as_bytes());
    }

    /// A file beside the folder.
    fn beside(&self, name: &str, text: &str) -> String {
        std::fs::write(self.at(name), text).unwrap();
        shown(&self.at(name))
    }

    fn draft(&self, more: &[&str]) -> Ran {
        let model = shown(&self.at("model"));
        stele(&[&["draft", &model, "-o", "-", "--json"], more].concat())
    }

    /// The draft, its text, and how many decisions each source answered.
    fn drafted(&self, more: &[&str]) -> (Table, String, Value) {
        let document = self.draft(more).ok().json();
        assert_eq!((&document["schema"], &document["ok"]), (&"stele/draft@v1".into(), &true.into()));
        let text = document["form"].as_str().unwrap().to_owned();
        (text.parse().unwrap_or_else(|error| panic!("{error}: {text}")), text, document["decisions"].clone())
    }
}

/// One tensor of four numbers.
fn safetensors() -> Vec<u8> {
    let header = br#"{"w":{"dtype":"I8","shape":[4],"data_offsets":[0,4]}}"#;
    [&(header.len() as u64).to_le_bytes(), header.as_slice(), &[0; 4]].concat()
}

fn shown(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// A value by its place, as TOML; nothing where it is not there.
fn value(form: &Table, place: &str) -> Option<String> {
    let mut at: &toml::Value = form.get(place.split('.').next()?)?;
    for part in place.split('.').skip(1) {
        at = match part.parse::<usize>() {
            Ok(number) => at.get(number)?,
            Err(_) => at.get(part)?,
        };
    }
    Some(at.as_str().map_or_else(|| at.to_string(), str::to_owned))
}

/// A release.toml of somebody who decided everything.
const OLD: &str = r#"issued_at = "2026-06-25T09:30:00Z"
from_scratch = false
support = "Until 2027, at help@acme.example."

[publisher]
name = "acme.example"

[model]
name = "tiny"
version = "1.0"
variant = "instruct"
artifact = "instruct"
formats = ["safetensors"]
parameters = 999

[license]
spdx = "Apache-2.0"
use_restricted = false
text = { name = "LICENSE.old", sha256 = "0a8f2e0dd0b5d3a1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f70819" }

[model_card]
name = "README.md"

[openness]
claim = "open-weight"

[access]
stage = "open"
since = "2026-06-25"

[rationale]
benefits = ["Two\nlines."]
risks = ["None that is known."]
alternatives_rejected = ["A hosted service."]

[obligations]
incident_channel = "mailto:incidents@acme.example"

[safety]
report = { name = "SAFETY.md" }
safeguards = [{ id = "refusals", type = "refusal-tuning", travels = true }, { id = "classifier", type = "input-classifier", travels = true, file = "classifier.bin" }]

[not_evaluated]
all-others = "Too small."

[[evaluations]]
id = "cyber-bare"
class = "dangerous-capability"
domain = "cyber-abuse"
value = "0.5"

[components]
all-others = "no"

[components.training-code]
included = "yes"
ref = "train.py"

[components.data-card]
included = "partial"
ref = "https://acme.example/data"
reason = "Only what may be shown."

[[lineage]]
relation = "finetune"
parent = { purl = "pkg:huggingface/acme/base@9f2d", digest = "0a8f2e0dd0b5d3a1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f70819" }
parent_weights = "1b8f2e0dd0b5d3a1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f70819"
tool = "trl 0.19.0"
carries = ["license", "model_card"]

[[hosts]]
type = "huggingface"
locator = "https://huggingface.co/acme/tiny"
revision = "9f2d"
gated = false
since = "2026-06-25"
"#;

#[test]
fn what_cannot_be_a_source_of_answers_is_refused() {
    let folder = Folder::new();
    let nothing = shown(&folder.at("nothing.toml"));
    folder.draft(&["--from", &nothing]).fails_json(7, "no-such-subject");
    folder.draft(&["--defaults", &nothing]).fails_json(7, "file-missing");
    let half = folder.beside("half.toml", "[components]\nall-others = \"maybe\"\n");
    folder.draft(&["--from", &half]).fails_json(7, "form-invalid");
    let broken = folder.beside("broken.toml", "a = ");
    folder.draft(&["--from", &broken]).fails_json(7, "form-invalid");
    let text = folder.beside("text.stele", "no bundle");
    folder.draft(&["--from", &text]).fails_json(7, "file-malformed");
    let coordinate = "acme.example/tiny@1.0#base";
    folder.draft(&["--from", coordinate]).fails_json(6, "policy-missing");
    for preset in ["small", "quantization-of", "quantization-of tiny", "embedding=x", ""] {
        folder.draft(&["--preset", preset]).fails_json(2, "usage");
    }
    let two = ["--preset", "quantization-of", coordinate, "--preset", "adapter-of", coordinate];
    folder.draft(&two).fails_json(2, "preset-twice");
}

#[test]
fn a_file_of_answers_has_what_is_alike_in_every_release_and_nothing_else() {
    let folder = Folder::new();
    for (text, said) in [
        ("[evaluations]\n", "it is said of one release"),
        ("[[lineage]]\ntool = \"x\"\n", "it is said of one release"),
        ("[weights]\ndigest = \"00\"\n", "it is said of one release"),
        ("issued_at = \"2026-06-25T09:30:00Z\"\n", "it is said of one release"),
        ("[model]\nversion = \"1\"\n", "it is said of one release"),
        ("[access]\nsince = 2026-06-25\n", "the day is that of one release"),
        ("[publisher]\ncontact = \"x\"\n", "no release has this field"),
        ("contact = \"x\"\n", "no release has this field"),
        ("[license]\nspdx = \"free of charge\"\n", "expected an SPDX expression"),
        ("[license]\nuse_restricted = \"no\"\n", "expected true or false"),
        ("[openness]\nclaim = \"open\"\n", "expected one of open-science"),
        ("[components]\nall-others = \"none\"\n", "expected one of yes, partial, no"),
        ("[components.data-card]\nwhy = \"x\"\n", "no release has this field"),
        ("[rationale]\nbenefits = []\n", "expected a list of one or more texts"),
        ("[obligations]\nincident_channel = \"me\"\n", "expected mailto: or a page"),
        ("[safety]\nreport = \"none\"\n", "expected { name"),
        ("publisher = \"acme.example\"\n", "expected fields"),
    ] {
        let path = folder.beside("publisher.toml", text);
        let document = folder.draft(&["--defaults", &path]).fails_json(7, "defaults-invalid");
        assert!(document["facts"].to_string().contains(said), "{text}: {document}");
    }
}

#[test]
fn a_licence_that_the_files_contradict_is_asked_with_both_sides() {
    for (front, text, expected) in [
        // What the files say, what goes on, or what is asked.
        ("license: mit", "", "MIT by README.md; "),
        ("license: [apache-2.0, mit]", "", "the files say mit; "),
        ("license: acme-research", "", "the files say acme-research; "),
        ("license: other\nlicense_name: Acme Terms", "", "LicenseRef-Acme-Terms by license_name in README.md; "),
        ("tags: [x]", "Apache License\nVersion 2.0, January 2004\nbut only on Mondays", "Apache-2.0"),
        ("tags: [x]", "Terms of our own.", "LICENSE is word by word no text of the SPDX list; "),
        ("tags: [x]", "\u{0}\u{1}", "LICENSE cannot be read; "),
        ("license: apache-2.0", "", "Apache-2.0"),
        ("tags: [x]", "", "Apache-2.0"),
    ] {
        let folder = Folder::new();
        folder.card(front);
        if !text.is_empty() {
            folder.write("LICENSE", text.as_bytes());
        }
        let old = folder.beside("old.toml", OLD);
        let (form, _, _) = folder.drafted(&["--from", &old]);
        let spdx = value(&form, "license.spdx").unwrap();
        if expected == "Apache-2.0" {
            assert_eq!(spdx, expected, "{front}");
        } else {
            assert!(spdx.starts_with("DECIDE: ") && spdx.contains(expected), "{front}: {spdx}");
            assert!(spdx.ends_with(&format!("{old} says Apache-2.0")), "{front}: {spdx}");
            // What is restricted is a matter of the licence that it will be.
            assert!(value(&form, "license.use_restricted").unwrap().starts_with("DECIDE"), "{front}");
        }
    }
}

#[test]
fn terms_under_the_same_name_with_other_words_are_asked_again() {
    let folder = Folder::new();
    folder.card("license: other");
    folder.write("LICENSE", b"Terms of our own, the second version.");
    let text = OLD.replace("spdx = \"Apache-2.0\"", "spdx = \"LicenseRef-acme\"").replace("LICENSE.old", "LICENSE");
    let old = folder.beside("old.toml", &text);
    let (form, _, _) = folder.drafted(&["--from", &old]);
    let asked = |form: &Table, field: &str| value(form, field).unwrap();
    assert!(asked(&form, "license.spdx").contains("LICENSE is another text than before"), "{form}");
    assert!(asked(&form, "license.use_restricted").starts_with("DECIDE"), "{form}");
    // Where the card names the terms, what they restrict is asked again.
    folder.card("license: other\nlicense_name: acme");
    let (form, _, _) = folder.drafted(&["--from", &old]);
    assert_eq!(asked(&form, "license.spdx"), "LicenseRef-acme");
    assert!(asked(&form, "license.use_restricted").contains("LICENSE is another text than before"), "{form}");
    // The same words are the same terms.
    let here = format!("{}", stele_spec::hash::Digest::of(b"Terms of our own, the second version."));
    let old = folder
        .beside("old.toml", &text.replace("0a8f2e0dd0b5d3a1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f70819", &here));
    let (form, _, _) = folder.drafted(&["--from", &old]);
    assert_eq!(asked(&form, "license.use_restricted"), "false");
}

#[test]
fn what_is_of_one_release_never_goes_on() {
    let folder = Folder::new();
    let old = folder.beside("old.toml", OLD);
    let (form, text, decisions) = folder.drafted(&["--from", &old]);
    assert_eq!(value(&form, "model.version").unwrap(), "DECIDE: its version; the one before is 1.0");
    for place in ["issued_at", "evaluations", "access.since", "hosts.0.since", "model.parameters.x", "roles"] {
        assert_eq!(value(&form, place), None, "{place}");
    }
    assert_eq!(value(&form, "model.parameters").unwrap(), "4", "the files say so");
    assert_eq!(
        value(&form, "hosts.0.revision").unwrap(),
        "DECIDE: the commit or digest of these files; {old} has 9f2d".replace("{old}", &old)
    );
    // What was a file of the earlier release and is none of this.
    assert!(value(&form, "safety.report.none").unwrap().contains("has SAFETY.md, which is not here"), "{text}");
    assert!(
        value(&form, "components.training-code.included")
            .unwrap()
            .contains("with train.py, which is not in the folder")
    );
    assert!(text.contains("has the safeguard classifier, whose file classifier.bin is not in the folder"), "{text}");
    // A domain that was evaluated has no reason from before.
    assert!(value(&form, "not_evaluated.all-others").unwrap().contains("why cyber-abuse was not evaluated"), "{text}");

    for (place, expected) in [
        ("from_scratch", "false"),
        ("support", "Until 2027, at help@acme.example."),
        ("publisher.name", "acme.example"),
        ("model.name", "tiny"),
        ("model.variant", "instruct"),
        ("model.artifact", "instruct"),
        ("license.text.name", "LICENSE.old"),
        ("openness.basis", "none"),
        ("access.stage", "open"),
        ("rationale.benefits.0", "Two\nlines."),
        ("obligations.incident_channel", "mailto:incidents@acme.example"),
        ("safety.safeguards.0.id", "refusals"),
        ("components.all-others", "no"),
        ("components.data-card.reason", "Only what may be shown."),
        ("lineage.0.parent.purl", "pkg:huggingface/acme/base@9f2d"),
        ("lineage.0.tool", "trl 0.19.0"),
        ("lineage.0.carries.license", "true"),
        ("hosts.0.locator", "https://huggingface.co/acme/tiny"),
    ] {
        assert_eq!(value(&form, place).as_deref(), Some(expected), "{place}\n{text}");
    }
    assert!(text.contains(&format!("stage = \"open\" # from {old}")), "{text}");
    assert!(decisions["carried"].as_u64().unwrap() > 15 && decisions["defaults"] == 0 && decisions["preset"] == 0);
}

#[test]
fn another_parent_in_the_files_is_asked_and_the_same_one_goes_on() {
    let old = |folder: &Folder| folder.beside("old.toml", OLD);
    let folder = Folder::new();
    folder.card("license: apache-2.0\nbase_model: acme/base");
    let (form, _, _) = folder.drafted(&["--from", &old(&folder)]);
    assert!(value(&form, "lineage.0.parent.digest").is_some_and(|digest| digest.starts_with("0a8f")));
    assert_eq!(value(&form, "lineage.1"), None);

    folder.card("license: apache-2.0\nbase_model: acme/other");
    let (form, _, _) = folder.drafted(&["--from", &old(&folder)]);
    assert_eq!(value(&form, "lineage.0.parent.purl").as_deref(), Some("pkg:huggingface/acme/other"));
    let asked = value(&form, "lineage.0.parent.folder").unwrap();
    assert!(asked.starts_with("DECIDE") && asked.ends_with("says pkg:huggingface/acme/base@9f2d"), "{asked}");
    assert_eq!(value(&form, "lineage.0.parent_weights"), None);

    // That it was trained from nothing, the files contradict.
    let scratch = folder.beside("scratch.toml", "from_scratch = true\n");
    let (form, _, _) = folder.drafted(&["--from", &scratch]);
    assert!(value(&form, "from_scratch").unwrap().contains("names acme/other as a base, and"));
}

#[test]
fn the_user_has_one_file_of_answers_and_may_name_another() {
    let folder = Folder::new();
    let text = "[publisher]\nname = \"acme.example\"\n[license]\nspdx = \"MIT\"\nuse_restricted = false\n\
                [obligations]\nincident_channel = \"https://acme.example/incidents\"\n[components]\nall-others = \"no\"\n\
                data-card = \"partial\"\n[not_evaluated]\nall-others = \"Too small.\"\n";
    let named = folder.beside("publisher.toml", text);
    let (form, draft, decisions) = folder.drafted(&["--defaults", &named]);
    assert_eq!(value(&form, "publisher.name").as_deref(), Some("acme.example"));
    assert!(draft.contains("incident_channel = \"https://acme.example/incidents\" # from publisher.toml"), "{draft}");
    // The card says Apache-2.0: a rule of the house decides nothing against a file.
    assert_eq!(value(&form, "license.spdx").unwrap(), "DECIDE: Apache-2.0 by README.md; publisher.toml says MIT");
    assert_eq!(value(&form, "components.data-card.included").as_deref(), Some("partial"));
    assert_eq!(decisions["defaults"], 5, "{draft}");

    let model = shown(&folder.at("model"));
    let config = folder.at("config");
    std::fs::create_dir_all(config.join("stele")).unwrap();
    std::fs::write(config.join("stele/publisher.toml"), text).unwrap();
    for place in [("XDG_CONFIG_HOME", shown(&config)), ("STELE_DEFAULTS", named.clone())] {
        let draft = ["draft", &model, "-o", "-"];
        stele_with(&draft, &[(place.0, place.1.as_str())])
            .ok()
            .says(&["name = \"acme.example\" # from publisher.toml"]);
    }
    // An earlier release says more of this model than a rule of the house.
    let old = folder.beside("old.toml", OLD);
    let (form, _, decisions) = folder.drafted(&["--defaults", &named, "--from", &old]);
    assert_eq!(value(&form, "obligations.incident_channel").as_deref(), Some("mailto:incidents@acme.example"));
    assert_eq!(value(&form, "license.spdx").as_deref(), Some("Apache-2.0"));
    assert_eq!(decisions["defaults"], 0);
}

#[test]
fn presets_answer_what_they_may_and_nothing_against_the_files() {
    let folder = Folder::new();
    let (form, text, decisions) = folder.drafted(&["--preset", "small-research"]);
    assert!(text.contains("stage = \"open\" # preset small-research"), "{text}");
    assert!(value(&form, "not_evaluated.all-others").unwrap().starts_with("Not evaluated: a small model"));
    assert_eq!(value(&form, "license.spdx").as_deref(), Some("Apache-2.0"), "the card says so");
    assert!(
        value(&form, "license.text.name").unwrap().starts_with("DECIDE") && decisions["preset"].as_u64().unwrap() >= 5
    );

    // It writes text, and so can be asked.
    let ran = folder.draft(&["--preset", "embedding"]).ok();
    assert!(ran.err.contains("preset embedding: config.json says LlamaForCausalLM"), "{}", ran.err);
    assert!(ran.json()["form"].as_str().unwrap().contains("all-others = \"DECIDE: why there is no safety report"));

    let parent = "acme.example/tiny@1.0#base";
    let (form, text, _) = folder.drafted(&["--preset", "quantization-of", parent]);
    assert_eq!(value(&form, "model.artifact").as_deref(), Some("quantized"));
    assert!(value(&form, "model.quantization").unwrap().starts_with("DECIDE"), "no file says how");
    assert_eq!(value(&form, "lineage.0.parent.coordinate").as_deref(), Some(parent));
    assert!(text.contains(&format!("relation = \"quantized\" # preset quantization-of {parent}")), "{text}");
    assert_eq!(value(&form, "from_scratch").as_deref(), Some("false"));

    // Whole weights are those of no adapter, as far as files say.
    let ran = folder.draft(&["--preset", &format!("adapter-of={parent}")]).ok();
    assert!(ran.err.contains("no file says that the weights are those of an adapter"), "{}", ran.err);
    assert!(ran.json()["form"].as_str().unwrap().contains("artifact = \"DECIDE"));
}

#[test]
fn a_preset_that_names_a_parent_is_held_against_what_the_files_say_of_one() {
    let (parent, preset) = ("acme.example/tiny@1.0#base", "quantization-of=acme.example/tiny@1.0#base");
    for (front, relation, named) in [
        ("base_model: acme/Tiny", "quantized", parent),
        ("base_model: acme/Tiny\nbase_model_relation: quantized", "quantized", parent),
        ("base_model: acme/Tiny\nbase_model_relation: finetune", "DECIDE", parent),
        (
            "base_model: other/large",
            "quantized",
            "DECIDE: acme.example/tiny@1.0#base if it is what README.md calls other/large",
        ),
    ] {
        let folder = Folder::new();
        folder.card(&format!("license: mit\n{front}"));
        let (form, text, _) = folder.drafted(&["--preset", preset]);
        let said = |place: &str| value(&form, place).unwrap_or_default();
        let asked = value(&form, "lineage.0.relation").or_else(|| value(&form, "lineage.0.made"));
        assert!(asked.unwrap().starts_with(relation), "{front}: {text}");
        assert_eq!(said("lineage.0.parent.coordinate"), named, "{front}");
        assert_eq!(form["lineage"].as_array().unwrap().len(), 1, "{front}");
    }
    let two = Folder::new().draft(&["--preset", preset, "--preset", &format!("adapter-of={parent}")]);
    two.fails_json(2, "preset-twice");
}

#[test]
fn how_a_model_came_of_its_base_is_asked_where_no_file_says_it() {
    for (front, relation, tool) in [
        ("base_model: acme/base", None, None),
        ("base_model: acme/base\nbase_model_relation: finetune", Some("finetune"), None),
        ("base_model: acme/base\nbase_model_relation: quantized", None, None),
        ("base_model: [acme/a, acme/b]\ntags: [merge]", None, None),
    ] {
        let folder = Folder::new();
        folder.card(&format!("license: mit\n{front}"));
        let (form, text, _) = folder.drafted(&[]);
        let said = |name: &str| value(&form, &format!("lineage.0.{name}")).filter(|said| !said.starts_with("DECIDE"));
        assert_eq!((said("relation").as_deref(), said("tool").as_deref()), (relation, tool), "{front}: {text}");
        assert!(said("made").is_none() && text.contains("transformers 4.57.1 saved config.json"), "{text}");
    }
    // What the adapter's own config says goes before the card, and both are shown where they differ.
    let folder = Folder::new();
    std::fs::remove_file(folder.at("model/model.safetensors")).unwrap();
    std::fs::remove_file(folder.at("model/config.json")).unwrap();
    folder.write("adapter_model.safetensors", &safetensors());
    folder.write("adapter_config.json", br#"{"base_model_name_or_path": "acme/base", "peft_version": "0.18.0"}"#);
    folder.card("license: mit");
    let (form, _, _) = folder.drafted(&[]);
    assert_eq!(value(&form, "lineage.0.relation").as_deref(), Some("adapter"));
    assert_eq!(value(&form, "lineage.0.tool").as_deref(), Some("peft 0.18.0"));
    folder.card("license: mit\nbase_model: acme/base\nbase_model_relation: finetune");
    let (form, _, _) = folder.drafted(&[]);
    let asked = value(&form, "lineage.0.relation").unwrap();
    assert!(
        asked.starts_with("DECIDE: adapter by adapter_config.json; base_model_relation in README.md says finetune"),
        "{asked}"
    );
}

#[test]
fn what_does_not_show_is_written_as_its_number_and_ends_no_line() {
    let folder = Folder::new();
    let old = folder.beside("old.toml", &OLD.replace("Until 2027", "\\u001b[2J\\u202e\\nname = \\\"x\\\""));
    let (form, text, _) = folder.drafted(&["--from", &old]);
    assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'), "{text}");
    assert_eq!(value(&form, "support").as_deref(), Some("\u{1b}[2J\u{202e}\nname = \"x\", at help@acme.example."));
    let odd = folder.beside("a\u{1b}[2J\n[x].toml", OLD);
    let (_, text, _) = folder.drafted(&["--from", &odd]);
    assert!(!text.contains('\u{1b}') && !text.contains("\n[x].toml"), "{text}");
}

#[test]
fn the_count_is_told_with_who_answered() {
    let folder = Folder::new();
    let (old, model) = (folder.beside("old.toml", OLD), shown(&folder.at("model")));
    let ran = stele(&["draft", &model, "--from", &old, "--model-version", "1.1", "--preset", "small-research"]).ok();
    let document = folder.draft(&["--from", &old, "--model-version", "1.1", "--preset", "small-research"]).json();
    let (open, carried) = (&document["decisions"]["open"], &document["decisions"]["carried"]);
    ran.says(&[
        &format!("{open} decisions left, {carried} answered by {old}"),
        "replace each value that begins with DECIDE",
    ]);
}
