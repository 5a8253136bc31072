//! Answers in the shapes of the public APIs, and what they come to.

use proptest::prelude::*;
use stele_spec::manifest::FilePath;
use stele_spec::manifest::{FileDigests, Manifest, ManifestFile, Role};
use stele_spec::merkle::leaf_hash;
use stele_spec::statement::{HostDigest, HostType, LoggedRelease, Observed, Timestamp};

use super::*;
use crate::view::{HostListing, Scope};

const SHARDS: [&str; 3] =
    ["model-00001-of-00003.safetensors", "model-00002-of-00003.safetensors", "model-00003-of-00003.safetensors"];

fn content(path: &str) -> Vec<u8> {
    format!("content of {path}").into_bytes()
}

fn manifest(paths: &[&str]) -> Manifest {
    let file = |path: &&str| {
        let path: FilePath = path.parse().unwrap();
        let FileDigests { size, sha256, git_sha1 } = FileDigests::of(&content(path.as_str()));
        ManifestFile { role: Role::of_path(&path), path, size, sha256, git_sha1 }
    };
    Manifest::new(paths.iter().map(file).collect()).unwrap()
}

fn release() -> Manifest {
    manifest(&[SHARDS[0], SHARDS[1], SHARDS[2], "config.json", "README.md"])
}

/// One item of a tree with `expand=true`: what there is more than is read must not matter.
fn item(path: &str, bytes: &[u8], large: bool) -> serde_json::Value {
    let digests = FileDigests::of(bytes);
    let mut item = serde_json::json!({
        "type": "file", "oid": digests.git_sha1.to_string(), "size": digests.size, "path": path,
        "lastCommit": {"id": "3a6f1c2e9b7d4a5f8c0e1d2b3a4f5e6d7c8b9a01", "title": "Upload", "date": "2026-05-04T10:11:12.000Z"},
        "securityFileStatus": {"status": "safe"},
    });
    if large {
        item["oid"] = "0f1e2d3c4b5a69788796a5b4c3d2e1f001122334".into();
        item["lfs"] = serde_json::json!({"oid": digests.sha256.to_string(), "size": digests.size, "pointerSize": 135});
        item["xetHash"] = "57f1a3c5e7092b4d6f8193a5c7e9fb0d2f415365768798a9bacbdcedfe0f1021".into();
    }
    item
}

fn tree(changes: &[(&str, Option<&[u8]>)]) -> HostListing {
    let mut items = vec![
        serde_json::json!({"type": "directory", "oid": "4b825dc642cb6eb9a060e54bf8d69288fbee4904", "size": 0, "path": "figures"}),
    ];
    for file in release().files() {
        let path = file.path.as_str();
        let change = changes.iter().find(|(changed, _)| *changed == path);
        let bytes = match change {
            Some((_, None)) => continue,
            Some((_, Some(bytes))) => bytes.to_vec(),
            None => content(path),
        };
        items.push(item(path, &bytes, file.role == Role::Weights));
    }
    for (path, bytes) in
        changes.iter().filter(|(path, _)| release().files().iter().all(|file| file.path.as_str() != *path))
    {
        items.push(item(path, bytes.unwrap(), false));
    }
    let body = serde_json::to_vec(&items).unwrap();
    HostListing {
        files: huggingface::read_page("https://hub.example", &body).unwrap(),
        revision: None,
        scope: Scope::Files,
    }
}

fn layer(media_type: &str, bytes: &[u8]) -> serde_json::Value {
    serde_json::json!({"mediaType": media_type, "digest": format!("sha256:{}", FileDigests::of(bytes).sha256), "size": bytes.len()})
}

fn image(layers: &[serde_json::Value]) -> Vec<u8> {
    serde_json::to_vec(&serde_json::json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "digest": format!("sha256:{}", "0".repeat(64)), "size": 485},
        "layers": layers,
    }))
    .unwrap()
}

fn registry(layers: &[serde_json::Value]) -> Result<HostListing, HostError> {
    Ok(HostListing {
        files: oci::read("https://registry.example", &image(layers))?,
        revision: None,
        scope: Scope::Weights,
    })
}

/// Shadows the comparison that may refuse: of files it never does.
fn compare(view: &HostListing, manifest: &Manifest) -> Comparison {
    crate::compare::compare(view, manifest).unwrap()
}

#[test]
fn a_swapped_shard_is_named_with_both_digests() {
    let found = compare(&tree(&[(SHARDS[1], Some(b"other bytes"))]), &release());
    assert_eq!((found.verdict, found.matching, found.of), (HostMatch::Differs, 4, 5));
    let [file] = found.differing.as_slice() else { panic!("{found:?}") };
    assert_eq!(file.path, SHARDS[1]);
    assert_eq!(file.expected, Some(HostDigest::Sha256(FileDigests::of(&content(SHARDS[1])).sha256)));
    assert_eq!(file.found, Some(HostDigest::Sha256(FileDigests::of(b"other bytes").sha256)));
    assert!(found.weights_differ());
    assert!(found.weights.is_some_and(|weights| weights != release().weights_digest()));
}

#[test]
fn an_edited_card_differs_and_the_weights_are_those_of_the_record() {
    let found = compare(&tree(&[("README.md", Some(b"better"))]), &release());
    assert_eq!(found.verdict, HostMatch::Differs);
    assert!(matches!(found.differing.as_slice(), [file] if matches!(file.found, Some(HostDigest::GitSha1(_)))));
    assert!(!found.weights_differ());
    assert_eq!(found.weights, Some(release().weights_digest()));
}

#[test]
fn a_host_without_a_file_lacks_it_and_a_repository_without_any_is_absent() {
    let found = compare(&tree(&[(SHARDS[2], None)]), &release());
    assert_eq!((found.verdict, found.differing.len(), found.weights), (HostMatch::Lacks, 1, None));
    assert_eq!((found.weights_differ(), found.finding()), (false, None), "it serves no other bytes");
    // What a loader would take in the place of the weights that are gone is other weights.
    let replaced = compare(&tree(&[(SHARDS[2], None), ("model.safetensors", Some(b"others"))]), &release());
    assert_eq!((replaced.verdict, replaced.weights_differ()), (HostMatch::Differs, true));
    // A card that was edited hides nothing that is missing.
    let mixed = compare(&tree(&[("config.json", None), ("README.md", Some(b"edited"))]), &release());
    assert_eq!((mixed.verdict, mixed.only_documents_differ(), mixed.missing().count()), (HostMatch::Differs, true, 1));
    let all: Vec<(&str, Option<&[u8]>)> =
        SHARDS.iter().chain(&["config.json", "README.md"]).map(|path| (*path, None)).collect();
    assert_eq!(compare(&tree(&all), &release()).verdict, HostMatch::Absent);
}

#[test]
fn a_host_that_lacks_files_is_signed_as_one_that_has_the_release_no_longer() {
    let signed = |changes: &[(&str, Option<&[u8]>)]| {
        let comparison = compare(&tree(changes), &release());
        let looked = HostCheck { comparison, revision: None, moved_on: false, note: None };
        let place: HostLocation = "https://huggingface.co/acme/tiny".parse().unwrap();
        let subject = LoggedRelease {
            coordinate: "acme.example/tiny@1.0.0#base".parse().unwrap(),
            entry: 3,
            leaf_hash: leaf_hash(b"a release"),
        };
        let now = Timestamp::from_unix_seconds(1_790_000_000).unwrap();
        observation::of(subject, &place, &looked, true, "watch.example".parse().unwrap(), now)
    };
    let lacks = signed(&[(SHARDS[2], None)]);
    assert_eq!((lacks.result, lacks.files.len(), lacks.files[0].found), (Observed::Absent, 1, None));
    assert_eq!(lacks.note.as_ref().unwrap().to_string(), "1 of 5 files are missing, the others are as recorded");
    assert_eq!(lacks.problems(), []);
    // What has other bytes is named before what is missing.
    let differs = signed(&[("README.md", Some(b"edited")), (SHARDS[2], None)]);
    assert_eq!((differs.result, differs.files[0].path.as_str()), (Observed::Differs, "README.md"));
    assert_eq!(differs.problems(), []);
}

#[test]
fn what_is_beyond_the_record_is_listed_and_is_no_difference() {
    let found = compare(&tree(&[("loader.py", Some(b"import os"))]), &release());
    assert_eq!((found.verdict, found.extra), (HostMatch::Match, vec!["loader.py".to_owned()]));
    assert_eq!(found.loadable.iter().map(|file| file.role).collect::<Vec<_>>(), [Role::Code]);
    assert_eq!(found.weights, Some(release().weights_digest()));
}

#[test]
fn a_file_of_the_same_digest_and_another_length_is_not_believed() {
    let mut view = tree(&[]);
    view.files[0].size += 1;
    assert_eq!(compare(&view, &release()).verdict, HostMatch::Differs);
}

#[test]
fn ollama_s_model_layer_is_the_weights() {
    let manifest = manifest(&["tiny.Q4_K_M.gguf", "README.md"]);
    let model = |bytes: &[u8]| layer("application/vnd.ollama.image.model", bytes);
    let rest = [
        layer("application/vnd.ollama.image.template", b"{{ .Prompt }}"),
        layer("application/vnd.ollama.image.params", b"{}"),
        layer("application/vnd.ollama.image.license", b"MIT"),
    ];
    let with = |bytes: &[u8]| registry(&[&[model(bytes)], rest.as_slice()].concat()).unwrap();

    let same = compare(&with(&content("tiny.Q4_K_M.gguf")), &manifest);
    assert_eq!((same.verdict, same.weights, same.extra.len()), (HostMatch::Match, Some(manifest.weights_digest()), 3));

    let other = compare(&with(b"requantized"), &manifest);
    let [file] = other.differing.as_slice() else { panic!("{other:?}") };
    assert_eq!(
        (file.path.as_str(), file.found),
        ("tiny.Q4_K_M.gguf", Some(HostDigest::Sha256(FileDigests::of(b"requantized").sha256)))
    );
    assert_eq!(other.verdict, HostMatch::Differs);

    let more = compare(&registry(&[model(&content("tiny.Q4_K_M.gguf")), model(b"a second one")]).unwrap(), &manifest);
    assert_eq!((more.verdict, more.matching, more.extra.len()), (HostMatch::Match, 1, 1), "what is recorded is there");
    assert_eq!(more.loadable.iter().map(|file| file.role).collect::<Vec<_>>(), [Role::Weights]);
    assert_eq!(compare(&registry(&rest).unwrap(), &manifest).verdict, HostMatch::Absent);
}

#[test]
fn a_layer_that_is_no_weights_never_differs_and_one_of_an_unknown_kind_is_not_compared() {
    let manifest = manifest(&["tiny.gguf", "README.md"]);
    let weights = layer("application/vnd.docker.ai.gguf.v3", &content("tiny.gguf"));
    for kind in [
        "application/vnd.docker.ai.license",
        "application/vnd.docker.ai.chat.template.jinja",
        "application/vnd.docker.ai.vllm.config.tar",
        "application/vnd.cncf.model.weight.config.v1.raw",
        "application/vnd.example.signature.v1+json",
        "application/vnd.oci.image.layer.v1.tar+gzip",
    ] {
        let found = compare(&registry(&[weights.clone(), layer(kind, b"MIT")]).unwrap(), &manifest);
        assert_eq!((found.verdict, found.matching, found.of), (HostMatch::Match, 1, 1), "{kind}");
        assert_eq!(found.extra.len() + found.not_compared.len(), 1, "{kind}");
        // Other weights beside it are other weights.
        let other = layer("application/vnd.docker.ai.gguf.v3", b"requantized");
        let found = compare(&registry(&[other, layer(kind, b"MIT")]).unwrap(), &manifest);
        assert_eq!((found.verdict, found.differing.len()), (HostMatch::Differs, 1), "{kind}");
    }
    // A projector or an adapter beside the recorded weights is beside them, and no difference of theirs.
    for kind in [
        "application/vnd.docker.ai.mmproj",
        "application/vnd.ollama.image.adapter",
        "application/vnd.ollama.image.projector",
    ] {
        let found = compare(&registry(&[weights.clone(), layer(kind, b"more weights")]).unwrap(), &manifest);
        assert_eq!((found.verdict, found.differing.len()), (HostMatch::Match, 0), "{kind}");
        assert_eq!(found.loadable.len() + found.not_compared.len(), 1, "{kind}");
    }
    // Without the weights, an unknown layer may be what they are packed into: neither absent nor different.
    let unknown = layer("application/vnd.example.new.v1", b"?");
    assert!(crate::compare::compare(&registry(&[unknown]).unwrap(), &manifest).is_err());
    let licence = layer("application/vnd.docker.ai.license", b"MIT");
    assert_eq!(compare(&registry(&[licence]).unwrap(), &manifest).verdict, HostMatch::Absent);
}

#[test]
fn what_a_layer_is_the_record_says_and_the_table_of_names_only_of_others() {
    // The record was signed when the table did not know these names, and the other way round.
    let role = |path: &FilePath| match path.as_str() {
        "model.onnx.data" => Role::Other,
        "adapter.custom" => Role::Weights,
        _ => Role::of_path(path),
    };
    let file = |path: &str| {
        let path: FilePath = path.parse().unwrap();
        let FileDigests { size, sha256, git_sha1 } = FileDigests::of(&content(path.as_str()));
        ManifestFile { role: role(&path), path, size, sha256, git_sha1 }
    };
    let paths = ["model.safetensors", "model.onnx.data", "adapter.custom"];
    let manifest = Manifest::new(paths.map(file).to_vec()).unwrap();
    let named = |path: &str, bytes: &[u8]| {
        let mut layer = layer("application/octet-stream", bytes);
        layer["annotations"] = serde_json::json!({ "org.opencontainers.image.title": path });
        layer
    };
    let same = |path: &str| named(path, &content(path));
    let of = |layers: &[serde_json::Value]| compare(&registry(layers).unwrap(), &manifest);
    for (path, role) in [
        ("modeling.py", Role::Code),
        ("adapter_config.json", Role::Config),
        ("chat_template.jinja", Role::ChatTemplate),
        ("config.json", Role::Config),
        ("model.tar.gz", Role::Weights),
    ] {
        for (kind, note) in [
            ("application/octet-stream", "org.opencontainers.image.title"),
            ("application/vnd.cncf.model.code.v1.raw", "org.cncf.model.filepath"),
        ] {
            let mut beside = layer(kind, b"beside");
            beside["annotations"] = serde_json::json!({ note: path });
            let found = of(&[same(paths[0]), same(paths[2]), beside]);
            let listed: Vec<_> = found.loadable.iter().map(|file| (file.path.as_str(), file.role)).collect();
            assert_eq!((found.verdict, listed), (HostMatch::Match, vec![(path, role)]), "{kind}");
        }
    }
    let edited = of(&[same(paths[0]), named(paths[1], b"edited"), same(paths[2])]);
    assert_eq!((edited.verdict, edited.extra), (HostMatch::Match, vec![paths[1].to_owned()]));
    let swapped = of(&[same(paths[0]), same(paths[1]), named(paths[2], b"swapped")]);
    assert_eq!((swapped.verdict, swapped.differing.len()), (HostMatch::Differs, 1));
    let beside = of(&[same(paths[0]), same(paths[2]), named("more.gguf", b"others")]);
    assert_eq!((beside.verdict, beside.loadable.len()), (HostMatch::Match, 1), "the name decides");
    let prose = of(&[same(paths[0]), same(paths[2]), named("more.txt", b"others")]);
    assert_eq!((prose.verdict, prose.loadable.len()), (HostMatch::Match, 0), "the name decides");
}

#[test]
fn an_edited_document_is_no_other_model_and_a_changed_program_is() {
    let only_documents = |path: &str| compare(&tree(&[(path, Some(b"edited"))]), &release()).only_documents_differ();
    assert!(only_documents("README.md"));
    assert!(!only_documents("config.json") && !only_documents(SHARDS[0]));
    assert!(!compare(&tree(&[]), &release()).only_documents_differ());
    let mut files = release().files().to_vec();
    files.iter_mut().filter(|file| file.path.as_str() == SHARDS[2]).for_each(|file| file.role = Role::Other);
    let recorded = Manifest::new(files).unwrap();
    let found = compare(&tree(&[(SHARDS[2], Some(b"edited"))]), &recorded);
    assert!(!found.weights_differ(), "the record's roles say what is weights");
    assert!(!found.only_documents_differ(), "its name says that a loader reads it");
}

#[test]
fn archives_lists_of_images_and_odd_digests_are_not_compared() {
    let archive = layer("application/vnd.cncf.model.weight.v1.tar+gzip", b"x");
    assert!(matches!(registry(&[archive]), Err(HostError::Incomparable { .. })));
    let list = br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;
    assert!(matches!(oci::read("r", list), Err(HostError::Incomparable { .. })));
    let mut odd = layer("application/vnd.ollama.image.model", b"x");
    odd["digest"] = "sha512:00".into();
    assert!(matches!(registry(&[odd]), Err(HostError::Shape { .. })));
    for body in [
        "",
        "{}",
        "[{}]",
        r#"[{"type":"file","path":"a","size":1,"oid":"xyz"}]"#,
        r#"[{"type":"file","path":"a","oid":"","lfs":{"oid":"AB","size":1}}]"#,
    ] {
        assert!(matches!(huggingface::read_page("h", body.as_bytes()), Err(HostError::Shape { .. })), "{body}");
    }
}

#[test]
fn the_next_page_is_asked_of_our_hub_wherever_the_link_leads() {
    let link = r#"<https://huggingface.co/api/models/acme/tiny/tree/abc?recursive=true&cursor=ZXlKa==&limit=1000>; rel="next""#;
    assert_eq!(
        huggingface::next_page(link),
        Some("/api/models/acme/tiny/tree/abc?recursive=true&cursor=ZXlKa==&limit=1000")
    );
    assert_eq!(huggingface::next_page(r#"</b>; rel="prev", </a>; rel="next""#), Some("/a"));
    for none in ["", "<https://x/a>; rel=\"prev\"", "https://x/a; rel=\"next\"", "<nothing>; rel=\"next\""] {
        assert_eq!(huggingface::next_page(none), None, "{none}");
    }
}

#[test]
fn a_place_is_a_type_and_a_locator() {
    let place: HostLocation = "huggingface:https://huggingface.co/acme/tiny".parse().unwrap();
    assert_eq!((place.name.as_str(), place.current.as_deref()), ("acme/tiny", None));
    let place: HostLocation = "https://huggingface.co/acme/tiny/tree/refs/pr/1".parse().unwrap();
    assert_eq!((place.name.as_str(), place.current.as_deref()), ("acme/tiny", Some("refs/pr/1")));
    let place: HostLocation = "ollama:https://ollama.com/tiny:1b-q4".parse().unwrap();
    assert_eq!((place.name.as_str(), place.current.as_deref()), ("library/tiny", Some("1b-q4")));
    assert_eq!(Bases::default().of(&place), "https://registry.ollama.ai");
    let place: HostLocation = "oci://127.0.0.1:5000/acme/tiny:v1".parse().unwrap();
    assert_eq!((place.kind, place.name.as_str(), place.current.as_deref()), (HostType::Oci, "acme/tiny", Some("v1")));
    assert_eq!(Bases::default().of(&place), "https://127.0.0.1:5000");
    for none in [
        "",
        "acme/tiny",
        "https://x.example/a",
        "huggingface:https://huggingface.co",
        "huggingface:https://huggingface.co/../x",
        "huggingface:https://a@huggingface.co/x/y",
        "oci://h/a b",
        "https://huggingface.co/datasets/acme/tiny",
        "https://huggingface.co/spaces/acme/tiny",
        "https://huggingface.co/acme/tiny/README.md",
        "oci:https://hub.docker.com/r/acme/tiny",
    ] {
        assert!(none.parse::<HostLocation>().is_err(), "{none}");
    }
}

#[test]
fn a_pasted_address_is_the_repository_and_says_what_was_cut() {
    for pasted in [
        "https://huggingface.co/acme/tiny/blob/main/README.md",
        "https://huggingface.co/acme/tiny/resolve/main/model.safetensors?download=true",
        "https://huggingface.co/acme/tiny/tree/main/sub",
        "https://hf.co/acme/tiny/raw/main/config.json#L3",
    ] {
        let place: HostLocation = pasted.parse().unwrap();
        assert_eq!((place.name.as_str(), place.current.as_deref()), ("acme/tiny", Some("main")), "{pasted}");
        assert_eq!(place.to_string(), "https://huggingface.co/acme/tiny/tree/main");
        assert!(place.cut_from().is_some(), "{pasted}");
    }
    let place: HostLocation = "huggingface.co/acme/tiny?library=transformers".parse().unwrap();
    assert_eq!(place.to_string(), "https://huggingface.co/acme/tiny");
    let plain: HostLocation = "https://huggingface.co/acme/tiny/".parse().unwrap();
    assert!(plain.cut_from().is_none() && plain.is_same_as(&place));
    // A record keeps its own spelling.
    let recorded =
        HostLocation::new(HostType::Huggingface, "https://huggingface.co/acme/tiny/blob/main/a".parse().unwrap());
    assert_eq!(recorded.unwrap().to_string(), "https://huggingface.co/acme/tiny/blob/main/a");
}

proptest! {
    #[test]
    fn no_text_makes_a_place_panic(text: String, path in "[a-z:/@.?#]{0,40}") {
        let _ = text.parse::<HostLocation>();
        for host in ["https://huggingface.co/", "https://ollama.com/", "oci://h/"] {
            let _ = format!("{host}{path}").parse::<HostLocation>();
        }
    }

    #[test]
    fn no_answer_makes_a_reader_panic(body: Vec<u8>, link: String) {
        let _ = (huggingface::read_page("h", &body), oci::read("o", &body), huggingface::next_page(&link).map(str::len));
    }

    #[test]
    fn a_host_that_lists_what_was_released_matches_in_any_order(seed: u64) {
        let mut view = tree(&[]);
        let length = view.files.len();
        view.files.rotate_left((seed % length as u64) as usize);
        prop_assert_eq!(compare(&view, &release()).verdict, HostMatch::Match);
    }
}
