//! A log whose index is wrong is not cosigned, and where the policy asks for an index cosigner nothing of it is believed.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use std::fs;
use std::time::Duration;

use stele_harness::binaries::Binary;
use stele_harness::command;
use stele_harness::index_cosigner::IndexCosigner;
use stele_harness::network::{Home, Network, ORIGIN, path};
use stele_harness::process::poll;
use stele_probe::failure::Step;
use stele_probe::http::{self, Answer};
use stele_samples::statements::Speaker;
use stele_spec::checkpoint::{Checkpoint, Origin, sign_checkpoint};
use stele_spec::entry::{Entry, IndexEntry};
use stele_spec::hash::IndexRoot;
use stele_spec::index::{Index, Listing};
use stele_spec::indexcosigner::{AddTransition, OldTree};
use stele_spec::merkle::{ConsistencyProof, Frontier, leaf_hash};
use stele_spec::note::{KeyType, SignedNote, SignerKey, VerifierKey};
use stele_spec::policy::Policy;
use stele_spec::transition::TransitionProof;

/// How long a log may take to be published again.
const SOON: Duration = Duration::from_secs(60);

/// The head that an index cosigner cosigned last, if any.
fn cosigned(cosigner: &IndexCosigner, origin: &Origin) -> Option<Checkpoint> {
    let page = format!("/index/{}/checkpoint", origin.digest());
    let answer = http::get(cosigner.server.address().ok()?, &page).ok()?;
    Checkpoint::parse(SignedNote::parse(&answer.body).ok()?.text()).ok()
}

fn post(cosigner: &IndexCosigner, body: &[u8]) -> Step<Answer> {
    http::post(cosigner.server.address()?, "/index/add-transition", "application/octet-stream", body)
}

/// The policy of a network, and an index cosigner that it asks for as well.
fn policy(network: &Network, cosigner: &IndexCosigner) -> Step<String> {
    let text = network.policy().replace("quorum witnesses\n", "");
    let line = cosigner.policy_line()?;
    Ok(format!("{text}{line}group both all witnesses indexer\nquorum both\n"))
}

fn published(network: &Network) -> Checkpoint {
    let note = network.get("/checkpoint").unwrap().expect(200).unwrap();
    Checkpoint::parse(SignedNote::parse(&note.body).unwrap().text()).unwrap()
}

#[test]
fn nothing_is_published_before_the_index_cosigner_has_checked_it_and_one_that_was_away_is_caught_up() -> Step {
    let mut network = Network::prepare(Home::temporary()?, 1, 1)?;
    network.start_witnesses()?;
    let mut cosigner = IndexCosigner::init(network.home(), "indexer", ORIGIN, network.log_vkey())?;
    cosigner.server.start()?;
    fs::write(network.policy_path(), policy(&network, &cosigner)?).unwrap();
    let config = network.at("log/log.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("{text}\n[limits]\nquorum_seconds = 1\n")).unwrap();
    network.log.start()?;
    network.wait_until_well()?;
    let origin: Origin = ORIGIN.parse().unwrap();
    for number in 0..3 {
        network.accepted(Speaker::new(number)?.claim()?.bytes())?;
    }
    let head = published(&network);
    assert_eq!(cosigned(&cosigner, &origin).unwrap(), head);
    assert!(!cosigner.server.messages().contains("ERROR"), "{}", cosigner.server.messages());

    // It is away: witnesses alone are not enough, and readers are shown what was checked.
    cosigner.server.kill();
    let refused = network.submit(Speaker::new(3)?.claim()?.bytes())?;
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert_eq!(published(&network), head);

    // Started anew it knows one tree head, and needs no more.
    let state = cosigner.folder.join("index/state").join(origin.digest().to_string());
    assert!(fs::metadata(&state).unwrap().len() < 8192);
    cosigner.server.start()?;
    fs::write(network.policy_path(), policy(&network, &cosigner)?).unwrap();
    let log = rustix::process::Pid::from_raw(network.log.pid()? as i32).unwrap();
    rustix::process::kill_process(log, rustix::process::Signal::HUP).unwrap();
    let further = || (published(&network).size() > head.size()).then_some(());
    poll(SOON, "a log that is published further", further)
        .map_err(|failure| network.log.failure(&failure.to_string()))?;
    network.accepted(Speaker::new(3)?.claim()?.bytes())?;
    assert_eq!(cosigned(&cosigner, &origin).unwrap(), published(&network));

    // A new one, which knows nothing, is brought every step since the first entry.
    cosigner.server.kill();
    fs::remove_dir_all(&cosigner.folder).unwrap();
    cosigner = IndexCosigner::init(network.home(), "indexer", ORIGIN, network.log_vkey())?;
    cosigner.server.start()?;
    fs::write(network.policy_path(), policy(&network, &cosigner)?).unwrap();
    network.log.kill();
    network.log.start()?;
    network.wait_until_well()?;
    network.accepted(Speaker::new(4)?.claim()?.bytes())?;
    assert_eq!(cosigned(&cosigner, &origin).unwrap(), published(&network));
    cosigner.server.stop()?;
    network.stop()
}

#[test]
fn a_replaying_cosigner_checks_by_the_copy_beside_it_and_reads_that_again_after_a_start() -> Step {
    let mut network = Network::start(1, 1)?;
    for number in 0..3 {
        network.accepted(Speaker::new(number)?.claim()?.bytes())?;
    }
    let url = network.log.url()?;
    let mut cosigner = IndexCosigner::replaying(network.home(), "indexer", ORIGIN, network.log_vkey(), &url)?;
    let listed = command::run(Binary::Witness, ["logs", "list", path(&cosigner.folder)?])?.expect(0)?.stdout;
    assert!(listed.contains("  its index is cosigned\n  by replaying the copy\n"), "{listed}");
    let origin: Origin = ORIGIN.parse().unwrap();
    for round in 0..2 {
        cosigner.server.start()?;
        let address = cosigner.server.address()?;
        let copied = || {
            let head = http::get(address, &format!("/mirror/{}/checkpoint", origin.digest())).ok()?;
            (head.status == 200).then_some(())
        };
        poll(SOON, "a copy", copied)?;
        fs::write(network.policy_path(), policy(&network, &cosigner)?).unwrap();
        let log = rustix::process::Pid::from_raw(network.log.pid()? as i32).unwrap();
        rustix::process::kill_process(log, rustix::process::Signal::HUP).unwrap();
        let before = published(&network);
        network.accepted(Speaker::new(10 + round)?.claim()?.bytes())?;
        let cosigned_now = || {
            let head = published(&network);
            (head.size() > before.size() && cosigned(&cosigner, &origin).as_ref() == Some(&head)).then_some(())
        };
        poll(SOON, "a head that the index cosigner cosigned", cosigned_now)
            .map_err(|failure| cosigner.server.failure(&failure.to_string()))?;
        let health = http::get(cosigner.server.address()?, "/healthz")?.expect(200)?.text();
        let health: serde_json::Value = serde_json::from_str(&health).unwrap();
        assert_eq!(health["index"][0]["problem"], serde_json::Value::Null, "{health}");
        cosigner.server.stop()?;
    }
    network.stop()
}

/// A log that signs whatever it is told, and brings its steps by hand.
struct ByHand {
    signer: SignerKey,
    index: Index,
    tree: Frontier,
    /// Before the last entry, and what that states.
    old: Option<OldTree>,
}

/// What a log brings.
struct Brought {
    note: SignedNote,
    old: Option<OldTree>,
    entries: Vec<Vec<u8>>,
    transition: Option<TransitionProof>,
}

impl ByHand {
    fn new(origin: &str) -> Self {
        let signer = SignerKey::new(origin.parse().unwrap(), KeyType::Log, [66; 32]);
        Self { signer, index: Index::new(), tree: Frontier::new(), old: None }
    }

    fn origin(&self) -> Origin {
        self.signer.verifier().name().as_str().parse().unwrap()
    }

    /// The step over these statements; `lie` changes its index entry.
    fn batch(&mut self, statements: &[Vec<u8>], lie: impl Fn(IndexEntry) -> IndexEntry) -> Brought {
        let listing = |(bytes, at): (&Vec<u8>, u64)| Listing::of(at, &Entry::parse(bytes).unwrap());
        let listings: Vec<_> = statements.iter().zip(self.tree.size()..).map(listing).collect();
        let transition = self.old.is_some().then(|| TransitionProof::of(&self.index, &listings));
        let last = lie(self.index.stage_entry(&listings).unwrap());
        self.index.commit().unwrap();
        statements.iter().for_each(|bytes| self.tree.push(leaf_hash(bytes)));
        let old = self.old.replace(OldTree { before: self.tree.clone(), index: last.root });
        self.tree.push(last.leaf_hash());
        let entries = statements.iter().cloned().chain([last.to_string().into_bytes()]).collect();
        let head = Checkpoint::new(self.origin(), self.tree.size(), self.tree.root());
        Brought { note: sign_checkpoint(&head, &self.signer).unwrap(), old, entries, transition }
    }
}

impl Brought {
    fn bytes(&self) -> Vec<u8> {
        let proof = ConsistencyProof::from_path(Vec::new()).unwrap();
        let entries = self.entries.iter().map(Vec::as_slice).collect();
        let request = AddTransition::new(self.old.clone(), proof, self.note.clone(), entries, self.transition.clone());
        request.unwrap().to_bytes()
    }
}

#[test]
fn a_log_that_signs_a_wrong_index_root_is_not_cosigned_and_no_reader_who_asks_for_that_believes_it() -> Step {
    let home = Home::temporary()?;
    let (mut log, mut other) = (ByHand::new("log.example/by-hand"), ByHand::new("log.example/other"));
    let origin = log.origin();
    let mut cosigner =
        IndexCosigner::init(home.path(), "indexer", origin.as_str(), &log.signer.verifier().to_string())?;
    cosigner.server.start()?;
    let claim = |number: u64| Speaker::new(number).unwrap().claim().unwrap().bytes().to_vec();
    let refused = |brought: &Brought| {
        let answer = post(&cosigner, &brought.bytes()).unwrap();
        let code = serde_json::from_slice::<serde_json::Value>(&answer.body).ok();
        (answer.status, code.and_then(|body| body["error"].as_str().map(str::to_owned)).unwrap_or_default())
    };
    let told = |status: u16, code: &str| (status, code.to_owned());
    let first = log.batch(&[], |entry| entry);
    assert_eq!(post(&cosigner, &first.bytes())?.status, 200);
    let second = log.batch(&[claim(1), claim(2)], |entry| entry);
    assert_eq!(post(&cosigner, &second.bytes())?.status, 200);
    let checked = log.tree.size();

    // What is not its own log, or not a step of it, is told apart.
    let others = [other.batch(&[], |entry| entry), other.batch(&[claim(1)], |entry| entry)];
    assert_eq!(refused(&others[0]), told(404, "unknown-origin"));
    assert_eq!(post(&cosigner, &first.bytes())?.text(), format!("{checked}\n"), "409 names the size");
    let mut third = log.batch(&[claim(3), claim(4)], |entry| entry);
    let honest = (third.entries.clone(), third.transition.clone());
    third.entries[0] = claim(9);
    assert_eq!(refused(&third), told(422, "not-in-tree"));
    third.entries = honest.0.clone();
    third.entries.swap(0, 1);
    assert_eq!(refused(&third), told(422, "not-in-tree"));
    third.entries = honest.0.clone();
    third.transition = others[1].transition.clone();
    assert_eq!(refused(&third), told(422, "old-root"));
    third.transition = second.transition.clone();
    assert_eq!(refused(&third).0, 422);
    third.transition = honest.1;
    third.old = second.old.clone();
    assert_eq!(post(&cosigner, &third.bytes())?.status, 409);
    third.old = Some(OldTree { index: IndexRoot::from_bytes([7; 32]), ..log_before(&second, &claim) });
    assert_eq!(refused(&third), told(422, "other-tree"));
    assert_eq!(cosigned(&cosigner, &origin).unwrap().size(), checked);

    // A cosigner that was started anew goes on where it was.
    let mut lying = ByHand::new("log.example/by-hand");
    lying.batch(&[], |entry| entry);
    lying.batch(&[claim(1), claim(2)], |entry| entry);
    let lie = lying.batch(&[claim(3), claim(4)], |entry| IndexEntry { root: IndexRoot::from_bytes([7; 32]), ..entry });
    assert_eq!(refused(&lie), told(422, "wrong-index-root"));
    cosigner.server.kill();
    cosigner.server.start()?;
    let answer = post(&cosigner, &lie.bytes())?;
    assert!(answer.status == 422 && answer.text().contains("wrong-index-root"), "{}", answer.text());
    assert!(cosigner.server.messages().contains("THE LOG STATES A WRONG INDEX ROOT"));
    convicted(&cosigner, &log)?;
    assert_eq!(cosigned(&cosigner, &origin).unwrap().size(), checked);
    let metrics = http::get(cosigner.server.address()?, "/index/metrics")?.text();
    assert!(
        metrics.contains("stele_index_cosigner_wrong_roots_total{origin=\"log.example/by-hand\"} 1\n"),
        "{metrics}"
    );

    // Others can tell the log's operator, and not fill the messages: a refused step is said once a minute.
    let said = cosigner.server.messages().matches("a step is refused").count();
    assert!(said <= 2, "once for each start: {said}");

    // Whoever asks for it believes the head that it cosigned, and not the one with the lie.
    let key: VerifierKey = cosigner.vkey.parse().unwrap();
    let text = format!("log {}\nwitness indexer {key}\nquorum indexer\n", log.signer.verifier());
    let policy = Policy::parse(text.as_bytes()).unwrap();
    let cosigned = http::get(cosigner.server.address()?, &format!("/index/{}/checkpoint", origin.digest()))?;
    assert!(policy.verify(&cosigned.body).is_ok());
    assert!(policy.verify(&lie.note.to_bytes()).is_err());
    cosigner.server.stop()
}

/// What the refusal left behind: a file that everybody can check, listed with all other evidence.
fn convicted(cosigner: &IndexCosigner, log: &ByHand) -> Step {
    let (folder, key) = (path(&cosigner.folder)?.to_owned(), log.signer.verifier().to_string());
    let run = |program, arguments: &[&str], code| command::run(program, arguments)?.expect(code);
    let listed = run(Binary::Witness, &["evidence", "list", &folder], 0)?.stdout;
    assert!(listed.starts_with("wrong-index-root log.example/by-hand size 7, proof  "), "{listed}");
    assert_eq!(listed.lines().count(), 1, "{listed}");
    let out = cosigner.folder.join("for-everybody");
    let exported = run(Binary::Witness, &["evidence", "export", &folder, "--out", path(&out)?], 0)?.stdout;
    let file = exported.trim_end();
    let verdict = run(Binary::Stele, &["evidence", "verify", file, "--vkey", &key], 0)?.stdout;
    assert!(verdict.contains("says at entry 6 what its own entries before it contradict"), "{verdict}");
    let other = ByHand::new("log.example/other").signer.verifier().to_string();
    run(Binary::Stele, &["evidence", "verify", file, "--vkey", &other], 6)?;
    let shown = run(Binary::Stele, &["evidence", "show", file], 0)?.stdout;
    assert!(shown.contains("from 4 to 7 entries"), "{shown}");
    let health = http::get(cosigner.server.address()?, "/healthz")?.expect(200)?.text();
    let health: serde_json::Value = serde_json::from_str(&health).unwrap();
    assert_eq!(health["status"], "evidence", "{health}");
    assert_eq!(health["logs"][0]["evidence"][0]["kind"], "wrong-index-root", "{health}");
    assert_eq!(health["index"][0]["size"], 4, "{health}");
    let told = command::run(Binary::Witness, ["doctor", &folder, "--url", &cosigner.server.url()?])?;
    let told = format!("{}{}", told.stdout, told.stderr);
    assert!(
        told.contains("its key signed a wrong index") && told.contains("log.example/by-hand size 4 of 0"),
        "{told}"
    );
    Ok(())
}

#[test]
fn a_reload_that_fails_leaves_the_index_cosigner_as_it_was() -> Step {
    let home = Home::temporary()?;
    let mut log = ByHand::new("log.example/by-hand");
    let mut cosigner =
        IndexCosigner::init(home.path(), "indexer", "log.example/by-hand", &log.signer.verifier().to_string())?;
    cosigner.server.start()?;
    let config = cosigner.folder.join("witness.toml");
    let before = fs::read_to_string(&config).unwrap();
    // Its index is not to be cosigned any more; and a log is listed that was never added, so it has no state.
    let other = ByHand::new("log.example/other").signer.verifier();
    let unknown = format!("\n[[log]]\norigin = \"log.example/other\"\nvkeys = [\"{other}\"]\n");
    fs::write(&config, format!("{}{unknown}", before.replace("index = true", "index = false"))).unwrap();
    let process = rustix::process::Pid::from_raw(cosigner.server.pid()? as i32).unwrap();
    rustix::process::kill_process(process, rustix::process::Signal::HUP).unwrap();
    let refused = || cosigner.server.messages().contains("not reloaded").then_some(());
    poll(SOON, "a reload that is refused", refused)?;
    assert_eq!(post(&cosigner, &log.batch(&[], |entry| entry).bytes())?.status, 200);
    // The same without the unknown log is taken over.
    fs::write(&config, before.replace("index = true", "index = false")).unwrap();
    rustix::process::kill_process(process, rustix::process::Signal::HUP).unwrap();
    let reloaded = || cosigner.server.messages().contains(": reloaded").then_some(());
    poll(SOON, "a reload", reloaded)?;
    let claim = Speaker::new(1)?.claim()?.bytes().to_vec();
    assert_eq!(post(&cosigner, &log.batch(&[claim], |entry| entry).bytes())?.status, 404);
    cosigner.server.stop()
}

/// The tree after a step that was brought, without its last entry.
fn log_before(second: &Brought, claim: &impl Fn(u64) -> Vec<u8>) -> OldTree {
    let old = second.old.clone().unwrap();
    let mut before = old.before;
    before.push(IndexEntry { position: 0, root: old.index }.leaf_hash());
    [claim(1), claim(2)].iter().for_each(|bytes| before.push(leaf_hash(bytes)));
    OldTree { before, index: old.index }
}
