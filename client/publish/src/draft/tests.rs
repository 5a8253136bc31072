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
fn what_was_said_of_a_test_before_is_said_again_and_what_came_of_it_is_asked() {
    let results = b"- dataset: {id: cais/hle, task_id: default}\n  value: 20.9\n  date: 2026-01-15\n";
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[(".eval_results/hle.yaml", results), ("model.safetensors", &safetensors(4))]);
    let drafted = |id: &str, dataset: &str| {
        let said = format!(
            "[[evaluations]]\nid = \"{id}\"\nclass = \"capability\"\ndomain = \"reasoning\"\nsubject = \"this-release\"\n\
             configuration = \"bare-weights\"\nmetric = \"accuracy\"\nvalue = \"18.2\"\nevaluator = \"Acme\"\ndate = \"2025-12-01\"\n\
             effect = \"None.\"\ndataset = {{ name = \"{dataset}\", revision = \"5503434d\" }}\n"
        );
        let place = tempfile::tempdir().unwrap();
        write(place.path(), &[("old.toml", said.as_bytes())]);
        let old = super::Old::of_file(&place.path().join("old.toml")).unwrap();
        let answers = Answers { old: Some(old), ..Answers::default() };
        let facts = facts(folder.path()).unwrap();
        release_toml(&Names::default(), &facts, &answers).text.parse::<toml::Table>().unwrap()
    };
    let same = drafted("cais-hle", "cais/hle");
    for (field, expected) in [
        ("class", Some("capability")),
        ("domain", Some("reasoning")),
        ("configuration", Some("bare-weights")),
        ("metric", Some("accuracy")),
        ("evaluator", Some("Acme")),
        ("dataset.revision", Some("5503434d")),
        ("value", Some("20.9")),
        ("date", Some("2026-01-15")),
        ("subject", None),
        ("effect", None),
    ] {
        assert_eq!(value(&same, &format!("evaluations.0.{field}")).as_deref(), expected, "{field}");
    }
    for (id, dataset) in [("other", "cais/hle"), ("cais-hle", "acme/other")] {
        assert_eq!(value(&drafted(id, dataset), "evaluations.0.metric"), None, "{id} {dataset}");
    }
}

#[test]
fn what_publish_will_refuse_is_said_of_a_draft() {
    let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\nsize 4661211808\n";
    let (_, said) = draft(&[
        ("model.safetensors", pointer),
        ("pytorch_model.bin", pointer),
        (".DS_Store", b"x"),
        ("aux.txt", b"x"),
    ]);
    for expected in [
        "model.safetensors: a Git LFS pointer, and not the file itself; `git lfs pull` gets it: publish will refuse it",
        "pytorch_model.bin: a Git LFS pointer",
        ".DS_Store: a file of a desktop",
        "aux.txt: the name of a device on Windows",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    assert!(!said.contains("its header"), "{said}");
    let (_, said) = draft(&[("model.safetensors", &safetensors(4)), ("README.md", &card("license: mit"))]);
    assert!(!said.contains("publish will refuse"), "{said}");
    let padded = [b"{}".as_slice(), &[b' '; 5 << 20]].concat();
    let (_, said) = draft(&[("config.json", &padded), ("model.safetensors", &safetensors(4))]);
    assert_eq!(said.matches("is larger than").count(), 1, "{said}");
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
fn the_file_that_stands_for_the_weights_is_the_largest_and_none_stands_for_the_parts_of_a_pipeline() {
    let stands = |form: &_| value(form, "components.model-parameters-final.ref");
    let (form, _) = draft(&[
        ("fingerprint.pb", &[1; 50]),
        ("keras_metadata.pb", &[1; 90]),
        ("saved_model.pb", &[1; 20]),
        ("variables/variables.data-00000-of-00001", &[1; 40]),
    ]);
    assert_eq!(stands(&form).as_deref(), Some("variables/variables.data-00000-of-00001"));
    let part = safetensors(4);
    let index = br#"{"_class_name": "P", "text_encoder": ["transformers", "T"], "unet": ["diffusers", "U"]}"#;
    let (form, _) = draft(&[
        ("model_index.json", index),
        ("text_encoder/model.safetensors", &part),
        ("unet/diffusion_pytorch_model.safetensors", &part),
    ]);
    assert_eq!(stands(&form), None);
    assert_eq!(value(&form, "components.model-parameters-final.included").as_deref(), Some("yes"));
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

/// The draft of a folder under a variant.
fn of_variant(variant: &str, files: &[(&str, &[u8])]) -> (toml::Table, String) {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), files);
    let facts = facts(folder.path()).unwrap();
    let names = Names { variant: variant.parse().ok(), ..Names::default() };
    let text = release_toml(&names, &facts, &Answers::default()).text;
    (text.parse().unwrap(), text)
}

fn tensors(header: &str, length: usize) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &vec![0; length]].concat()
}

#[test]
fn the_newest_adapter_of_mlx_stands_for_its_checkpoints() {
    let config = br#"{"model": "mlx-community/tiny-4bit", "fine_tune_type": "lora", "num_layers": 16}"#;
    let (form, _) = draft(&[
        ("adapter_config.json", config),
        ("0000100_adapters.safetensors", &safetensors(4)),
        ("adapters.safetensors", &safetensors(4)),
    ]);
    assert_eq!(value(&form, "model.artifact").as_deref(), Some("adapter"));
    assert_eq!(value(&form, "from_scratch").as_deref(), Some("false"));
    assert_eq!(value(&form, "components.model-parameters-final.ref").as_deref(), Some("adapters.safetensors"));
}

#[test]
fn the_name_of_a_variant_makes_no_base_of_what_was_made_of_others() {
    let model = safetensors(4);
    let lora = tensors(r#"{"lora_unet_a.lora_down.weight":{"dtype":"F16","shape":[2,2],"data_offsets":[0,8]}}"#, 8);
    let scaled = tensors(
        r#"{"q.weight":{"dtype":"F8_E4M3","shape":[8,8],"data_offsets":[0,64]},"q.scale_weight":{"dtype":"F32","shape":[],"data_offsets":[64,68]}}"#,
        68,
    );
    let artifact = |files: &[(&str, &[u8])]| value(&of_variant("base", files).0, "model.artifact");
    assert_eq!(artifact(&[("model.safetensors", &model)]).as_deref(), Some("base"));
    for (name, bytes) in [
        ("mergekit_config.yml", &b"merge_method: slerp\n"[..]),
        ("README.md", &card("base_model_relation: merge")),
        ("pytorch_lora_weights.safetensors", &model),
        ("style.safetensors", &lora),
        ("scaled.safetensors", &scaled),
        ("quantize_config.json", br#"{"bits": 4, "group_size": 128}"#),
        ("hf_quant_config.json", br#"{"quantization": {"quant_algo": "NVFP4"}}"#),
        ("quanto_qmap.json", b"{}"),
    ] {
        assert_eq!(artifact(&[("model.safetensors", &model), (name, bytes)]), None, "{name}");
    }
    let recipe = b"models:\n- model: acme/a\n- model: acme/b\n";
    let (form, _) = draft(&[("mergekit_config.yml", recipe), ("model.safetensors", &model)]);
    assert_eq!(value(&form, "from_scratch").as_deref(), Some("false"));
    assert_eq!(value(&form, "lineage.1.relation").as_deref(), Some("merge"));
}

#[test]
fn bits_without_a_method_are_those_of_mlx() {
    let model = tensors(
        r#"{"q.weight":{"dtype":"U32","shape":[64,32],"data_offsets":[0,8192]},"q.scales":{"dtype":"F16","shape":[64,4],"data_offsets":[8192,8704]},"q.biases":{"dtype":"F16","shape":[64,4],"data_offsets":[8704,9216]},"e.weight":{"dtype":"F16","shape":[8,8],"data_offsets":[9216,9344]}}"#,
        9344,
    );
    let config = br#"{"quantization": {"group_size": 64, "bits": 4}}"#;
    let (form, _) = of_variant("base", &[("config.json", config), ("model.safetensors", &model)]);
    assert_eq!(value(&form, "model.artifact").as_deref(), Some("quantized"));
    assert_eq!(value(&form, "model.quantization").as_deref(), Some("4 bits"));
    assert_eq!(value(&form, "model.parameters").as_deref(), Some("16448"));
}

#[test]
fn a_tag_of_vectors_says_text_only_beside_a_model_of_text() {
    for (config, tag, expected) in [
        (r#"{"model_type": "bert"}"#, "feature-extraction", Some("[\"text\"]")),
        (r#"{"architectures": ["XLMRobertaModel"]}"#, "sentence-similarity", Some("[\"text\"]")),
        (r#"{"model_type": "hubert", "architectures": ["HubertModel"]}"#, "feature-extraction", None),
        (r#"{"model_type": "clip"}"#, "sentence-similarity", None),
        (r#"{"model_type": "qwen2_vl"}"#, "feature-extraction", None),
        ("{}", "feature-extraction", None),
        (r#"{"model_type": "hubert"}"#, "text-generation", Some("[\"text\"]")),
    ] {
        let front = card(&format!("pipeline_tag: {tag}"));
        let (form, said) =
            draft(&[("config.json", config.as_bytes()), ("README.md", &front), ("model.safetensors", &safetensors(4))]);
        assert_eq!(value(&form, "model.modalities").as_deref(), expected, "{config}");
        assert_eq!(expected.is_none(), said.contains("each that it takes or gives"), "{config}");
    }
}

#[test]
fn a_second_text_and_a_policy_leave_the_terms_to_decide() {
    let front = card("license: mit");
    let model = safetensors(4);
    let of = |name: &str, bytes: &[u8]| {
        let (form, _) = draft(&[("README.md", &front), ("model.safetensors", &model), (name, bytes)]);
        (value(&form, "license.spdx"), value(&form, "license.use_restricted"))
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(of("notes.txt", b"notes"), (some("MIT"), some("false")));
    for policy in ["USE_POLICY.md", "ACCEPTABLE_USE.md", "acceptable_use_policy.txt"] {
        assert_eq!(of(policy, b"You must not."), (some("MIT"), None), "{policy}");
    }
    let texts: [(&str, &[u8]); 4] = [
        ("README.md", &front),
        ("LICENSE", b"MIT License. Acme."),
        ("MODEL_LICENSE", b"You must not use it."),
        ("model.safetensors", &model),
    ];
    let (form, said) = draft(&texts);
    assert_eq!((value(&form, "license.spdx"), value(&form, "license.use_restricted")), (None, None));
    assert!(said.contains("MODEL_LICENSE is word by word no text of the SPDX list"), "{said}");
}

#[test]
fn a_clone_whose_weights_are_others_is_not_drafted_as_its_origin() {
    let config = b"[remote \"origin\"]\nurl = https://huggingface.co/acme/base\n";
    let commit = "5d3c8a1f0f9e4a3c8e5c6f3d1b2a49788695a4b3\n".as_bytes();
    let clone: [(&str, &[u8]); 5] = [
        (".git/HEAD", b"ref: refs/heads/main\n"),
        (".git/refs/heads/main", commit),
        (".git/refs/remotes/origin/main", commit),
        (".git/config", config),
        ("model.safetensors", &safetensors(4)),
    ];
    let (form, said) = draft(&clone);
    assert_eq!((value(&form, "model.purl"), value(&form, "hosts.0.locator")), (None, None));
    assert!(said.contains("could not be compared with .git/index"), "{said}");
    let mut of_disk = clone;
    of_disk[3].1 = b"[remote \"origin\"]\nurl = /srv/git/x.git\n";
    let (form, said) = draft(&of_disk);
    assert!(!form.contains_key("hosts") && said.contains("is a clone of one on a disk"), "{said}");
}

#[test]
fn a_pipeline_has_the_parameters_of_the_parts_that_it_names() {
    let index = br#"{"_class_name": "P", "unet": ["diffusers", "U"], "vae": ["diffusers", "V"]}"#;
    let (whole, part) = (safetensors(9), safetensors(4));
    let unet = ("unet/diffusion_pytorch_model.safetensors", &part[..]);
    let vae = ("vae/diffusion_pytorch_model.safetensors", &part[..]);
    let all = [
        ("model_index.json", &index[..]),
        ("sd_turbo.safetensors", &whole),
        unet,
        vae,
        ("vae_1_0/diffusion_pytorch_model.safetensors", &part),
    ];
    assert_eq!(value(&draft(&all).0, "model.parameters").as_deref(), Some("8"));
    let other = [("model_index.json", &index[..]), unet, ("vae/diffusion_pytorch_model.bin", b"\x80\x02other")];
    let (form, said) = draft(&other);
    assert_eq!(value(&form, "model.parameters"), None);
    assert!(said.contains("the weights in vae/ are no safetensors"), "{said}");
}

/// A GGUF header of these texts, with no tensor.
fn header(keys: &[(&str, &str)]) -> Vec<u8> {
    let string = |text: &str| [&(text.len() as u64).to_le_bytes(), text.as_bytes()].concat();
    let mut bytes = [&b"GGUF\x03\0\0\0"[..], &0_u64.to_le_bytes(), &(keys.len() as u64).to_le_bytes()].concat();
    for (key, value) in keys {
        bytes.extend([string(key), 8_u32.to_le_bytes().to_vec(), string(value)].concat());
    }
    bytes
}

/// As llama.cpp's converter writes it for a fine-tune whose card names two licences and two bases, one of them without an owner.
#[test]
fn a_header_that_names_its_base_as_itself_offers_no_name() {
    let base = [
        ("general.architecture", "llama"),
        ("general.license", "mit,cc-by-nc-4.0"),
        ("general.base_model.0.name", "Base 2 7b Hf"),
        ("general.base_model.0.repo_url", "https://huggingface.co/other-labs/Base-2-7b-hf"),
        ("general.base_model.1.name", "Gpt2"),
    ];
    let named = |name: &'static str| draft(&[("tiny.gguf", &header(&[&base[..], &[("general.name", name)]].concat()))]);
    let (form, said) = named("Base 2 7b Hf");
    assert!(!said.contains("says base-2-7b-hf"), "{said}");
    assert!(said.contains("names several licences, mit,cc-by-nc-4.0"), "{said}");
    assert_eq!(value(&form, "license.spdx"), None, "{said}");
    assert!(said.contains("not in the lineage: Gpt2"), "{said}");
    assert!(named("Acme Helper").1.contains("tiny.gguf says acme-helper"));
}

#[test]
fn a_header_that_names_another_licence_than_the_card_leaves_it_open() {
    let of = |licence: &str, config: &str| {
        let gguf = header(&[("general.architecture", "llama"), ("general.license", licence)]);
        draft(&[("README.md", &card("license: mit")), ("tiny.gguf", &gguf), ("config.json", config.as_bytes())])
    };
    let (form, said) = of("cc-by-nc-4.0", "{}");
    assert_eq!(value(&form, "license.spdx"), None, "{said}");
    assert!(said.contains("MIT by README.md; tiny.gguf says cc-by-nc-4.0"), "{said}");
    let (form, _) = of("mit", r#"{"pretrained_cfg": {"license": "mit"}}"#);
    assert_eq!(value(&form, "license.spdx").as_deref(), Some("MIT"));
    let (_, said) = of("mit", r#"{"pretrained_cfg": {"license": "cc-by-nc-4.0"}}"#);
    assert!(said.contains("config.json says cc-by-nc-4.0"), "{said}");
}

#[test]
fn a_checkpoint_that_keeps_what_was_written_over_is_named() {
    let (_, said) = draft(&[("ckpt/manifest.ocdbt", b"\x0c\xdb"), ("model.safetensors", &safetensors(8))]);
    assert!(said.contains("ckpt/manifest.ocdbt is of an OCDBT checkpoint"), "{said}");
}
