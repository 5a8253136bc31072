//! An auditor reads a whole log: honest ones leave nothing to report, and whatever a log does to its own rules is found, named
//! the same by every auditor, and proven to anybody who has the log's key.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use std::fs;
use std::path::{Path, PathBuf};

use stele_harness::binaries::Binary;
use stele_harness::command::{self, Told};
use stele_harness::lying_log::LyingLog;
use stele_harness::network::{Network, path};
use stele_samples::statements::Speaker;
use stele_spec::entry::IndexEntry;
use stele_spec::hash::IndexRoot;
use stele_spec::key::SecretKey;
use stele_spec::statement::{Action, PublisherClaim, PublisherKey, SignedStatement, Statement, sign};

/// The exit code of an audit that has something to report.
pub(crate) const FINDINGS: i32 = 13;

/// A log in a folder, its policy beside it.
pub(crate) struct Scene {
    home: tempfile::TempDir,
    log: LyingLog,
}

impl Scene {
    pub(crate) fn of(log: LyingLog) -> Self {
        let scene = Self { home: tempfile::tempdir().unwrap(), log };
        scene.write();
        scene
    }

    fn write(&self) {
        self.log.write(&self.at("log")).unwrap();
        fs::write(self.at("policy"), self.log.policy()).unwrap();
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub(crate) fn audit(&self, more: &[&str]) -> Told {
        audit(path(&self.at("log")).unwrap(), &self.at("policy"), more)
    }

    /// Errors that the audit reports: entry and code.
    fn errors(&self, more: &[&str]) -> Vec<(u64, String)> {
        let told = self.audit(&[more, &["--json", "--at-least", "error"]].concat());
        let report = told.json().unwrap();
        let findings = report["findings"].as_array().unwrap();
        assert_eq!(told.code == Some(FINDINGS), !findings.is_empty(), "{}", told.all());
        findings.iter().map(|one| (one["entry"].as_u64().unwrap(), one["code"].as_str().unwrap().to_owned())).collect()
    }

    /// Every file of evidence, verified by somebody who has nothing but the log's key: kind, sentence, accused roles.
    fn convictions(&self, folder: &Path) -> Vec<(String, String, Vec<String>)> {
        let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
        files.retain(|file| file.extension().is_some_and(|extension| extension == "stele-evidence"));
        files.sort();
        files.iter().map(|file| self.conviction(file)).collect()
    }

    fn conviction(&self, file: &Path) -> (String, String, Vec<String>) {
        // A folder with nothing in it: no policy, no log, no network is needed.
        let vkey = self.log.vkey();
        let told = command::run(Binary::Stele, ["--json", "evidence", "verify", path(file).unwrap(), "--vkey", &vkey]);
        let verdict = told.unwrap().expect(0).unwrap().json().unwrap();
        let accused = verdict["accused"].as_array().unwrap();
        let roles = accused.iter().map(|one| one["role"].as_str().unwrap().to_owned()).collect();
        (verdict["kind"].as_str().unwrap().to_owned(), verdict["what"].as_str().unwrap().to_owned(), roles)
    }
}

pub(crate) fn audit(log: &str, policy: &Path, more: &[&str]) -> Told {
    let arguments = ["audit", log, "--policy", path(policy).unwrap()];
    command::run(Binary::Stele, arguments.iter().chain(more)).unwrap()
}

/// A log with a claim at 1 and its index entry at 2.
pub(crate) fn claimed(speaker: &Speaker) -> LyingLog {
    let mut log = LyingLog::new().unwrap();
    log.say(&speaker.claim().unwrap()).unwrap();
    log.index().unwrap();
    log
}

fn code(code: &str) -> String {
    code.to_owned()
}

fn rotated(log: &LyingLog, speaker: &Speaker, previous: u64, to: &SecretKey) -> SignedStatement {
    let Statement::Publisher(claim) = speaker.claim().unwrap().statement().clone() else { panic!("a claim") };
    let change = PublisherClaim {
        action: Action::Rotate,
        keys: vec![PublisherKey::from(to.public())],
        revoked: vec![speaker.key.public().key_id()],
        previous: Some(log.logged(previous).unwrap()),
        ..claim
    };
    sign(&Statement::Publisher(change), &speaker.key).unwrap()
}

#[test]
fn every_auditor_of_a_real_log_writes_the_same_report() {
    let mut network = Network::start(2, 2).unwrap();
    let speaker = Speaker::new(1).unwrap();
    network.accepted(speaker.claim().unwrap().bytes()).unwrap();
    let url = network.log.url().unwrap();
    let policy = network.policy_path();
    let state = network.at("auditor");
    let state = path(&state).unwrap();
    // A name that is claimed is nothing to report.
    audit(&url, &policy, &["--state", state]).expect(0).unwrap();

    for (version, seed) in [("1.0.0", 1), ("1.1.0", 2)] {
        let released = speaker.release(version, seed).unwrap();
        network.accepted_release(released.statement.bytes(), &released.manifest.encode()).unwrap();
    }
    let mirror = network.log_data().join("public");
    let mirror = path(&mirror).unwrap();
    for format in ["text", "json", "sarif"] {
        let fresh = audit(&url, &policy, &["--format", format]);
        let resumed = audit(&url, &policy, &["--format", format, "--state", state]);
        let of_mirror = audit(mirror, &policy, &["--format", format]);
        let of_own_copy = audit(state, &policy, &["--format", format]);
        for other in [&resumed, &of_mirror, &of_own_copy] {
            assert_eq!(fresh.stdout, other.stdout, "{}", other.line);
            assert_eq!(fresh.code, other.code, "{}", other.line);
        }
    }
    // What is said about the log itself, and the sins, are errors of another kind than what a reader might miss.
    let errors = audit(&url, &policy, &["--json"]).json().unwrap();
    for finding in errors["findings"].as_array().unwrap() {
        assert!(!["registration", "index", "manifest"].contains(&finding["mode"].as_str().unwrap()), "{finding}");
    }
    network.stop().unwrap();
    // The mirror is enough: the log is gone.
    audit(mirror, &policy, &["--at-least", "error", "--state", state]);
}

#[test]
fn an_honest_log_of_a_complete_release_leaves_nothing_to_report() {
    let speaker = Speaker::new(1).unwrap();
    let mut log = claimed(&speaker);
    log.release(&speaker.complete_release("1.0.0", 1).unwrap()).unwrap();
    log.index().unwrap();
    let scene = Scene::of(log);
    let evidence = scene.at("evidence");
    let told = scene.audit(&["--evidence", path(&evidence).unwrap()]).expect(0).unwrap();
    assert!(told.stdout.contains("0 errors, 0 warnings, 0 notes"), "{}", told.all());
    assert_eq!(scene.convictions(&evidence), []);
    // What a reader might miss is told, and does not have to be.
    let mut log = scene.log.fork(3).unwrap();
    log.release(&speaker.release("1.0.0", 1).unwrap()).unwrap();
    log.index().unwrap();
    let scene = Scene::of(log);
    let told = scene.audit(&[]).expect(FINDINGS).unwrap();
    assert!(told.stdout.contains("dataset-unpinned"), "{}", told.all());
}

#[test]
fn sarif_has_a_rule_for_every_result() {
    let speaker = Speaker::new(1).unwrap();
    let mut log = claimed(&speaker);
    log.release(&speaker.release("1.0.0", 1).unwrap()).unwrap();
    log.release(&speaker.release("1.0.0", 2).unwrap()).unwrap();
    log.index().unwrap();
    let told = Scene::of(log).audit(&["--format", "sarif"]).expect(FINDINGS).unwrap();
    let sarif = told.json().unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    let run = &sarif["runs"][0];
    let rules: Vec<&str> =
        run["tool"]["driver"]["rules"].as_array().unwrap().iter().map(|rule| rule["id"].as_str().unwrap()).collect();
    let results = run["results"].as_array().unwrap();
    assert!(!results.is_empty());
    for result in results {
        assert!(rules.contains(&result["ruleId"].as_str().unwrap()), "{result}");
        assert!(["note", "warning", "error"].contains(&result["level"].as_str().unwrap()));
        assert!(result["message"]["text"].is_string());
        assert!(result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"].is_string());
    }
}

#[test]
fn a_swap_that_a_log_lets_in_convicts_it_and_the_publisher() {
    let speaker = Speaker::new(1).unwrap();
    let mut log = claimed(&speaker);
    log.release(&speaker.release("1.0.0", 1).unwrap()).unwrap();
    log.index().unwrap();
    let swap = log.release(&speaker.release("1.0.0", 2).unwrap()).unwrap();
    log.index().unwrap();
    let scene = Scene::of(log);
    let evidence = scene.at("evidence");
    let errors = scene.errors(&["--evidence", path(&evidence).unwrap()]);
    assert!(errors.contains(&(swap, code("refused-coordinate-bound"))), "{errors:?}");
    assert!(errors.contains(&(swap, code("weights-differ"))), "{errors:?}");
    let convictions = scene.convictions(&evidence);
    let kinds: Vec<_> = convictions.iter().map(|(kind, _, roles)| (kind.as_str(), roles.clone())).collect();
    assert_eq!(
        kinds,
        [("registration-violated", vec![code("log")]), ("silent-swap", vec![code("log"), code("publisher")])]
    );
    // Another log's key makes nothing of it, and a changed byte proves nothing.
    let file = fs::read_dir(&evidence).unwrap().map(|file| file.unwrap().path()).find(|file| file.is_file()).unwrap();
    let vkey =
        Network::prepare(stele_harness::network::Home::temporary().unwrap(), 0, 0).unwrap().log_vkey().to_owned();
    let told = command::run(Binary::Stele, ["evidence", "verify", path(&file).unwrap(), "--vkey", &vkey]).unwrap();
    told.expect(6).unwrap();
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let changed = scene.at("changed");
    fs::write(&changed, bytes).unwrap();
    let told =
        command::run(Binary::Stele, ["evidence", "verify", path(&changed).unwrap(), "--vkey", &scene.log.vkey()]);
    assert_ne!(told.unwrap().code, Some(0));
}

#[test]
fn a_key_that_was_revoked_and_a_key_that_never_held_the_name_convict_the_log_that_hears_them() {
    let (speaker, stranger) = (Speaker::new(1).unwrap(), Speaker::new(2).unwrap());
    let mut log = claimed(&speaker);
    let rotation = rotated(&log, &speaker, 1, &SecretKey::from_seed([9; 32]));
    log.say(&rotation).unwrap();
    let revoked = log.release(&speaker.release("1.0.0", 1).unwrap()).unwrap();
    let as_if = Speaker { name: speaker.name.clone(), key: stranger.key };
    let impostor = log.release(&as_if.release("2.0.0", 2).unwrap()).unwrap();
    let nobody = Speaker::new(3).unwrap();
    let unclaimed = log.release(&nobody.release("1.0.0", 3).unwrap()).unwrap();
    log.index().unwrap();
    let scene = Scene::of(log);
    let evidence = scene.at("evidence");
    let errors = scene.errors(&["--evidence", path(&evidence).unwrap()]);
    assert_eq!(
        errors,
        [
            (revoked, code("refused-key-revoked")),
            (impostor, code("refused-key-not-held")),
            (unclaimed, code("refused-name-unclaimed"))
        ]
    );
    let mut told: Vec<_> = scene.convictions(&evidence).into_iter().map(|(_, what, _)| what).collect();
    told.sort_by_key(|what| what.rsplit(": ").next().unwrap().to_owned());
    let told: Vec<_> = told.iter().map(|what| what.rsplit(": ").next().unwrap()).collect();
    assert_eq!(told, ["key-not-held", "key-revoked", "name-unclaimed"]);
}

#[test]
fn a_log_that_lets_one_key_speak_for_two_is_convicted() {
    let speaker = Speaker::new(1).unwrap();
    let second = SecretKey::from_seed([9; 32]);
    let mut log = LyingLog::new().unwrap();
    let Statement::Publisher(mut claim) = speaker.claim().unwrap().statement().clone() else { panic!("a claim") };
    claim.keys.push(PublisherKey::from(second.public()));
    (claim.threshold, claim.release_threshold) = (2, Some(2));
    claim.approve(&second).unwrap();
    log.say(&sign(&Statement::Publisher(claim), &speaker.key).unwrap()).unwrap();
    log.index().unwrap();
    // Two keys, then one; then an approval of another release, and one that was used.
    let mut by_two = speaker.complete_release("1.0.0", 1).unwrap();
    let mut said = by_two.statement.statement().clone();
    said.approve(&second).unwrap();
    by_two.statement = sign(&said, &speaker.key).unwrap();
    let honest = log.release(&by_two).unwrap();
    let alone = log.release(&speaker.release("1.1.0", 2).unwrap()).unwrap();
    let mut moved = speaker.release("1.2.0", 3).unwrap();
    let mut other = moved.statement.statement().clone();
    other.take_approval(said.approvals()[0].kid, said.approvals()[0].signature);
    moved.statement = sign(&other, &speaker.key).unwrap();
    let moved = log.release(&moved).unwrap();
    let mut turned = said.without_approvals();
    turned.approve(&speaker.key).unwrap();
    let again = log.say(&sign(&turned, &second).unwrap()).unwrap();
    log.index().unwrap();
    let scene = Scene::of(log);
    let evidence = scene.at("evidence");
    let errors = scene.errors(&["--evidence", path(&evidence).unwrap()]);
    assert!(honest < alone);
    assert_eq!(
        errors,
        [
            (alone, code("refused-approvals-missing")),
            (moved, code("refused-bad-signature")),
            (again, code("refused-approvals-used"))
        ]
    );
    let mut told: Vec<_> = scene
        .convictions(&evidence)
        .into_iter()
        .map(|(kind, what, roles)| {
            assert_eq!((kind.as_str(), roles), ("registration-violated", vec!["log".to_owned()]));
            what.rsplit(": ").next().unwrap().to_owned()
        })
        .collect();
    told.sort();
    assert_eq!(told, ["approvals-missing", "approvals-used", "bad-signature"]);
}

#[test]
fn a_wrong_index_root_is_found_at_its_entry_and_proven() {
    let speaker = Speaker::new(1).unwrap();
    let mut log = claimed(&speaker);
    log.say_bytes(Speaker::new(2).unwrap().claim().unwrap().bytes()).unwrap();
    let position = log.size();
    let lie = IndexEntry { position, root: IndexRoot::from_bytes([7; 32]) };
    log.say_bytes(lie.to_string().as_bytes()).unwrap();
    log.say_bytes(Speaker::new(3).unwrap().claim().unwrap().bytes()).unwrap();
    log.index().unwrap();
    let scene = Scene::of(log);
    let evidence = scene.at("evidence");
    assert_eq!(scene.errors(&["--evidence", path(&evidence).unwrap()]), [(position, code("index-entry-wrong"))]);
    let convictions = scene.convictions(&evidence);
    assert_eq!(convictions.len(), 1);
    assert_eq!((convictions[0].0.as_str(), &convictions[0].2), ("wrong-index-root", &vec![code("log")]));
}

#[test]
fn a_tree_that_does_not_end_with_its_index_is_found_only_while_it_does_not() {
    let mut log = claimed(&Speaker::new(1).unwrap());
    let last = log.say(&Speaker::new(2).unwrap().claim().unwrap()).unwrap();
    let mut scene = Scene::of(log);
    let (state, evidence) = (scene.at("state"), scene.at("evidence"));
    let (state, kept) = (path(&state).unwrap(), path(&evidence).unwrap());
    assert_eq!(scene.errors(&["--state", state, "--evidence", kept]), [(last, code("index-entry-missing"))]);
    assert_eq!(scene.convictions(&evidence).len(), 1);
    scene.log.index().unwrap();
    scene.write();
    assert_eq!(scene.errors(&["--state", state]), []);
    assert_eq!(scene.audit(&["--state", state]).stdout, scene.audit(&[]).stdout);
}

#[test]
fn a_log_that_does_not_begin_with_the_index_of_nothing_is_found_and_proven() {
    let speaker = Speaker::new(1).unwrap();
    let mut log = LyingLog::unbegun().unwrap();
    log.say(&speaker.claim().unwrap()).unwrap();
    log.index().unwrap();
    log.say(&Speaker::new(2).unwrap().claim().unwrap()).unwrap();
    log.index().unwrap();
    let scene = Scene::of(log);
    let evidence = scene.at("evidence");
    assert_eq!(scene.errors(&["--evidence", path(&evidence).unwrap()]), [(0, code("index-entry-missing"))]);
    let convictions = scene.convictions(&evidence);
    assert_eq!(convictions.len(), 1);
    assert_eq!((convictions[0].0.as_str(), &convictions[0].2), ("wrong-index-root", &vec![code("log")]));
}

#[test]
fn garbage_and_an_entry_that_is_there_twice_are_found_and_proven() {
    let speaker = Speaker::new(1).unwrap();
    let mut log = claimed(&speaker);
    let garbage = log.say_bytes(b"\xd2garbage").unwrap();
    let twice = log.say(&speaker.claim().unwrap()).unwrap();
    log.index().unwrap();
    let scene = Scene::of(log);
    let evidence = scene.at("evidence");
    let errors = scene.errors(&["--evidence", path(&evidence).unwrap()]);
    assert_eq!(errors, [(garbage, code("malformed-entry")), (twice, code("duplicate-entry"))]);
    assert_eq!(scene.convictions(&evidence).len(), 2);
}

#[test]
fn a_log_that_rewrites_what_was_audited_is_refused_with_the_proof() {
    let speaker = Speaker::new(1).unwrap();
    let mut log = claimed(&speaker);
    log.say(&Speaker::new(2).unwrap().claim().unwrap()).unwrap();
    log.index().unwrap();
    let mut scene = Scene::of(log);
    let state = scene.at("state");
    let arguments = ["--state", path(&state).unwrap()];
    scene.audit(&arguments).expect(0).unwrap();

    // The same size; then larger; then smaller; and smaller as a mirror may be without malice.
    let mut fork = scene.log.fork(3).unwrap();
    fork.say(&Speaker::new(3).unwrap().claim().unwrap()).unwrap();
    fork.index().unwrap();
    let honest = std::mem::replace(&mut scene.log, fork);
    scene.write();
    let told = scene.audit(&arguments).expect(12).unwrap();
    assert!(told.stdout.is_empty(), "{}", told.all());
    assert_eq!(scene.convictions(&state.join("evidence")).len(), 1);
    scene.log.say(&Speaker::new(4).unwrap().claim().unwrap()).unwrap();
    scene.log.index().unwrap();
    scene.write();
    scene.audit(&arguments).expect(12).unwrap();
    let convictions = scene.convictions(&state.join("evidence"));
    assert_eq!(convictions.iter().map(|(kind, ..)| kind.as_str()).collect::<Vec<_>>(), ["split-view"; 2]);
    scene.log = honest.fork(1).unwrap();
    scene.log.say(&Speaker::new(5).unwrap().claim().unwrap()).unwrap();
    scene.log.index().unwrap();
    scene.write();
    scene.audit(&arguments).expect(12).unwrap();
    assert_eq!(scene.convictions(&state.join("evidence")).len(), 3);
    scene.log = honest.fork(3).unwrap();
    scene.write();
    scene.audit(&arguments).expect(9).unwrap();
    // The honest log is still audited as before.
    scene.log = honest;
    scene.write();
    scene.audit(&arguments).expect(0).unwrap();
}
