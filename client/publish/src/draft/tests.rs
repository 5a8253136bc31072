//! What is drafted of a folder: what is right is a value, what is not certain is left to decide.

use std::path::Path;

use super::{Answers, Names, facts, release_toml};

/// The draft of a folder of these files, and its notes.
fn draft(files: &[(&str, &[u8])]) -> (toml::Table, String) {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), files);
    drafted(folder.path())
}

fn drafted(folder: &Path) -> (toml::Table, String) {
    let facts = facts(folder).unwrap();
    let names = Names { publisher: "acme.example".parse().ok(), ..Names::default() };
    let text = release_toml(&names, &facts, &Answers::default()).text;
    (text.parse().unwrap(), format!("{text}\n{}", facts.notes.join("\n")))
}

fn write(folder: &Path, files: &[(&str, &[u8])]) {
    for (path, bytes) in files {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

/// One tensor of so many numbers.
fn safetensors(numbers: usize) -> Vec<u8> {
    let header = format!("{{\"w\":{{\"dtype\":\"I8\",\"shape\":[{numbers}],\"data_offsets\":[0,{numbers}]}}}}");
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &vec![0; numbers]].concat()
}

/// A value by its place; nothing where a person has to decide, or nothing is written.
fn value(form: &toml::Table, place: &str) -> Option<String> {
    let mut parts = place.split('.');
    let mut at = form.get(parts.next()?)?;
    for part in parts {
        at = match part.parse::<usize>() {
            Ok(n) => at.get(n)?,
            Err(_) => at.get(part)?,
        };
    }
    let text = at.as_str().map_or_else(|| at.to_string(), str::to_owned);
    (!text.contains("DECIDE")).then_some(text)
}

fn card(front: &str) -> Vec<u8> {
    format!("---\n{front}\n---\n# Tiny\n").into_bytes()
}

#[test]
fn what_a_card_does_not_make_certain_is_left_to_decide() {
    for (front, spdx, restricted) in [
        ("license: [mit, apache-2.0]", None, None),
        ("license: bsd", None, None),
        ("license: gpl-3.0", None, None),
        ("license: no", None, None),
        ("license: acme-research", None, None),
        ("license: other", None, None),
        ("license: other\nlicense_name: Acme Community License", Some("LicenseRef-Acme-Community-License"), None),
        ("license: openrail++", Some("LicenseRef-openrail-plus-plus"), Some("true")),
        ("license: Apache-2.0 OR MIT", Some("Apache-2.0 OR MIT"), Some("false")),
        ("license: >-\n  cdla-permissive-2.0", Some("CDLA-Permissive-2.0"), Some("false")),
        ("license: cc-by-nc-4.0", Some("CC-BY-NC-4.0"), Some("true")),
    ] {
        let (form, _) = draft(&[("README.md", &card(front)), ("model.safetensors", &safetensors(4))]);
        assert_eq!(value(&form, "license.spdx").as_deref(), spdx, "{front}");
        assert_eq!(value(&form, "license.use_restricted").as_deref(), restricted, "{front}");
    }
    let (_, said) = draft(&[("README.md", &card("license: [mit, apache-2.0]"))]);
    assert!(said.contains("mit, apache-2.0: AND binds to all, OR is a choice"), "{said}");
    let (_, said) = draft(&[("README.md", &card("license: gpl-3.0"))]);
    assert!(said.contains("GPL-3.0-only, GPL-3.0-or-later"), "{said}");
    let (_, said) = draft(&[("README.md", &card("license: other\nlicense_link: https://acme.example/l"))]);
    assert!(said.contains("https://acme.example/l"), "{said}");
    let (_, said) = draft(&[("README.md", b"---\nlicense: [mit\n---\n")]);
    assert!(said.contains("README.md: its metadata is not read"), "{said}");
}

#[test]
fn a_licence_guessed_from_words_is_no_fact() {
    let rail = b"Acme OpenRAIL-M License. This license is based on the Apache License, Version 2.0. Apache License Version 2.0";
    let (form, said) = draft(&[("LICENSE", rail), ("model.safetensors", &safetensors(4))]);
    assert_eq!((value(&form, "license.spdx"), value(&form, "license.use_restricted")), (None, None));
    assert!(said.contains("LICENSE begins as Apache-2.0 does, and differs from its text"), "{said}");
    let (form, _) = draft(&[("LICENSE", rail), ("README.md", &card("license: apache-2.0"))]);
    assert_eq!(value(&form, "license.spdx").as_deref(), Some("Apache-2.0"));
    assert_eq!(value(&form, "license.use_restricted"), None, "the text may restrict");
}

#[test]
fn parents_are_named_by_a_package_url_or_asked_for() {
    let purls = |front: &str| {
        let (form, said) = draft(&[("README.md", &card(front)), ("model.safetensors", &safetensors(4))]);
        let all = form.get("lineage").and_then(toml::Value::as_array).cloned().unwrap_or_default();
        let purls: Vec<String> =
            all.iter().map(|parent| parent["parent"]["purl"].as_str().unwrap().to_owned()).collect();
        (purls, said)
    };
    for (front, expected) in [
        ("base_model: [acme/a,\n  acme/b]", &["pkg:huggingface/acme/a", "pkg:huggingface/acme/b"][..]),
        ("base_model: >-\n  acme/a", &["pkg:huggingface/acme/a"]),
        ("base_model: https://huggingface.co/acme/a", &["pkg:huggingface/acme/a"]),
        ("base_model: [acme/a, ACME/A]", &["pkg:huggingface/acme/a"]),
        ("base_model: gpt2", &["pkg:huggingface/openai-community/gpt2"]),
        ("base_model: outputs/base", &[]),
        ("base_model: null", &[]),
    ] {
        assert_eq!(purls(front).0, expected, "{front}");
    }
    let (purls_of, said) = purls("base_model: tiny-old");
    assert!(purls_of[0].starts_with("DECIDE") && said.contains("tiny-old"), "{said}");
    let (_, said) = purls("base_model: C:\\models\\base");
    assert!(said.contains("which model was it?"), "{said}");
}

#[test]
fn an_adapter_is_one_only_without_other_weights() {
    let config = br#"{"peft_type": "LORA", "base_model_name_or_path": "acme/base", "revision": "abc"}"#;
    let adapter: [(&str, &[u8]); 2] =
        [("second/adapter_config.json", config), ("second/adapter_model.safetensors", &safetensors(4))];
    let (form, said) = draft(&adapter);
    assert_eq!(value(&form, "model.artifact").as_deref(), Some("adapter"));
    assert_eq!(value(&form, "lineage.0.relation").as_deref(), Some("adapter"));
    assert!(said.contains("second/adapter_config.json says the revision abc"), "{said}");
    let whole: Vec<(&str, &[u8])> = adapter.into_iter().chain([("model.safetensors", &b"x"[..])]).collect();
    let (form, _) = draft(&whole);
    assert_eq!((value(&form, "model.artifact"), value(&form, "lineage.0.relation")), (None, None));
}

#[test]
fn few_bits_are_a_quantization_unless_a_model_may_have_been_trained_in_them() {
    let of = |config: &str, front: &str| {
        let files =
            [("config.json", config.as_bytes()), ("README.md", &card(front)), ("model.safetensors", &safetensors(4))];
        let (form, _) = draft(&files);
        (value(&form, "model.artifact"), value(&form, "model.quantization"))
    };
    let some = |text: &str| Some(text.to_owned());
    let fp8 = r#"{"quantization_config": {"quant_method": "fp8"}}"#;
    assert_eq!(of(fp8, "license: mit"), (None, some("fp8")));
    assert_eq!(of(fp8, "base_model: acme/base"), (some("quantized"), some("fp8")));
    let gptq = r#"{"text_config": {"quantization_config": {"quant_method": "gptq", "bits": 4}}}"#;
    assert_eq!(of(gptq, "license: mit"), (some("quantized"), some("gptq, 4 bits")));
}

#[test]
fn results_of_the_hub_are_evaluations() {
    let results = b"- dataset: {id: cais/hle, task_id: default}\n  value: 20.9\n  date: 2026-01-15\n- dataset: {id: a/b}\n  value: high\n";
    let (form, _) = draft(&[(".eval_results/hle.yaml", results), ("model.safetensors", &safetensors(4))]);
    assert_eq!(value(&form, "evaluations.0.dataset.name").as_deref(), Some("cais/hle"));
    assert_eq!(value(&form, "evaluations.0.value").as_deref(), Some("20.9"));
    assert_eq!(value(&form, "evaluations.0.date").as_deref(), Some("2026-01-15"));
    assert_eq!(value(&form, "evaluations.1.value"), None);
}

#[test]
fn without_weights_the_way_out_is_named() {
    let (_, said) = draft(&[("model.lz4x", b"\x01\x02\xff"), ("tokenizer.json", b"{}")]);
    assert_eq!(said.matches("[roles], as \"model.lz4x\" = \"weights\"").count(), 2, "{said}");
}

#[test]
fn of_a_cache_its_snapshot_is_drafted() {
    let home = tempfile::tempdir().unwrap();
    let repository = home.path().join("models--acme--tiny");
    let (old, new) = ("1".repeat(40), "2".repeat(40));
    for commit in [&old, &new] {
        write(&repository.join("snapshots").join(commit), &[("model.safetensors", &safetensors(4))]);
    }
    write(&repository, &[("refs/main", new.as_bytes())]);
    let (form, said) = drafted(&repository);
    assert_eq!(value(&form, "components.model-parameters-final.ref").as_deref(), Some("model.safetensors"));
    assert_eq!(value(&form, "model.parameters").as_deref(), Some("4"));
    assert!(said.contains(&format!("snapshots/{new}: publish that folder")), "{said}");
}

#[test]
fn a_pipeline_of_spacy_is_no_pickle() {
    let (form, said) = draft(&[
        ("meta.json", br#"{"spacy_version": ">=3.7.5,<3.9.0", "pipeline": ["ner"]}"#),
        ("ner/model", b"\x84\xa5nodes"),
        ("lemmatizer/lookups/lookups.bin", b"\x83\xablemma_rules\x80"),
    ]);
    assert_eq!(value(&form, "model.formats").as_deref(), Some("[\"spacy\"]"));
    assert!(!said.contains("pickle") && !said.contains("is this weights?"), "{said}");
}
