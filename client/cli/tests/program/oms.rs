//! OpenSSF Model Signing: what we sign is verified, what a tool of others signed as well, and nothing else is.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use crate::common::{World, stele};

const P256: &str = include_str!("../../../oms/vectors/signer.pem");
const P256_PUBLIC: &str = include_str!("../../../oms/vectors/signer.pub");
/// Without its public half.
const P256_ALONE: &str = include_str!("../../../../spec/vectors/foreign/openssl/p256-private.pem");
const ED25519: &str = include_str!("../../../../spec/vectors/foreign/openssl/ed25519-private.pem");
/// What model_signing 1.1.1 wrote for one file, and its key.
const OF_THE_TOOL: &[u8] = include_bytes!("../../../oms/vectors/one.sig");
const KEY_OF_THE_TOOL: &str = include_str!("../../../oms/vectors/key.pub");

fn key(world: &World, name: &str, pem: &str) -> String {
    let path = world.at(name);
    fs::write(&path, pem).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path.to_str().unwrap().to_owned()
}

/// A model that is signed: its world, its folder, the file of the signature and the public key.
fn signed() -> (World, String, PathBuf, String) {
    let world = World::new();
    let model = world.model().to_str().unwrap().to_owned();
    let secret = key(&world, "signer.pem", P256);
    let made = stele(&["oms", "sign", &model, "--key", &secret, "--json"]).ok().json();
    assert_eq!(made["signed"], 5);
    let signature = world.model().join("model.sig");
    assert_eq!(made["written"][0], signature.to_str().unwrap());
    stele(&["oms", "sign", &model, "--key", &secret]).fails(7, &["exists already", "--signature"]);
    let public = key(&world, "signer.pub", P256_PUBLIC);
    (world, model, signature, public)
}

#[test]
fn a_model_is_signed_and_verified_and_each_way_to_differ_has_its_code() {
    let (world, model, signature, public) = signed();
    let verify = ["oms", "verify", &model, "--public-key", &public];
    let said = stele(&verify).ok();
    said.says(&["verified  all 5 files", "in no log"]);
    let json = stele(&[&verify[..], &["--json"]].concat()).ok().json();
    assert_eq!(
        (&json["matching"], &json["logged"], &json["ignored"][0]),
        (&5.into(), &false.into(), &"model.sig".into())
    );

    world.write("modeling_tiny.py", b"import os");
    stele(&verify).fails(16, &["1 file here was not signed", "--ignore-path"]);
    stele(&[&verify[..], &["--ignore-path", "modeling_tiny.py"]].concat()).ok();
    stele(&[&verify[..], &["--ignore-unsigned-files"]].concat()).ok();
    stele(&[&verify[..], &["--ignore-path", "../x"]].concat()).fails(7, &["cannot be left aside"]);
    fs::remove_file(world.model().join("modeling_tiny.py")).unwrap();

    let config = world.model().join("config.json");
    fs::rename(&config, world.at("config.json")).unwrap();
    stele(&verify).fails(15, &["1 of the signed files is missing"]);
    std::os::unix::fs::symlink(world.at("config.json"), &config).unwrap();
    stele(&verify).fails(7, &["symbolic link"]);
    stele(&[&verify[..], &["--allow-symlinks"]].concat()).ok();
    fs::remove_file(&config).unwrap();
    fs::write(&config, "{}").unwrap();
    let differs = stele(&[&verify[..], &["--json"]].concat());
    assert_eq!((differs.code, &differs.json()["differing"][0]["path"]), (1, &"config.json".into()));
    fs::remove_file(&config).unwrap();
    fs::rename(world.at("config.json"), &config).unwrap();

    let bundle = fs::read(&signature).unwrap();
    let at = bundle.iter().rposition(|byte| *byte == b'M').unwrap();
    let flipped = [&bundle[..at], b"N", &bundle[at + 1..]].concat();
    fs::write(&signature, flipped).unwrap();
    assert!(matches!(stele(&verify).code, 5 | 7));
    fs::write(&signature, "{}").unwrap();
    stele(&verify).fails(7, &["mediaType"]);
    fs::write(&signature, bundle).unwrap();
    stele(&verify).ok();
}

#[test]
fn what_the_tool_signed_is_verified_under_its_key_alone() {
    let (world, _, _, other) = signed();
    let (file, signature) = (world.at("config.json"), world.at("one.sig"));
    fs::write(&file, "{\"model_type\":\"tiny\"}\n").unwrap();
    fs::write(&signature, OF_THE_TOOL).unwrap();
    let public = key(&world, "tool.pub", KEY_OF_THE_TOOL);
    let verify = |public: &str| {
        stele(&[
            "oms",
            "verify",
            file.to_str().unwrap(),
            "--signature",
            signature.to_str().unwrap(),
            "--public-key",
            public,
        ])
    };
    verify(&public).ok().says(&["verified  all 1 file"]);
    verify(&other).fails(5, &["another key", "e02d411896738a7a63fbf0f29656757c9233cc9749efb2f538271d6f08993381"]);
    fs::write(&file, "{\"model_type\":\"tiny\"}").unwrap();
    verify(&public).fails(1, &["other bytes"]);
}

#[test]
fn a_signature_is_no_record_and_verify_says_so() {
    let (world, model, signature, public) = signed();
    let hint = stele(&["oms", "verify", &model, "--public-key", &public, "--json"]).ok().json()["key"]["hint"].clone();
    let hint = hint.as_str().unwrap();
    let policy = world.at("policy");
    let verify = ["verify", &model, "--policy", policy.to_str().unwrap()];
    stele(&verify)
        .fails(3, &["model.sig says that it is signed by the key", hint, "in no log", "stele oms verify", "--oms-key"]);
    fs::write(&signature, "{}").unwrap();
    let bare = stele(&verify);
    assert!(bare.fails(3, &["no release.stele"]).err.find("model.sig").is_none());
}

#[test]
fn keys_and_signatures_that_are_not_read_are_refused_with_what_to_do() {
    let (world, model, signature, public) = signed();
    let ed25519 = key(&world, "ed25519.pem", ED25519);
    let place = world.at("new.sig");
    let sign = ["oms", "sign", &model, "--signature", place.to_str().unwrap(), "--key"];
    stele(&[&sign[..], &[&ed25519]].concat()).fails(7, &["an Ed25519 key", "openssl genpkey"]);
    stele(&[&sign[..], &[&public]].concat()).fails(7, &["a public one"]);
    let alone = key(&world, "alone.pem", P256_ALONE);
    stele(&[&sign[..], &[&alone]].concat()).fails(7, &["with its public half", "openssl ec"]);
    let secret = world.at("signer.pem");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o644)).unwrap();
    stele(&[&sign[..], &[secret.to_str().unwrap()]].concat()).fails(7, &["chmod 600"]);
    assert!(!place.exists());
    let verify = ["oms", "verify", &model, "--public-key"];
    stele(&[&verify[..], &[secret.to_str().unwrap()]].concat()).fails(7, &["a secret one", "-pubout"]);
    let certificate = key(&world, "cert.pem", "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n");
    stele(&[&verify[..], &[&certificate]].concat()).fails(7, &["found a certificate", "--root"]);
    let bundle = fs::read_to_string(&signature).unwrap();
    fs::write(&signature, bundle.replace("\"publicKey\"", "\"certificate\"")).unwrap();
    stele(&[&verify[..], &[&public]].concat()).fails(7, &["Sigstore identity", "model_signing verify sigstore"]);
}
