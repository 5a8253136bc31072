//! A publisher drafts, completes, publishes; a small log in this process answers.

#[path = "publish/refused.rs"]
mod refused;

use std::os::unix::fs::PermissionsExt as _;

use crate::common::publishing::{decide, draft, publish, served};
use crate::common::{FILES, stele};

#[test]
fn a_draft_is_refused_while_a_decision_is_open_and_each_line_is_named() {
    let (world, _served) = served();
    draft(&world).ok().says(&["decisions left", "replace each value that begins with DECIDE"]);
    let drafted = world.model().join("release.toml").display().to_string();
    stele(&["inspect", &drafted]).ok().says(&["a release that is not signed yet", "`stele publish`", " open"]);
    assert_eq!(stele(&["inspect", &drafted, "--json"]).ok().json()["kind"], "release-toml");
    publish(&world, &["--claim"]).fails(7, &["decisions are open", "open: line", "DECIDE", "hint: replace each value"]);
    draft(&world).fails(7, &["exists already", "hint: it may hold decisions"]);
}

#[test]
fn a_name_that_nobody_claimed_needs_the_word_claim() {
    let (world, served) = served();
    draft(&world).ok();
    decide(&world);
    publish(&world, &[]).fails(8, &["nobody has claimed acme.example", "hint: publish with --claim"]);
    assert_eq!(served.log.lock().unwrap().entries.len(), 1);
}

#[test]
fn a_release_goes_from_draft_to_verified_and_again_to_the_same_entry() {
    let (world, served) = served();
    draft(&world).ok();
    decide(&world);
    publish(&world, &["--claim"])
        .ok()
        .says(&["published acme.example/tiny@1.0#base", "entry           2 of log log.example/stele"]);
    world.verify(&[]).ok().says(&["5 of 5 files, all match"]);

    // A retry signs the same bytes: the log has no new entry.
    let entries = served.log.lock().unwrap().entries.len();
    std::fs::remove_file(world.model().join("release.stele")).unwrap();
    let json = publish(&world, &["--json"]).ok().json();
    assert_eq!(json["entry"], 2);
    assert_eq!(served.log.lock().unwrap().entries.len(), entries);
    let claim = [
        "claim",
        "acme.example",
        "--key",
        &world.at("publisher.pem").display().to_string(),
        "--policy",
        &world.at("policy").display().to_string(),
    ]
    .map(str::to_owned);
    stele(&claim.each_ref().map(String::as_str)).ok().says(&["already claimed", "entry 1, proven under the policy"]);

    // The silent swap: other weights under the same coordinate.
    world.write("model.safetensors", b"\x38\x00\x00\x00\x00\x00\x00\x00{\"w\":{\"dtype\":\"U8\",\"shape\":[13],\"data_offsets\":[0,13]}} other weights");
    let bound = stele_spec::statement::SignedStatement::parse(&served.log.lock().unwrap().entries[2]).unwrap();
    let bound = bound.statement().weights_digest().unwrap().to_string();
    publish(&world, &[]).fails(
        8,
        &[
            "is bound to weights",
            &bound,
            "expected:",
            "found:",
            "existing: entry 2",
            "proven under the policy",
            "hint:",
        ],
    );

    // A log that refuses because of another entry has not shown why it refuses.
    // Ours is not seen before it is sent.
    served.log.lock().unwrap().hidden.push(2);
    served.log.lock().unwrap().lies_about = Some(1);
    publish(&world, &[])
        .fails(9, &["expected: the release that stands in the way", "found: entry 1, publisher of acme.example"]);

    // Nobody else speaks under the name.
    std::fs::remove_file(world.at("publisher.pem")).unwrap();
    stele(&["key", "new", world.at("publisher.pem").to_str().unwrap()]).ok();
    publish(&world, &["--claim"]).fails(8, &["does not hold acme.example", "expected:", "found:"]);
}

#[test]
fn a_log_below_its_quorum_is_asked_again_and_in_the_end_given_up() {
    let (world, served) = served();
    draft(&world).ok();
    decide(&world);
    let key = world.at("publisher.pem");
    stele(&["claim", "acme.example", "--key", key.to_str().unwrap(), "--log", &served.url])
        .ok()
        .says(&["claimed", "not verified"]);
    let broken = world.at("broken");
    std::fs::write(&broken, "witness\n").unwrap();
    let claim = ["claim", "acme.example", "--key", key.to_str().unwrap(), "--log", &served.url];
    stele(&[&claim[..], &["--policy", broken.to_str().unwrap()]].concat()).fails(6, &["is not a trust policy"]);
    // A log that answers below the quorum of our policy convinces nobody, and nothing is written.
    served.log.lock().unwrap().cosigning = 1;
    publish(&world, &[]).fails(4, &["at least 2 cosignatures"]);
    assert!(!world.model().join("release.stele").exists());
    served.log.lock().unwrap().cosigning = 3;
    *served.unwell.lock().unwrap() = 2;
    let ran = publish(&world, &[]).ok();
    assert_eq!(ran.err.matches("trying again for 60 seconds").count(), 1, "{ran:?}");

    *served.unwell.lock().unwrap() = 100;
    publish(&world, &["--wait", "1s"]).fails(4, &["answers 503"]);
}

#[test]
fn a_claim_whose_answer_was_lost_is_made_again_without_harm() {
    let (world, served) = served();
    let key = world.at("publisher.pem").display().to_string();
    let other = world.at("other.pem").display().to_string();
    stele(&["key", "new", &other]).ok();
    let public = world.at("other.pub").display().to_string();
    std::fs::write(&public, stele(&["key", "show", &other]).ok().out).unwrap();
    let (policy, receipt) = (world.at("policy").display().to_string(), world.at("claim.stele").display().to_string());
    let claim = ["claim", "acme.example", "--key", &key, "--policy", &policy];
    stele(&claim).ok().says(&["acme.example claimed by key"]);
    // The answer did not come, and the log's lookups do not have the claim yet. What is claimed now is another statement.
    served.log.lock().unwrap().hidden = vec![1];
    let again = [&claim[..], &["--with", &public, "--output", &receipt]].concat();
    let ran = stele(&again).ok().says(&["already claimed by key", "entry 1, proven under the policy", "claim.stele"]);
    assert!(ran.err.contains("is no key of the name"), "the other key was never added: {ran:?}");
    assert_eq!(stele(&[&again[..], &["--json"]].concat()).ok().json()["new"], false);
    stele(&["show", &receipt, "--policy", &policy]).ok().says(&["claim", "1 of log"]);
    // By the log's word alone too, where there is no policy; a receipt needs one.
    let alone = ["claim", "acme.example", "--key", &key, "--log", &served.url, "--with", &public];
    stele(&alone).ok().says(&["already claimed", "not verified"]);
    stele(&[&alone[..], &["--output", &receipt]].concat()).fails(6, &["policy"]);
    // Another key is refused as before.
    stele(&["claim", "acme.example", "--key", &other, "--policy", &policy]).fails(8, &["acme.example"]);
    stele(&["claim", "acme.example", "--key", &other, "--log", &served.url]).fails(8, &["claimed"]);
    assert_eq!(served.log.lock().unwrap().entries.len(), 2, "nothing more is in the log");
    // The same by `publish --claim`.
    draft(&world).ok();
    decide(&world);
    publish(&world, &["--claim"]).ok();
    assert_eq!(served.log.lock().unwrap().entries.len(), 3, "the release alone was added");
}

#[test]
fn a_card_that_names_another_licence_is_said_before_anything_is_sent() {
    let (world, served) = served();
    world.write("README.md", b"---\nlicense: cc-by-nc-4.0\n---\n# Tiny\n");
    draft(&world).ok();
    decide(&world);
    let form = world.model().join("release.toml");
    let text = std::fs::read_to_string(&form).unwrap();
    let said = text
        .replace("spdx = \"CC-BY-NC-4.0\"", "spdx = \"Apache-2.0\"")
        .replace("use_restricted = true", "use_restricted = false");
    std::fs::write(&form, said).unwrap();
    let expected = "license-named-other: README.md names cc-by-nc-4.0 as the licence, and the release says Apache-2.0";
    let ran = publish(&world, &["--claim", "--dry-run"]).ok();
    assert!(format!("{}{}", ran.out, ran.err).contains(expected), "{ran:?}");
    assert_eq!(served.log.lock().unwrap().entries.len(), 1);
    let ran = publish(&world, &["--claim"]).ok();
    assert!(format!("{}{}", ran.out, ran.err).contains(expected), "{ran:?}");
    world.verify(&[]).ok().says(&[expected]);
}

#[test]
fn a_bundle_of_another_version_is_written_over_only_on_request() {
    let (world, served) = served();
    draft(&world).ok();
    decide(&world);
    publish(&world, &["--claim"]).ok();
    let bundle = world.model().join("release.stele");
    let first = std::fs::read(&bundle).unwrap();
    let entries = served.log.lock().unwrap().entries.len();
    let path = world.model().join("release.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let newer = text.replace("\"1.0\"", "\"1.1\"");
    assert_ne!(text, newer);
    std::fs::write(&path, newer).unwrap();
    publish(&world, &[]).fails(
        7,
        &["holds the bundle of acme.example/tiny@1.0#base, and acme.example/tiny@1.1#base is about to be published"],
    );
    assert_eq!(std::fs::read(&bundle).unwrap(), first);
    assert_eq!(served.log.lock().unwrap().entries.len(), entries);
    publish(&world, &["--replace-bundle"]).ok().says(&["published acme.example/tiny@1.1#base"]);
    assert_ne!(std::fs::read(&bundle).unwrap(), first);
}

#[test]
fn a_bundle_that_cannot_be_written_once_the_log_has_answered_is_kept_and_named() {
    let (world, served) = served();
    draft(&world).ok();
    decide(&world);
    let state = world.at("state");
    let (model, key, policy) = (world.model(), world.at("publisher.pem"), world.at("policy"));
    let arguments = [&model, &key, &policy].map(|path| path.to_str().unwrap());
    let arguments = ["publish", arguments[0], "--key", arguments[1], "--policy", arguments[2], "--claim"];
    crate::common::stele_with(
        &arguments,
        &[("STELE_STATE", state.to_str().unwrap()), ("STELE_FAULT", "full:rename:release.stele:1")],
    )
    .fails(10, &["the release is entry 2 of the log", "entry: 2", "bundle: ", "copy it beside the weights"]);
    let entries = served.log.lock().unwrap().entries.len();
    let kept: Vec<_> = std::fs::read_dir(state.join("bundles")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(kept.len(), 1);
    world.verify(&["--bundle", kept[0].to_str().unwrap()]).ok().says(&["all match"]);

    publish(&world, &[]).ok().says(&["entry           2 of log"]);
    assert_eq!(served.log.lock().unwrap().entries.len(), entries);
    world.verify(&[]).ok().says(&["all match"]);
}

#[test]
fn a_draft_says_what_the_folder_says() {
    let (world, _served) = served();
    let header = br#"{"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}"#;
    let mut weights = (header.len() as u64).to_le_bytes().to_vec();
    weights.extend(header);
    weights.extend([0; 24]);
    world.write("model.safetensors", &weights);
    world.write(
        "README.md",
        b"---\nlicense: cc-by-nc-4.0\nbase_model: elder/base\npipeline_tag: text-generation\ntags:\n- tiny\n---\n",
    );
    world.write("config.json", br#"{"architectures":["LlamaForCausalLM"],"model_type":"llama\n[model]\nx=1"}"#);
    std::fs::remove_file(world.model().join("LICENSE")).unwrap();
    let model = world.model();
    let text = stele(&["draft", model.to_str().unwrap(), "--publisher", "acme.example", "-o", "-"]).ok().says(&[
        "parameters = 6 # from model.safetensors",
        "architecture = \"LlamaForCausalLM\"",
        "spdx = \"CC-BY-NC-4.0\"",
        "use_restricted = true",
        "from_scratch = false",
        "purl = \"pkg:huggingface/elder/base\"",
        "modalities = [\"text\"]",
        "name = \"DECIDE: the model's name",
        "# tags of the model card: tiny",
    ]);
    assert!(text.out.parse::<toml::Table>().is_ok(), "{}", text.out);
    assert!(!model.join("release.toml").exists());
    assert_eq!(FILES.len(), 5);
}

#[test]
fn a_publish_that_is_killed_at_any_step_leaves_no_file_of_the_release_and_the_next_one_gives_the_bundle() {
    for rule in ["release.toml", "release.stele"] {
        for (action, op) in [
            ("kill-after", "create"),
            ("kill", "sync"),
            ("kill", "rename"),
            ("kill-after", "rename"),
            ("kill", "sync-dir"),
        ] {
            let (world, served) = served();
            draft(&world).ok();
            decide(&world);
            let (model, key, policy) = (world.model(), world.at("publisher.pem"), world.at("policy"));
            let fault = format!("{action}:{op}:{rule}:1");
            let arguments = [
                "publish",
                model.to_str().unwrap(),
                "--key",
                key.to_str().unwrap(),
                "--policy",
                policy.to_str().unwrap(),
                "--claim",
            ];
            let killed = crate::common::stele_with(&arguments, &[("STELE_FAULT", &fault)]);
            assert_eq!(killed.code, 137, "{fault}: {}", killed.err);
            let entries = served.log.lock().unwrap().entries.len();
            publish(&world, &["--claim"]).ok();
            world.verify(&[]).ok().says(&["5 of 5 files, all match"]);
            let left: Vec<_> = std::fs::read_dir(&model)
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .filter(|name| name.starts_with('.'))
                .collect();
            assert!(left.is_empty(), "{fault}: {left:?}");
            let now = served.log.lock().unwrap().entries.len();
            assert!(entries == now || entries == 1, "{fault}: the same bytes are the same entry");
        }
    }
}

#[test]
fn a_key_that_was_rotated_here_is_known_to_be_revoked_without_the_log() {
    let (world, _served) = served();
    draft(&world).ok();
    decide(&world);
    let [key, next, policy] = ["publisher.pem", "next.pem", "policy"].map(|name| world.at(name).display().to_string());
    let state = world.at("state");
    let here = |arguments: &[&str]| crate::common::stele_remembering(arguments, Some(&state));
    here(&["publish", world.model().to_str().unwrap(), "--key", &key, "--policy", &policy, "--claim"]).ok();
    let before = world.verify(&[]).ok();
    assert!(!before.out.contains("revoked"), "{}", before.out);
    stele(&["key", "new", &next]).ok();
    let rotate = ["keys", "rotate", "acme.example", "--new", &next, "--old", &key, "--key", &key, "--policy", &policy];
    let receipt = world.at("rotated.stele").display().to_string();
    here(&[&rotate[..], &["--reason", "laptop lost", "--output", &receipt]].concat()).ok();
    world.verify(&[]).ok().says(&["signed by a key that was revoked later, at entry 3: laptop lost"]);
    // What others keep says it too: an export, and the bundle by itself once it is renewed.
    let model = world.model().display().to_string();
    for form in ["in-toto", "cyclonedx", "spdx3"] {
        let document = here(&["export", &model, "--as", form, "--policy", &policy]).ok().out;
        assert!(document.contains("keys_revoked") && document.contains("laptop lost"), "{form}: {document}");
    }
    here(&["fetch", &model, "--policy", &policy]).ok();
    world.verify(&["--no-state"]).ok().says(&["signed by a key that was revoked later, at entry 3: laptop lost"]);
}

#[test]
fn what_names_a_key_and_is_none_or_another_is_told_as_that() {
    let (world, _served) = served();
    draft(&world).ok();
    decide(&world);
    let [key, next, policy] = ["publisher.pem", "next.pem", "policy"].map(|name| world.at(name).display().to_string());
    let state = world.at("state");
    let here = |arguments: &[&str]| {
        let more = ["--key", &key, "--policy", &policy];
        crate::common::stele_remembering(&[arguments, &more].concat(), Some(&state))
    };
    here(&["publish", world.model().to_str().unwrap(), "--claim"]).ok();
    stele(&["key", "new", &next]).ok();
    let other = stele(&["key", "show", &next, "--json"]).ok().json()["key_id"].as_str().unwrap().to_owned();
    let revoke = |old: &str| here(&["keys", "revoke", "acme.example", "--old", old, "--reason", "Lost.", "--dry-run"]);
    // The signer is right, and the key that is to go is not the name's: by its file, and by its id in capitals.
    for old in [&next, &other, &other.to_uppercase()] {
        revoke(old).fails(8, &[&format!("--old {other} is no key of acme.example"), "stele keys list", "expected:"]);
    }
    revoke(&other[..8]).fails(7, &["a key id has 64 hex digits, found 8"]);
    // What is no key is no secret, and nobody is sent to look for one.
    std::fs::write(world.at("rsa.pub"), "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQC7 me@host\n").unwrap();
    for (file, said) in [("rsa.pub", "that is not Ed25519"), ("model/LICENSE", "no PEM")] {
        let file = world.at(file).display().to_string();
        let ran = here(&["keys", "add", "acme.example", "--new", &file, "--dry-run"]).fails(7, &[said, "Ed25519"]);
        assert!(!ran.err.contains("secret key:") && !ran.err.contains("chmod"), "{}", ran.err);
    }
    stele(&["key", "new", "-"]).fails(2, &["- names none", "./-"]);
    stele(&["key", "new", "--encrypt", world.at("new.pem").to_str().unwrap()])
        .fails(2, &["the new key", "is to be encrypted, and no passphrase was given"]);
    let none = here(&["keys", "add", "acme.example", "--new", &next, "--threshold", "0", "--dry-run"]);
    assert!(none.code != 0 && !none.err.contains("release.toml and publish"), "{}", none.err);
}

#[test]
fn two_at_once_do_not_give_one_release_two_times() {
    let (world, served) = served();
    draft(&world).ok();
    decide(&world);
    let before = std::fs::read(world.model().join("release.toml")).unwrap();
    let other = std::fs::File::open(world.model()).unwrap();
    other.try_lock().unwrap();
    publish(&world, &["--claim"]).fails(11, &["another process holds", "hint:"]);
    assert_eq!(std::fs::read(world.model().join("release.toml")).unwrap(), before);
    assert_eq!(served.log.lock().unwrap().entries.len(), 1);
    drop(other);
    publish(&world, &["--claim"]).ok();
}
