//! Manifests of C2PA in files of a model: what they claim is said, and that nobody checked it; the digest that is verified is that of the whole file.

use std::fs;

use stele_spec::hash::Digest;

use crate::common::{World, stele};

/// What c2pa-python 0.38.1 signed, in a file by c2pa-ml 0.2.0; and alone.
const SAFETENSORS: &[u8] = include_bytes!("../../../c2pa/vectors/tiny.safetensors");
const STORE: &[u8] = include_bytes!("../../../c2pa/vectors/tiny.c2pa");

fn released(path: &str, content: &[u8]) -> World {
    let mut world = World::new();
    world.write(path, content);
    let bundle = world.bundle_with(path, content);
    world.write_bundle(&bundle);
    world
}

#[test]
fn a_released_file_says_what_its_manifest_claims_and_which_digest_is_whose() {
    let world = released("tiny.safetensors", SAFETENSORS);
    let whole = Digest::of(SAFETENSORS).to_string();
    let page = world.verify(&[]).ok().says(&[
        "tiny.safetensors carries a C2PA manifest (4292 bytes of it); its signature was NOT CHECKED, and it says of itself: claim generator \"acme-trainer 3.1\", title \"tiny.safetensors\"",
        "NOT CHECKED",
        &format!("SHA-256 of the file with it    {whole}, by which releases name it"),
        "it has the hash of this content",
    ]);
    assert_eq!(page.out.matches("C2PA manifest").count(), 1, "{page:?}");
    let json = world.verify(&["--json", "--verbose"]).ok().json();
    let carried = &json["c2pa"][0];
    assert_eq!((&carried["sha256"], &carried["is_of_this_content"]), (&whole.into(), &true.into()));
    assert_ne!(carried["sha256"], carried["sha256_without"]);
    assert!(world.verify(&["--json"]).ok().json()["c2pa"].is_null());

    // Other weights under the same manifest, released so: the bytes are those of the record, and the manifest is not of them.
    let mut other = SAFETENSORS.to_vec();
    *other.last_mut().unwrap() ^= 1;
    released("tiny.safetensors", &other).verify(&[]).ok().says(&["the hash of OTHER CONTENT"]);
    // What is not read is said, and is no error.
    let at = SAFETENSORS.windows(8).position(|window| window == b"AAAMkmp1").unwrap();
    let broken = [&SAFETENSORS[..at], b"!", &SAFETENSORS[at + 1..]].concat();
    released("tiny.safetensors", &broken).verify(&[]).ok().says(&["which is not read: expected Base64"]);
}

#[test]
fn a_manifest_beside_a_model_is_a_file_of_the_release_that_nobody_loads() {
    let world = released("tiny.c2pa", STORE);
    world.verify(&[]).ok().says(&[
        "6 of 6 files, all match",
        "tiny.c2pa is a C2PA manifest (3218 bytes)",
        "NOT CHECKED",
    ]);
    // One that nobody recorded changes no verdict.
    let world = World::released();
    world.write("more.c2pa", STORE);
    world.verify(&[]).ok().says(&["more.c2pa"]);
    let draft = World::new();
    draft.write("tiny.c2pa", STORE);
    let drafted = crate::common::publishing::draft(&draft).ok();
    assert!(!drafted.err.contains("tiny.c2pa"), "{drafted:?}");
}

#[test]
fn a_file_is_inspected_for_the_manifest_that_it_carries() {
    let world = World::new();
    let place = |name: &str, content: &[u8]| {
        fs::write(world.at(name), content).unwrap();
        world.at(name).to_str().unwrap().to_owned()
    };
    let with = place("with.safetensors", SAFETENSORS);
    stele(&["inspect", &with]).ok().says(&["a model in safetensors", "acme-trainer 3.1", "without it", "NOT CHECKED"]);
    let json = stele(&["inspect", &with, "--json"]).ok().json();
    assert_eq!((&json["kind"], &json["c2pa"]["format"]), (&"model-file".into(), &"safetensors".into()));
    let bare = world.model().join("model.safetensors").to_str().unwrap().to_owned();
    stele(&["inspect", &bare]).ok().says(&["it carries no manifest"]);
    assert!(stele(&["inspect", &bare, "--json"]).ok().json()["c2pa"].is_null());
    let store = place("store.c2pa", STORE);
    stele(&["inspect", &store]).ok().says(&["a manifest store of C2PA", "title \"tiny.safetensors\""]);
    let cut = place("cut.c2pa", &STORE[..100]);
    stele(&["inspect", &cut]).ok().says(&["which is not read: expected one superbox"]);
}
