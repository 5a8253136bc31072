//! A release and a signature of OpenSSF Model Signing: one names the other, both are about the same files, and neither is a file of the other.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use crate::common::publishing::{decide, draft, publish, served};
use crate::common::{Served, World, stele};

const SECRET: &str = include_str!("../../../oms/vectors/signer.pem");
const PUBLIC: &str = include_str!("../../../oms/vectors/signer.pub");
const KEY_OF_OTHERS: &str = include_str!("../../../oms/vectors/key.pub");

/// A draft that is decided, a log, and the keys of a signer: `signer.pem`, `signer.pub` and `others.pub`.
fn signer() -> (World, Served, String) {
    let (world, served) = served();
    draft(&world).ok();
    decide(&world);
    for (name, text) in [("signer.pem", SECRET), ("signer.pub", PUBLIC), ("others.pub", KEY_OF_OTHERS)] {
        fs::write(world.at(name), text).unwrap();
        fs::set_permissions(world.at(name), fs::Permissions::from_mode(0o600)).unwrap();
    }
    let key = place(&world, "signer.pem");
    (world, served, key)
}

fn place(world: &World, name: &str) -> String {
    world.at(name).to_str().unwrap().to_owned()
}

fn signature(world: &World) -> PathBuf {
    world.model().join("model.sig")
}

#[test]
fn a_release_names_the_signature_of_its_files_and_who_changes_either_is_found() {
    let (world, served, key) = signer();
    let rehearsed = publish(&world, &["--claim", "--oms", &key, "--dry-run"]).ok();
    rehearsed.says(&["model.sig", "would be signed and written", "another one each time"]);
    assert!(!signature(&world).exists());
    let made = publish(&world, &["--claim", "--oms", &key, "--json"]).ok().json();
    let named = &made["model_signature"];
    assert_eq!((&named["signed"], &named["bundle"]), (&5.into(), &made["weights"]["oms_bundle"]));
    assert_eq!(named["root"], made["weights"]["oms_root"]);
    let signed = fs::read(signature(&world)).unwrap();

    // The same files, and what the release adds lies beside them: others verify it, and the release has no file more.
    let (public, model) = (place(&world, "signer.pub"), world.model().to_str().unwrap().to_owned());
    stele(&["oms", "verify", &model, "--public-key", &public]).ok().says(&["verified  all 5 files"]);
    let verified =
        world.verify(&[]).ok().says(&["5 of 5 files, all match", "the one that the record names", "all 5 files"]);
    assert!(verified.out.contains("as it says itself: --oms-key KEY checks that"), "{verified:?}");
    assert!(!verified.out.contains("not in record"), "{verified:?}");
    let json = world.verify(&["--oms-key", &public, "--json"]).ok().json();
    let found = &json["model_signature"];
    assert_eq!((&found["key_verified"], &found["agrees"], &found["signed"]), (&true.into(), &true.into(), &5.into()));
    assert_eq!(found["bundle"], found["recorded_bundle"]);
    world.verify(&["--oms-key", &public]).ok().says(&["by the holder of the key"]);
    world
        .verify_briefly(&world.model(), &["--oms-key", &public])
        .ok()
        .says(&["signed          model.sig, all 5 files"]);
    world.verify(&["--oms-key", &place(&world, "others.pub")]).fails(5, &["another key"]);
    world
        .verify_path(&world.model().join("config.json"), &["--oms-key", &public])
        .ok()
        .says(&["by the holder of the key"]);

    // Published again, with the option or without it, it is the entry that it is.
    let entries = served.log.lock().unwrap().entries.len();
    for options in [&["--oms", &key, "--json"][..], &["--json"]] {
        let again = publish(&world, options).ok().json();
        assert_eq!((&again["new"], &again["weights"]), (&false.into(), &made["weights"]));
    }
    assert_eq!(served.log.lock().unwrap().entries.len(), entries);
    assert_eq!(fs::read(signature(&world)).unwrap(), signed);

    // A record that names it, and none here: said, and no error.
    fs::remove_file(signature(&world)).unwrap();
    world.verify(&[]).ok().says(&["not here; the record names one of SHA-256"]);
    world.verify(&["--oms-key", &public]).fails(5, &["there is no signature to verify"]);
    // Another one by the same key, of the same files: the record names the other.
    stele(&["oms", "sign", &model, "--key", &key]).ok();
    assert_ne!(fs::read(signature(&world)).unwrap(), signed);
    let other = world.verify(&["--json"]).fails_json(1, "oms-bundle-differs");
    assert_eq!(other["verdict"], "not-verified");
    world.verify(&["--no-hash"]).fails(1, &["is not the signature that the record names"]);
    publish(&world, &["--oms", &key]).fails(8, &["differs: weights.oms_bundle"]);
    fs::write(signature(&world), &signed).unwrap();
    world.verify(&[]).ok();
}

#[test]
fn a_folder_that_is_signed_between_two_publications_is_the_same_release() {
    let (world, _served, key) = signer();
    let before = publish(&world, &["--claim", "--json"]).ok().json();
    stele(&["oms", "sign", world.model().to_str().unwrap(), "--key", &key]).ok();
    let after = publish(&world, &["--json"]).ok().json();
    assert_eq!((&after["entry"], &after["new"]), (&before["entry"], &false.into()));
    let verified = world.verify(&[]).ok();
    verified.says(&["5 of 5 files, all match", "not named by the record; signs all 5 files; by the key"]);
    // It is not in the record, and a coordinate is released once.
    publish(&world, &["--oms", &key]).fails(8, &["differs: weights.oms_bundle", "differs: weights.oms_root"]);
    // What lies there and is no signature, or one of other files, says nothing against the release; what a loader takes does.
    fs::write(signature(&world), "{}").unwrap();
    world.verify(&[]).ok().says(&["not named by the record; not read:"]);
    fs::write(signature(&world), b"GGUF\x03").unwrap();
    world.verify(&[]).fails(16, &["model.sig"]);
}

#[test]
fn a_release_that_has_a_model_sig_among_its_files_goes_on_to_be_that_release() {
    // As every release was made before the name was left aside.
    let mut world = World::new();
    world.write("model.sig", b"{}");
    let bundle = world.bundle_with("model.sig", b"{}");
    world.write_bundle(&bundle);
    world.verify(&[]).ok().says(&["6 of 6 files, all match"]);
    world.write("model.sig", b"{ }");
    world.verify(&[]).fails(1, &["differ"]);
    fs::remove_file(signature(&world)).unwrap();
    world.verify(&[]).fails(15, &["missing"]);
}

#[test]
fn a_signature_of_others_is_taken_where_it_is_of_the_files_and_of_the_key() {
    let (world, served, key) = signer();
    let elsewhere = place(&world, "theirs.sig");
    let model = world.model().to_str().unwrap().to_owned();
    let (public, others) = (place(&world, "signer.pub"), place(&world, "others.pub"));
    stele(&["oms", "sign", &model, "--key", &key, "--signature", &elsewhere]).ok();
    let take = |key: &str, more: &[&str]| {
        publish(&world, &[&["--claim", "--oms-bundle", &elsewhere, "--oms-key", key][..], more].concat())
    };
    take(&others, &[]).fails(5, &["another key"]);
    publish(&world, &["--oms-bundle", &elsewhere]).fails(2, &["--oms-key"]);
    publish(&world, &["--oms-bundle", &elsewhere, "--oms-key", &public, "--oms", &key])
        .fails(2, &["cannot be used with"]);
    // Other files than were signed.
    let config = fs::read(world.model().join("config.json")).unwrap();
    world.write("config.json", b"{}");
    take(&public, &[]).fails(1, &["other bytes of config.json"]);
    world.write("config.json", &config);
    world.write("modeling_tiny.py", b"import os");
    take(&public, &[]).fails(1, &["leaves out modeling_tiny.py of the release, which a loader takes"]);
    fs::remove_file(world.model().join("modeling_tiny.py")).unwrap();
    // Something else where it goes.
    fs::write(signature(&world), "mine").unwrap();
    take(&public, &[]).fails(7, &["is there already", "move it away"]);
    publish(&world, &["--claim", "--oms", &key]).fails(7, &["is there already"]);
    fs::remove_file(signature(&world)).unwrap();
    assert_eq!(served.log.lock().unwrap().entries.len(), 1);

    let taken = take(&public, &["--json"]).ok().json();
    assert_eq!(fs::read(signature(&world)).unwrap(), fs::read(&elsewhere).unwrap());
    assert_eq!(taken["model_signature"]["bundle"], taken["weights"]["oms_bundle"]);
    world.verify(&["--oms-key", &public]).ok().says(&["the one that the record names"]);
}

#[test]
fn a_digest_that_the_form_names_by_hand_is_held_against_what_lies_there() {
    let (world, _served, key) = signer();
    let form = world.model().join("release.toml");
    let text = fs::read_to_string(&form).unwrap();
    stele(&["oms", "sign", world.model().to_str().unwrap(), "--key", &key]).ok();
    fs::write(&form, format!("{text}\n[weights]\noms_bundle = \"{}\"\n", "0".repeat(64))).unwrap();
    publish(&world, &["--claim"]).fails(1, &["is not the signature that the record names"]);
    publish(&world, &["--claim", "--oms", &key]).fails(1, &["is not the signature that the record names"]);
    fs::write(&form, format!("{text}\n[weights]\noms_root = \"{}\"\n", "0".repeat(64))).unwrap();
    publish(&world, &["--claim", "--oms", &key]).fails(1, &["root digest"]);
}

#[test]
fn a_signed_folder_without_a_record_is_never_verified_whoever_signed_it() {
    let (world, _served, key) = signer();
    let model = world.model().to_str().unwrap().to_owned();
    stele(&["oms", "sign", &model, "--key", &key]).ok();
    world.verify(&[]).fails(3, &["says that it is signed by the key", "which was not checked, in no log", "--oms-key"]);
    let public = place(&world, "signer.pub");
    world.verify(&["--oms-key", &public]).fails(3, &["the holder of the key", "signed these files", "in no log"]);
    world.verify(&["--oms-key", &place(&world, "others.pub")]).fails(5, &["another key"]);
    world.write("config.json", b"{}");
    world.verify(&["--oms-key", &public]).fails(1, &["other bytes"]);
    fs::remove_file(signature(&world)).unwrap();
    world.verify(&["--oms-key", &public]).fails(3, &["no release.stele"]);
}
