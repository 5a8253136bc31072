//! A reader remembers what a log showed it, and finds out a log that shows something else.

use crate::common::{Log, Ran, Served, World, stele};
use stele_spec::key::SecretKey;
use stele_spec::misbehaviour::{Kind, KnownKeys, Misbehaviour};
use stele_spec::policy::Policy;

/// The file that a failure says it wrote.
fn evidence(ran: &Ran) -> Misbehaviour {
    let line = ran.err.lines().find_map(|line| line.trim().strip_prefix("evidence: ")).unwrap();
    Misbehaviour::parse(&std::fs::read(line).unwrap_or_else(|error| panic!("{line}: {error}"))).unwrap()
}

/// What everybody who knows the log's keys is shown by it.
fn known(world: &World) -> KnownKeys {
    KnownKeys::of_policy(&Policy::parse(world.log.policy(None, 2).as_bytes()).unwrap())
}

/// A world in which one release is known, and another log of the same key with other entries.
fn forked() -> (World, World) {
    let honest = World::released();
    let mut other = World::new();
    other.log.push(b"something that the others do not see".to_vec());
    let bundle = other.bundle(&SecretKey::from_seed([50; 32]));
    other.write_bundle(&bundle);
    (honest, other)
}

#[test]
fn two_heads_of_one_size_with_two_roots_are_a_fork_and_no_server_is_needed_to_see_it() {
    let (mut honest, mut other) = forked();
    honest.verify(&[]).ok();
    honest.verify(&[]).ok();
    // The other history at the same size.
    honest.log.push(b"one more".to_vec());
    let release = other.log.entries.len() - 2;
    let bundle = std::fs::read(other.model().join("release.stele")).unwrap();
    let mut parsed = stele_spec::bundle::Bundle::parse(&bundle).unwrap();
    parsed.proof = honest.log.proof(2);
    parsed.keys[0].proof = honest.log.proof(1);
    parsed.statement = honest.log.entries[2].clone();
    honest.write_bundle(&parsed);
    honest.verify(&[]).ok();

    assert_eq!(release, 3);
    honest.write("release.stele", &bundle);
    let ran = honest.verify(&[]).fails(
        12,
        &[
            "this log shows two histories",
            "seen before: size 5, root",
            "shown now: size 5, root",
            "hint: rely on nothing",
        ],
    );
    assert!(ran.out.starts_with("NOT VERIFIED  ") && ran.out.lines().count() == 1, "{ran:?}");
    // Anyone who has the log's key is convinced by it.
    let verdict = evidence(&ran).check(&known(&honest)).unwrap();
    assert_eq!(
        (verdict.kind, verdict.what.as_str()),
        (Kind::SplitView, "log.example/stele signed two trees of 5 entries")
    );
    assert_eq!(honest.verify(&["--json"]).json()["error"], "log-forked");
    // Anyone who remembers nothing sees nothing.
    honest.verify(&["--no-state"]).ok();
    // What was proven once is not forgotten because a bundle looks well.
    honest.write_bundle(&parsed);
    honest.verify(&[]).fails(12, &["holds proof that the log lied", "signed two trees of 5 entries", "evidence: "]);
    assert_eq!(honest.verify(&["--json"]).json()["error"], "log-convicted");
    other.log.push(Vec::new());
}

#[test]
fn an_older_bundle_is_normal() {
    let mut world = World::released();
    let old = std::fs::read(world.model().join("release.stele")).unwrap();
    world.log.push(b"one more".to_vec());
    let mut bundle = stele_spec::bundle::Bundle::parse(&old).unwrap();
    bundle.proof = world.log.proof(2);
    world.write_bundle(&bundle);
    world.verify(&[]).ok();
    world.write("release.stele", &old);
    world.verify(&[]).ok().says(&["seen a newer tree head of the log", "size 5"]);
}

#[test]
fn an_older_head_than_one_seen_before_is_stale_and_no_evidence() {
    let mut world = World::released();
    world.log.push(b"one more".to_vec());
    let mut bundle =
        stele_spec::bundle::Bundle::parse(&std::fs::read(world.model().join("release.stele")).unwrap()).unwrap();
    let old = bundle.clone();
    bundle.proof = world.log.proof(2);
    world.write_bundle(&bundle);
    world.verify(&[]).ok();

    // A served log that lost its last entry.
    let mut lost = Log::new(1);
    world.log.entries[1..4].iter().for_each(|entry| {
        lost.push(entry.clone());
    });
    let served = Served::start(lost);
    world.write_bundle(&old);
    // It may be a cache that is behind: that is no crime, and no evidence is written. The verdict without it is there.
    world
        .verify(&["--online", "--log", &served.url])
        .fails(
            9,
            &[
                "the log (or a cache in front of it) served an older checkpoint",
                "expected: a tree of at least 5 entries",
                "found: a tree of 4 entries",
            ],
        )
        .says(&["5 of 5 files, all match"]);
    assert!(!world.at("state/evidence").exists());
    assert_eq!(world.verify(&["--no-hash", "--online", "--log", &served.url]).code, 9);
    // Who has seen nothing newer is content.
    world.verify(&["--online", "--log", &served.url, "--no-state"]).ok().says(&["asked now"]);
}

#[test]
fn a_log_that_rewrote_its_history_is_refused_with_the_root_it_has_now() {
    let (honest, mut other) = forked();
    honest.verify(&[]).ok();
    other.log.push(b"and it grew".to_vec());
    let served = Served::start(std::mem::replace(&mut other.log, Log::new(1)));
    let ran = honest
        .verify(&["--online", "--log", &served.url])
        .fails(12, &["two histories", "seen before: size 4", "shown now: size 6", "which begins with: root"]);
    let verdict = evidence(&ran).check(&known(&honest)).unwrap();
    assert!(verdict.what.contains("signed a tree of 6 entries that does not begin with the 4"), "{}", verdict.what);
    // Also where nothing is remembered: the bundle has a head of its own.
    honest
        .verify(&["--online", "--log", &served.url, "--no-state"])
        .fails(12, &["two histories", "evidence: not written"]);
}

#[test]
fn a_memory_that_cannot_be_used_stops_only_whoever_asked_for_it() {
    let world = World::released();
    let (model, policy) = (world.model(), world.at("policy"));
    let arguments = ["verify", model.to_str().unwrap(), "--policy", policy.to_str().unwrap()];
    stele(&arguments).ok();
    std::fs::write(world.at("state"), b"a file where the folder belongs").unwrap();
    world.verify(&[]).fails(10, &["state", "--no-state"]);
    world.verify(&["--no-state"]).ok();
    // What was damaged is set aside, with words.
    std::fs::remove_file(world.at("state")).unwrap();
    world.verify(&[]).ok();
    let logs = std::fs::read_dir(world.at("state/heads")).unwrap().flatten().next().unwrap().path();
    std::fs::write(logs.join("4"), b"damaged").unwrap();
    let ran = world.verify(&[]).ok();
    assert!(ran.err.contains("is damaged: its signatures do not hold"), "{}", ran.err);
    assert_eq!(std::fs::read(logs.join("4.damaged")).unwrap(), b"damaged");
    assert_eq!(world.verify(&[]).ok().err, "");
}

#[test]
fn a_bit_that_flips_in_a_remembered_head_accuses_nobody() {
    let world = World::released();
    world.verify(&[]).ok();
    let logs = std::fs::read_dir(world.at("state/heads")).unwrap().flatten().next().unwrap().path();
    let head = logs.join("4");
    let bytes = std::fs::read(&head).unwrap();
    let root = bytes.iter().position(|byte| *byte == b'4').unwrap() + 2;
    let mut said = 0;
    for at in (root..root + 44).chain((0..bytes.len()).step_by(7)) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1;
        std::fs::write(&head, flipped).unwrap();
        let ran = world.verify(&["--no-hash"]);
        assert_eq!(ran.code, 0, "byte {at}: {ran:#?}");
        said += usize::from(ran.err.contains("is damaged"));
    }
    assert!(said >= 44, "{said}");
    assert!(!world.at("state/evidence").exists());
    // A head of another size under this name is none of this size.
    std::fs::rename(&head, logs.join("9")).unwrap();
    let ran = world.verify(&["--no-hash"]).ok();
    assert!(ran.err.contains("9.damaged"), "{}", ran.err);
}

#[test]
fn two_heads_of_one_size_in_one_bundle_are_a_fork() {
    let (mut honest, other) = forked();
    honest.log.push(b"one more".to_vec());
    let bundle = std::fs::read(other.model().join("release.stele")).unwrap();
    let mut bundle = stele_spec::bundle::Bundle::parse(&bundle).unwrap();
    // The release is in one history of five entries, the claim in the other.
    bundle.keys[0].proof = honest.log.proof(1);
    honest.write_bundle(&bundle);
    honest.verify(&["--no-state"]).fails(12, &["two histories", "evidence: not written"]);
    let ran = honest.verify(&[]).fails(12, &["two histories", "seen before: size 5", "shown now: size 5"]);
    assert_eq!(evidence(&ran).check(&known(&honest)).unwrap().kind, Kind::SplitView);
    assert_eq!(honest.verify(&["--json"]).json()["error"], "log-forked");
    let file = honest.model().join("model.safetensors");
    let policy = honest.at("policy");
    let ran = stele(&[
        "resolve",
        file.to_str().unwrap(),
        "--bundle",
        honest.model().join("release.stele").to_str().unwrap(),
        "--policy",
        policy.to_str().unwrap(),
    ]);
    ran.fails(12, &["two tree heads of 5 entries"]);
}

#[test]
fn heads_of_key_statements_are_remembered_and_linked_too() {
    let (honest, mut other) = forked();
    // The claim's proof rests on an older head of the other history; the release's on one that this log has as well.
    let old = honest.log.proof(1);
    let mut bundle =
        stele_spec::bundle::Bundle::parse(&std::fs::read(other.model().join("release.stele")).unwrap()).unwrap();
    bundle.keys[0].proof = old;
    honest.write_bundle(&bundle);
    honest.verify(&[]).ok();
    other.log.push(b"and it grew".to_vec());
    let served = Served::start(std::mem::replace(&mut other.log, Log::new(1)));
    honest
        .verify(&["--online", "--log", &served.url])
        .fails(12, &["two histories", "seen before: size 4", "which begins with: root"]);
    honest.verify(&["--online", "--log", &served.url, "--no-state"]).fails(12, &["two histories"]);
}

#[test]
fn a_head_that_takes_the_place_of_a_damaged_one_is_linked_anew() {
    let (mut honest, other) = forked();
    // Five entries of the honest history are seen and linked.
    honest.log.push(b"one more".to_vec());
    let mut bundle =
        stele_spec::bundle::Bundle::parse(&std::fs::read(honest.model().join("release.stele")).unwrap()).unwrap();
    let old = bundle.clone();
    bundle.proof = honest.log.proof(2);
    honest.write_bundle(&bundle);
    let (policy, mut log) = (honest.at("policy"), Log::new(1));
    for entry in &honest.log.entries[1..] {
        log.push(entry.clone());
    }
    log.push(b"and more".to_vec());
    let served = Served::start(log);
    honest.verify(&["--online", "--log", &served.url]).ok();
    // The head of five is damaged here, and one of the other history comes to its place.
    let logs = std::fs::read_dir(honest.at("state/heads")).unwrap().flatten().map(|entry| entry.path());
    let folder = logs.into_iter().find(|path| path.is_dir()).unwrap();
    std::fs::write(folder.join("5"), b"damaged").unwrap();
    let forked = std::fs::read(other.model().join("release.stele")).unwrap();
    honest.write("release.stele", &forked);
    honest.verify(&["--policy", policy.to_str().unwrap()]).ok();
    // Asked about the honest release again, the log's tiles contradict what was seen.
    honest.write_bundle(&old);
    honest.verify(&["--online", "--log", &served.url]).fails(12, &["two histories"]);
}
