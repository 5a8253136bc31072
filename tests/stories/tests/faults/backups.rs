//! Is every file of a log what it should be, and would a copy of it be safe to start?
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use std::fs;
use std::path::Path;

use serde_json::Value;
use stele_harness::binaries::Binary;
use stele_harness::command::{Told, run};
use stele_harness::network::{Network, path};
use stele_probe::failure::Step;
use stele_samples::model;
use stele_samples::statements::Speaker;

const UNAVAILABLE: i32 = 9;
const LOCKED: i32 = 11;
const INCONSISTENT: i32 = 12;
const FINDINGS: i32 = 13;

fn fsck(network: &Network, more: &[&str]) -> Step<Told> {
    let (log, policy) = (network.at("log"), network.policy_path());
    let arguments = ["--json", "fsck", path(&log)?, "--policy", path(&policy)?];
    run(Binary::Log, arguments.iter().chain(more))
}

fn verify_backup(network: &Network, copy: &Path) -> Step<Told> {
    let policy = network.policy_path();
    run(Binary::Log, ["--json", "verify-backup", path(copy)?, "--policy", path(&policy)?])
}

/// The finding about a path.
fn finding(report: &Value, path: &str) -> Value {
    let found = report["findings"].as_array().into_iter().flatten().find(|finding| finding["path"] == path);
    found.cloned().unwrap_or_default()
}

fn remove(file: &Path) {
    fs::remove_file(file).unwrap();
}

fn cut(file: &Path) {
    let bytes = fs::read(file).unwrap();
    fs::write(file, &bytes[..bytes.len() / 2]).unwrap();
}

fn flip(file: &Path) {
    model::flip_one_bit(file).unwrap();
}

#[test]
fn every_kind_of_file_is_named_when_it_is_flipped_cut_or_gone_and_what_can_be_is_given_back() -> Step {
    let mut network = Network::start(1, 1)?;
    let speaker = Speaker::new(0)?;
    network.accepted(speaker.claim()?.bytes())?;
    let released = speaker.release("1.0.0", 1)?;
    network.accepted_release(released.statement.bytes(), released.manifest.bytes())?;
    let beside = fsck(&network, &[])?.expect(0)?.json()?;
    assert_eq!((&beside["whole_log"], &beside["root_proven"]), (&false.into(), &true.into()), "{beside}");
    fsck(&network, &["--repair"])?.expect(LOCKED)?;
    network.log.stop()?;

    let whole = fsck(&network, &[])?.expect(0)?.json()?;
    assert_eq!(
        (&whole["whole_log"], &whole["index_proven"], &whole["lookups_checked"]),
        (&true.into(), &true.into(), &true.into())
    );
    assert_eq!(whole["findings"], serde_json::json!([]));
    let size = whole["tree_size"].as_u64().unwrap();
    let manifest = fs::read_dir(network.at("log/data/public/manifests")).unwrap().next().unwrap().unwrap();
    let manifest = format!("public/manifests/{}", manifest.file_name().to_str().unwrap());
    for (name, exit, remedy) in [
        (format!("public/tile/0/000.p/{size}"), FINDINGS, "entries"),
        (format!("public/tile/entries/000.p/{size}"), INCONSISTENT, "copy"),
        ("public/tile/0/000.p/1".to_owned(), FINDINGS, "entries"),
        ("public/tile/entries/000.p/1".to_owned(), FINDINGS, "entries"),
        (manifest, INCONSISTENT, "publisher"),
        ("lock/signed-head".to_owned(), INCONSISTENT, "copy"),
        ("lookup.redb".to_owned(), FINDINGS, "derived"),
    ] {
        let file = network.at("log/data").join(&name);
        let before = fs::read(&file).unwrap();
        for (harm, commit) in [("flipped", flip as fn(&Path)), ("cut", cut), ("gone", remove)] {
            // A partial file of a smaller tree may be gone; and a bit of a database may be one of those that it does not use.
            if (harm == "gone" && name.ends_with(".p/1")) || (harm == "flipped" && remedy == "derived") {
                continue;
            }
            commit(&file);
            let told = fsck(&network, &[])?.expect(exit)?;
            let report = told.json()?;
            assert_eq!(finding(&report, &name)["remedy"], remedy, "{harm} {name}: {report}");
            if exit == FINDINGS {
                let report = fsck(&network, &["--repair"])?.expect(0)?.json()?;
                assert_eq!(finding(&report, &name)["repaired"], true, "{harm} {name}: {report}");
                assert!(remedy == "derived" || fs::read(&file).unwrap() == before, "{harm} {name}");
            } else {
                let report = fsck(&network, &["--repair"])?.expect(exit)?.json()?;
                assert_eq!(finding(&report, &name)["repaired"], false, "{harm} {name}: {report}");
                fs::write(&file, &before).unwrap();
            }
            fsck(&network, &[])?.expect(0)?;
        }
    }
    // The checkpoint: a start has it cosigned again where it is gone, and a person looks at one that is damaged.
    let checkpoint = network.at("log/data/public/checkpoint");
    let before = fs::read(&checkpoint).unwrap();
    for (commit, remedy) in [(flip as fn(&Path), "person"), (cut, "person"), (remove, "start")] {
        commit(&checkpoint);
        let report = fsck(&network, &["--repair"])?.expect(INCONSISTENT)?.json()?;
        assert_eq!(finding(&report, "public/checkpoint")["remedy"], remedy, "{report}");
        fs::write(&checkpoint, &before).unwrap();
    }
    // The key: nothing can be told without it.
    let (key, kept) = (network.at("log/log.key"), network.at("kept.key"));
    fs::copy(&key, &kept).unwrap();
    for commit in [cut as fn(&Path), remove] {
        commit(&key);
        let told = fsck(&network, &[])?;
        assert!(told.code != Some(0) && told.stdout.contains("log.key"), "{}", told.all());
        // With its mode: a key that others may read is refused.
        fs::copy(&kept, &key).unwrap();
    }
    network.start_log()?;
    network.accepted(Speaker::new(1)?.claim()?.bytes()).map(drop)
}

#[test]
fn a_copy_is_safe_to_start_as_long_as_nothing_newer_was_signed() -> Step {
    let mut network = Network::start(3, 2)?;
    network.accepted(Speaker::new(0)?.claim()?.bytes())?;
    network.log.stop()?;
    let copy = network.at("copy");
    model::copy(&network.at("log"), &copy)?;
    let safe = verify_backup(&network, &copy)?.expect(0)?.json()?;
    assert_eq!((&safe["verdict"], &safe["witnesses_asked"]), (&"safe".into(), &true.into()), "{safe}");

    // Its files are whole, and that is all that can be said while the witnesses are down.
    network.witnesses[0].stop()?;
    network.witnesses[1].stop()?;
    let unknown = verify_backup(&network, &copy)?.expect(UNAVAILABLE)?.json()?;
    assert_eq!((&unknown["verdict"], &unknown["error"]), (&"unknown".into(), &"asking-witnesses".into()), "{unknown}");
    network.witnesses[0].start()?;
    network.witnesses[1].start()?;

    // More is signed: the same copy must not be started any more.
    network.start_log()?;
    network.accepted(Speaker::new(1)?.claim()?.bytes())?;
    // The folder of the log that runs is no copy. Nobody who looks at it takes anything away: it goes on without a setback.
    let staged = || -> Vec<String> {
        let listed = fs::read_dir(network.at("log/data/staged")).unwrap();
        listed.map(|file| file.unwrap().file_name().into_string().unwrap()).collect()
    };
    let before = staged().len();
    let told = verify_backup(&network, &network.at("log"))?.expect(LOCKED)?.json()?;
    assert_eq!(told["error"], "locked", "{told}");
    fsck(&network, &[])?.expect(0)?;
    assert!(before > 0 && staged().len() >= before, "{:?}", staged());
    for speaker in 2..8 {
        network.accepted(Speaker::new(speaker)?.claim()?.bytes())?;
    }
    let told = verify_backup(&network, &copy)?.expect(INCONSISTENT)?;
    let older = told.json()?;
    assert_eq!((&older["verdict"], &older["error"]), (&"unsafe".into(), &"unsafe-to-start".into()), "{older}");
    assert!(told.stdout.contains("stele-log adopt"), "{}", told.stdout);
    // One witness that answers and knows is enough.
    network.witnesses[1].stop()?;
    network.witnesses[2].stop()?;
    verify_backup(&network, &copy)?.expect(INCONSISTENT)?;
    Ok(())
}

#[test]
fn a_copy_that_was_made_while_the_log_ran_is_told_from_a_whole_one() -> Step {
    let mut network = Network::start(1, 1)?;
    network.accepted(Speaker::new(0)?.claim()?.bytes())?;
    network.log.stop()?;
    model::copy(&network.at("log"), &network.at("early"))?;
    network.start_log()?;
    network.accepted(Speaker::new(1)?.claim()?.bytes())?;
    network.log.stop()?;
    // The signed head of before with the files of after, and the other way round.
    for (head, files) in [("early", "log"), ("log", "early")] {
        let mixed = network.at(&format!("{head}-head"));
        model::copy(&network.at(files), &mixed)?;
        fs::copy(network.at(&format!("{head}/data/lock/signed-head")), mixed.join("data/lock/signed-head")).unwrap();
        let report = verify_backup(&network, &mixed)?.expect(INCONSISTENT)?.json()?;
        assert_eq!(report["verdict"], "unsafe", "{report}");
        assert_ne!(report["findings"], serde_json::json!([]), "{report}");
    }
    // A copy of the public files, as it is recommended, is none to start, and says what to do with it.
    let public = network.at("public-alone");
    model::copy(&network.at("log"), &public)?;
    fs::remove_dir_all(public.join("data/lock")).unwrap();
    let told = verify_backup(&network, &public)?.expect(INCONSISTENT)?;
    assert!(told.stdout.contains("adopt"), "{}", told.stdout);
    Ok(())
}
