//! What happens to the bytes on the way: flipped, swapped, missing, too many, linked.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::Value;
use stele_harness::network::Network;
use stele_harness::publisher::Publisher;
use stele_probe::failure::Step;
use stele_samples::model;
use stele_samples::statements::Speaker;
use stele_spec::policy::Policy;
use stele_spec::proof::{TlogProof, check};

/// A network that has published `model/` and is stopped.
fn published() -> Step<(Network, Publisher)> {
    let mut network = Network::start(2, 2)?;
    let acme = Publisher::new(&network, "acme.example")?;
    let folder = network.at("model");
    acme.release(&folder, "1.0.0", 1)?;
    network.stop()?;
    Ok((network, acme))
}

#[test]
fn a_flipped_bit_is_refused_and_the_file_is_named_with_both_digests() -> Step {
    let (network, acme) = published()?;
    let folder = network.at("model");
    model::flip_one_bit(&folder.join(model::SHARDS[1]))?;
    let told = acme.verify(&folder)?.expect(1)?;
    for word in [model::SHARDS[1], "expected", "found", "hint:"] {
        assert!(told.all().contains(word), "{word}: {}", told.all());
    }
    assert_eq!(acme.verify(&folder.join(model::SHARDS[1]))?.code, Some(1));
    acme.verify(&folder.join(model::SHARDS[0]))?.expect(0)?;
    Ok(())
}

#[test]
fn a_truncated_file_and_one_in_the_place_of_another_are_refused() -> Step {
    let (network, acme) = published()?;
    let folder = network.at("model");
    let (first, second) = (folder.join(model::SHARDS[0]), folder.join(model::SHARDS[1]));
    let bytes = fs::read(&first).unwrap();
    fs::write(&first, &bytes[..bytes.len() - 1]).unwrap();
    acme.verify(&folder)?.expect(1)?;
    fs::write(&first, fs::read(&second).unwrap()).unwrap();
    acme.verify(&folder)?.expect(1)?;
    fs::write(&first, bytes).unwrap();
    acme.verify(&folder)?.expect(0)?;
    Ok(())
}

#[test]
fn a_partial_download_passes_only_for_who_accepts_a_part() -> Step {
    let (network, acme) = published()?;
    let folder = network.at("model");
    fs::remove_file(folder.join(model::SHARDS[1])).unwrap();
    let told = acme.verify(&folder)?.expect(15)?;
    assert!(
        told.all().contains("8 of 9 files match; 1 is missing, 1 file of the weights among them"),
        "{}",
        told.all()
    );
    let told = acme.verify_with(&folder, &["--partial"])?.expect(0)?;
    assert!(told.stdout.contains("8 of 9 files are as"), "{}", told.stdout);
    // All weights gone and a pickle in their place: what a loader would take, nobody signed.
    fs::remove_file(folder.join(model::SHARDS[0])).unwrap();
    fs::write(folder.join("pytorch_model.bin"), b"\x80\x04N.").unwrap();
    let told = acme.verify(&folder)?.expect(15)?;
    for said in ["INCOMPLETE", "all weights among them", "not in the record: pytorch_model.bin"] {
        assert!(told.stdout.lines().next().unwrap().contains(said), "{said}: {}", told.stdout);
    }
    acme.verify_with(&folder, &["--partial"])?.expect(16)?;
    Ok(())
}

#[test]
fn a_file_that_is_not_of_the_release_is_named() -> Step {
    let (network, acme) = published()?;
    let folder = network.at("model");
    // Code, and a pickle that a loader takes before the weights beside it.
    for (name, allowed, content) in
        [("modeling_evil.py", "modeling_*.py", &b"import os\n"[..]), ("pytorch_model.bin", "*.bin", b"\x80\x02}q\x00.")]
    {
        fs::write(folder.join(name), content).unwrap();
        let told = acme.verify(&folder)?.expect(16)?;
        assert!(told.stdout.lines().next().unwrap().contains(name), "{}", told.stdout);
        assert!(told.all().lines().count() <= 8, "{}", told.all());
        acme.verify_with(&folder, &["--allow-extra", allowed])?.expect(0)?;
        fs::remove_file(folder.join(name)).unwrap();
    }
    acme.verify(&folder)?.expect(0)?;
    Ok(())
}

#[test]
fn a_hugging_face_cache_verifies_through_its_links() -> Step {
    let (network, acme) = published()?;
    let commit = "5d3c8a1f0f9e4a3c8e5c6f3d1b2a49788695a4b3";
    let cache = network.at("models--acme--tiny");
    let snapshot = cache.join("snapshots").join(commit);
    for folder in [cache.join("blobs"), cache.join("refs"), snapshot.clone()] {
        fs::create_dir_all(folder).unwrap();
    }
    fs::write(cache.join("refs/main"), commit).unwrap();
    for (number, entry) in fs::read_dir(network.at("model")).unwrap().enumerate() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), cache.join(format!("blobs/{number:040}"))).unwrap();
        symlink(format!("../../blobs/{number:040}"), snapshot.join(entry.file_name())).unwrap();
    }
    let told = acme.verify(&snapshot)?.expect(0)?;
    assert!(told.stdout.contains("all 9 files are as acme.example released them"), "{}", told.stdout);

    let blob = snapshot.join(model::SHARDS[0]).canonicalize().unwrap();
    model::flip_one_bit(&blob)?;
    acme.verify(&snapshot)?.expect(1)?;
    Ok(())
}

#[test]
fn evidence_that_was_tampered_with_is_never_accepted() -> Step {
    let (network, acme) = published()?;
    let bundle = network.at("model/release.stele");
    let good = fs::read(&bundle).unwrap();
    for at in [0, 10, good.len() / 4, good.len() / 2, good.len() * 3 / 4, good.len() - 10] {
        let mut bad = good.clone();
        bad[at] ^= 1;
        fs::write(&bundle, bad).unwrap();
        let told = acme.verify(&network.at("model"))?;
        assert!(!matches!(told.code, Some(0) | None | Some(70)), "{}", told.failure(&format!("byte {at}")));
        assert!(told.stderr.contains("hint:"), "{}", told.failure("every error has a hint"));
    }
    fs::write(&bundle, &good[..good.len() / 2]).unwrap();
    acme.verify(&network.at("model"))?.expect(7)?;
    Ok(())
}

#[test]
fn a_silent_swap_is_answered_with_the_entry_that_stands_and_its_proof() -> Step {
    let network = Network::start(3, 2)?;
    let speaker = Speaker::new(1)?;
    network.accepted(speaker.claim()?.bytes())?;
    let first = speaker.release("1.0.0", 1)?;
    let index = network.accepted_release(first.statement.bytes(), first.manifest.bytes())?;

    let swapped = speaker.release("1.0.0", 2)?;
    let answer = network.submit_release(swapped.statement.bytes(), swapped.manifest.bytes())?.expect(409)?;
    assert_eq!(answer.error_code()?, "coordinate-bound");
    let existing = answer.json()?["existing"].clone();
    assert_eq!(existing["index"], Value::from(index));
    let policy = Policy::parse(network.policy().as_bytes()).unwrap();
    let proof = TlogProof::parse(existing["proof"].as_str().unwrap().as_bytes()).unwrap();
    let proven = check(&proof, first.statement.bytes(), &policy).unwrap();
    assert_eq!(proven.position(), index);

    // The same weights again, in another statement or the same, are no swap; other weights as another version are none.
    assert_eq!(network.accepted(first.statement.bytes())?, index);
    let next = speaker.release("1.0.1", 2)?;
    assert!(network.accepted_release(next.statement.bytes(), next.manifest.bytes())? > index);
    Ok(())
}
