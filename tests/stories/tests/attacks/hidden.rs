//! Somebody between a reader and an honest log leaves out what they would rather hide. What is not proven complete is not
//! taken, and what was proven once is not forgotten.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use stele_harness::binaries::Binary;
use stele_harness::command::{Told, run_remembering};
use stele_harness::network::{Network, path};
use stele_harness::proxy::Proxy;
use stele_harness::publisher::Publisher;
use stele_probe::failure::Step;
use stele_samples::model;
use stele_spec::bundle::Bundle;
use stele_spec::proof::TlogProof;

/// A published model in a network, and a proxy before its log.
struct Story {
    network: Network,
    publisher: Publisher,
    folder: PathBuf,
    entry: u64,
    proxy: Proxy,
}

impl Story {
    fn new() -> Step<Self> {
        let network = Network::start(1, 1)?;
        let publisher = Publisher::new(&network, "acme.example")?;
        let folder = network.at("model");
        publisher.release(&folder, "1.0.0", 1)?;
        let bundle = Bundle::parse(&fs::read(folder.join("release.stele")).unwrap()).unwrap();
        let entry = TlogProof::parse(&bundle.proof).unwrap().index();
        let proxy = Proxy::start(network.log_address()?)?;
        Ok(Self { network, publisher, folder, entry, proxy })
    }

    fn coordinate(&self) -> String {
        self.publisher.coordinate("1.0.0")
    }

    /// The publisher withdraws the release, on a machine that remembers in a folder.
    fn withdraw(&self, state: &str) -> Step<u64> {
        let (coordinate, policy) = (self.coordinate(), self.network.policy_path());
        let receipt = self.network.at(&format!("receipt-{state}.stele"));
        let withdraw = ["withdraw", &coordinate, "--did", "support-ended 2026-07-02", "--reason", "A mistake."];
        let more =
            ["--copies", "publicly-downloaded", "--key", path(self.publisher.key())?, "--output", path(&receipt)?];
        let policy = ["--policy", path(&policy)?, "--json"];
        let arguments = withdraw.iter().chain(&more).chain(&policy);
        let told = run_remembering(Binary::Stele, arguments, &self.network.at(state))?.expect(0)?;
        Ok(told.json()?["entry"].as_u64().unwrap())
    }

    /// A verb of a reader who remembers in a folder.
    fn stele(&self, state: &str, arguments: &[&str]) -> Step<Told> {
        let policy = self.network.policy_path();
        run_remembering(Binary::Stele, arguments.iter().chain(&["--policy", path(&policy)?]), &self.network.at(state))
    }

    fn verify(&self, state: &str, more: &[&str]) -> Step<Told> {
        self.stele(state, &[&["verify", path(&self.folder)?], more].concat())
    }

    /// The same, asking the log through the proxy.
    fn online(&self, state: &str, more: &[&str]) -> Step<Told> {
        let url = self.proxy.url();
        self.verify(state, &[&["--online", "--log", &url], more].concat())
    }

    /// Name proofs are answered so, and bare lookups of the coordinate name the release alone.
    fn hide(&self, status: u16, body: &'static [u8]) {
        let positions = format!("{{\"positions\":[{}]}}", self.entry).into_bytes();
        self.proxy.answer(move |path| match path {
            _ if path.starts_with("/lookup/") && path.contains("/proof") => Some((status, body.to_vec())),
            _ if path.starts_with("/lookup/coordinate") => Some((200, positions.clone())),
            _ => None,
        });
    }
}

/// A verdict that says that the release was withdrawn, whatever its exit code makes of that.
fn withdrawn(told: Told) -> Step<Told> {
    if matches!(told.code, Some(0 | 17)) && told.stdout.contains("withdrawn") {
        return Ok(told);
    }
    Err(told.failure("expected a verdict that says withdrawn"))
}

/// A refusal because the answer is not proven complete.
fn unproven(told: Told) -> Step {
    let told = told.expect(18)?;
    for words in ["does not prove that its answer is complete", "--accept-incomplete-answer"] {
        assert!(told.stderr.contains(words), "{words}: {}", told.all());
    }
    assert!(!told.stdout.contains("released"), "{}", told.stdout);
    Ok(())
}

/// The same of a verdict: what holds without the log is beside it, and no state of the release that the log says.
fn unproven_verdict(told: Told) -> Step {
    let told = told.expect(18)?;
    assert!(told.stderr.contains("--accept-incomplete-answer"), "{}", told.all());
    for words in ["UNPROVEN  acme.example/tiny", "files match; the log does not prove", "signature, log and witnesses"]
    {
        assert!(told.stdout.contains(words), "{words}: {}", told.all());
    }
    assert!(!told.stdout.contains("released, as of"), "{}", told.stdout);
    Ok(())
}

#[test]
fn what_answers_in_the_log_s_place_takes_nothing_from_the_verdict_without_it() -> Step {
    let story = Story::new()?;
    let head = story.network.get("/checkpoint")?.expect(200)?.text();
    let (page, log) = (b"<!DOCTYPE html><title>Log in</title>".to_vec(), head.lines().nth(4).unwrap().to_owned());
    let cut = head.replace(&format!("{log}\n"), &format!("{}A==\n", &log[..log.len() - 3]));
    let alone = head.lines().take(5).map(|line| format!("{line}\n")).collect::<String>();
    for (status, body, exit) in [
        (200, page.clone(), 9),
        (403, page, 9),
        (200, Vec::new(), 9),
        (200, cut.into_bytes(), 5),
        (200, alone.into_bytes(), 4),
    ] {
        story.proxy.answer(move |path| (path == "/checkpoint").then(|| (status, body.clone())));
        let told = story.online("stranger", &[])?.expect(exit)?;
        assert!(told.stdout.starts_with("UNANSWERED  ") && told.stdout.contains("files match"), "{}", told.all());
        // What is wrong with the files is worse.
        fs::write(story.folder.join("more.py"), "print()").unwrap();
        let told = story.online("stranger", &[])?.expect(16)?;
        assert!(told.stdout.starts_with("UNRECORDED  "), "{}", told.all());
        fs::remove_file(story.folder.join("more.py")).unwrap();
    }
    // A publisher is told that this is no log, and that it may try again.
    let url = story.proxy.url();
    story.proxy.answer(|_| Some((403, b"<html>".to_vec())));
    let told = story.publisher.publish_with(&story.folder, &["--log", &url])?.expect(9)?;
    assert!(told.stderr.contains("is this the address of a Stele log"), "{}", told.all());
    Ok(())
}

#[test]
fn a_withdrawal_that_is_hidden_behind_a_404_is_an_error_and_is_not_forgotten() -> Step {
    let story = Story::new()?;
    // Passed on as it is, the answer is complete.
    let told = story.online("knows", &[])?.expect(0)?;
    assert!(!told.all().contains("--accept-incomplete-answer"), "{}", told.all());
    let json = story.online("knows", &["--json"])?.expect(0)?.json()?;
    assert_eq!(json["as_of"]["status"]["complete"], true, "{json}");

    story.withdraw("publisher")?;
    withdrawn(story.online("knows", &[])?)?;
    // What this machine knows, it says of a file as well.
    let shard = story.folder.join(model::SHARDS[0]);
    let told = story.stele("publisher", &["resolve", path(&shard)?])?.expect(0)?;
    assert!(told.stdout.contains("withdrawn") && !told.stdout.contains("not asked for"), "{}", told.all());

    let digest = stele_spec::hash::Digest::of(&fs::read(story.folder.join(model::SHARDS[0])).unwrap()).to_string();
    let (coordinate, url) = (story.coordinate(), story.proxy.url());
    for (status, body) in [(404, &b""[..]), (400, b"{}"), (410, b""), (500, b""), (200, b"stele/name-proof@v1\nname ")]
    {
        story.hide(status, body);
        unproven_verdict(story.online("stranger", &[])?)?;
        // What was proven here before is worse, and is not forgotten.
        let told = story.online("knows", &[])?.expect(17)?;
        assert!(told.stdout.starts_with("WITHDRAWN  ") && told.stdout.contains("the log does not prove"), "{told:?}");
    }
    let json = story.online("stranger", &["--json"])?.expect(18)?.json()?;
    assert_eq!((&json["error"], &json["verdict"]), (&"unproven".into(), &"unproven".into()), "{json}");
    assert_eq!(
        (&json["integrity"]["weights"]["state"], &json["as_of"]["status"]["source"]),
        (&"match".into(), &"bundle".into()),
        "{json}"
    );
    story.hide(404, b"");
    for question in [
        &["history", &coordinate][..],
        &["history", "acme.example"],
        &["show", &coordinate],
        &["resolve", &digest],
        &["keys", "list", "acme.example"],
    ] {
        unproven(story.stele("stranger", &[question, &["--log", &url]].concat())?)?;
    }

    // Who insists gets the answer, and is told what it is worth.
    let insists = ["--accept-incomplete-answer"];
    let told = story.online("insists", &insists)?.expect(0)?;
    let json = story.online("insists", &[&insists[..], &["--json"]].concat())?.expect(0)?.json()?;
    let status = &json["as_of"]["status"];
    assert_eq!(
        (&status["complete"], status["lack"].as_str()),
        (&Value::Bool(false), Some("accepted-incomplete")),
        "{told:?}"
    );
    assert_eq!(json["lifecycle"]["state"], "released");
    let told =
        story.stele("insists", &["history", &coordinate, "--log", &url, "--accept-incomplete-answer"])?.expect(0)?;
    assert!(told.stdout.contains("not proven complete"), "{}", told.stdout);

    // Later, offline, that answer is worth no more.
    let offline = story.verify("insists", &[])?.expect(0)?.stdout;
    assert!(offline.contains("when the log was last asked; not proven complete"), "{offline}");

    // Who had the proof keeps it: online, and later without a network.
    withdrawn(story.online("knows", &insists)?)?;
    withdrawn(story.verify("knows", &[])?)?;
    let json = story.verify("knows", &["--json"])?.json()?;
    assert_eq!(
        (&json["lifecycle"]["state"], &json["lifecycle"]["complete"]),
        (&"withdrawn".into(), &true.into()),
        "{json}"
    );
    Ok(())
}

/// The kept answer about the release, as JSON, and its file.
fn kept(state: &Path) -> (PathBuf, Value) {
    let log = fs::read_dir(state.join("told")).unwrap().next().unwrap().unwrap().path();
    let file = fs::read_dir(log).unwrap().next().unwrap().unwrap().path();
    let json = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    (file, json)
}

#[test]
fn what_is_cut_out_of_a_kept_answer_is_not_complete_any_more() -> Step {
    let story = Story::new()?;
    let entry = story.withdraw("publisher")?;
    withdrawn(story.online("reader", &[])?)?;
    let state = story.network.at("reader");
    let (file, whole) = kept(&state);
    let mut cut = whole.clone();
    cut["entries"].as_array_mut().unwrap().retain(|kept| kept["position"] != entry);
    fs::write(&file, cut.to_string()).unwrap();
    let json = story.verify("reader", &["--json"])?.expect(0)?.json()?;
    assert_eq!((&json["lifecycle"]["state"], &json["lifecycle"]["complete"]), (&"released".into(), &false.into()));
    assert_eq!(json["as_of"]["status"]["lack"], "kept-answer-damaged");
    // One that cannot be read is as if nothing had been asked, and that is said.
    fs::write(&file, &whole.to_string()[..200]).unwrap();
    let told = story.verify("reader", &["--json"])?.expect(0)?;
    assert!(told.stderr.contains("is damaged"), "{}", told.stderr);
    assert_eq!(told.json()?["as_of"]["status"]["source"], "bundle");
    // Asked again, it is whole again.
    withdrawn(story.online("reader", &[])?)?;
    withdrawn(story.verify("reader", &[])?)?;
    Ok(())
}

#[test]
fn whoever_withdraws_a_release_knows_it_on_the_same_machine() -> Step {
    let story = Story::new()?;
    story.online("publisher", &[])?.expect(0)?;
    story.withdraw("publisher")?;
    withdrawn(story.verify("publisher", &[])?)?;
    // Also where nothing was asked before; that nothing else was said is then not proven.
    let other = Story::new()?;
    other.withdraw("publisher")?;
    withdrawn(other.verify("publisher", &[])?)?;
    let json = other.verify("publisher", &["--json"])?.json()?;
    assert_eq!(
        (&json["lifecycle"]["complete"], json["as_of"]["status"]["lack"].as_str()),
        (&false.into(), Some("not-asked"))
    );
    Ok(())
}

#[test]
fn a_revocation_is_not_hidden_and_is_said_of_what_the_key_signed_before() -> Step {
    let story = Story::new()?;
    let next = story.publisher.another_key(&story.network, "next.pem")?;
    let (old, new) = (story.publisher.key_id()?, next.public_key()?);
    let receipt = story.network.at("rotation.stele");
    let rotate = ["keys", "rotate", "acme.example", "--old", &old, "--new", path(&new)?, "--reason", "Laptop lost."];
    let told =
        story.publisher.say(&story.network, &[&rotate[..], &["--output", path(&receipt)?, "--json"]].concat())?;
    let entry = told.expect(0)?.json()?["entry"].as_u64().unwrap();

    // The bare lookup leaves the rotation out; the name proofs do not.
    let claim = story.entry.saturating_sub(2);
    let positions = format!("{{\"positions\":[{claim}]}}").into_bytes();
    story.proxy.answer(move |path| path.starts_with("/lookup/keys").then(|| (200, positions.clone())));
    let url = story.proxy.url();
    let list = ["keys", "list", "acme.example", "--log", &url];
    let json = story.stele("reader", &[&list[..], &["--json"]].concat())?.expect(0)?.json()?;
    assert_eq!((&json["revoked"][0], &json["complete"]), (&old.clone().into(), &true.into()), "{json}");
    assert!(!json["keys"].as_array().unwrap().contains(&old.clone().into()), "{json}");

    // The key of the release was revoked later: said online, and kept for later.
    let words = format!("signed by a key that was revoked later, at entry {entry}: Laptop lost.");
    for more in [&["--online"][..], &[]] {
        let json = story.verify("reader", &[more, &["--json"]].concat())?.expect(0)?.json()?;
        assert_eq!(json["publisher"]["key_revoked_at_entry"], entry, "{more:?} {json}");
        assert_eq!(json["publisher"]["key_revocation_reason"], "Laptop lost.");
    }
    let told = story.verify("reader", &["--online"])?.expect(0)?;
    assert!(told.stdout.contains(&words), "{}", told.stdout);

    // Without proofs nobody builds on such an answer: no list, no claim, no change, no release.
    story.hide(404, b"");
    unproven(story.stele("reader", &list)?)?;
    let key = path(story.publisher.key())?;
    unproven(story.stele("reader", &["claim", "acme.example", "--key", key, "--log", &url])?)?;
    let other = story.network.at("other-model");
    model::write(&other, 2)?;
    next.prepare(&other, "2.0.0")?;
    unproven(story.stele("reader", &["publish", path(&other)?, "--key", path(next.key())?, "--log", &url])?)?;
    assert!(!other.join("release.stele").exists());
    Ok(())
}

#[test]
fn a_stale_cache_is_no_crime() -> Step {
    let story = Story::new()?;
    let old = story.network.get("/checkpoint")?.expect(200)?.body;
    story.withdraw("publisher")?;
    withdrawn(story.online("reader", &[])?)?;
    story.proxy.answer(move |path| (path == "/checkpoint").then(|| (200, old.clone())));
    let told = story.online("reader", &["--accept", "withdrawn"])?.expect(9)?;
    assert!(told.stderr.contains("the log (or a cache in front of it) served an older checkpoint"), "{}", told.stderr);
    // What is known without that answer is shown.
    assert!(told.stdout.contains("withdrawn"), "{}", told.stdout);
    assert!(!story.network.at("reader/evidence").exists());
    Ok(())
}

#[test]
fn a_file_that_a_lookup_leaves_out_is_not_proven_to_be_in_no_release() -> Step {
    let story = Story::new()?;
    let shard = story.folder.join(model::SHARDS[0]);
    let (file, digest) = (path(&shard)?, stele_spec::hash::Digest::of(&fs::read(&shard).unwrap()).to_string());
    let url = story.proxy.url();
    story.stele("reader", &["resolve", file, "--no-bundle", "--log", &url])?.expect(0)?;
    story.proxy.answer(|path| path.starts_with("/lookup/file").then(|| (200, b"{\"positions\":[]}".to_vec())));
    let told = story.stele("reader", &["resolve", file, "--no-bundle", "--log", &url])?.expect(3)?;
    let word =
        "whether a release has it among other files is in no index: the log's lookup names none, which is not proven";
    assert!(told.stderr.contains(word), "{}", told.all());
    let told = story.stele("reader", &["resolve", &digest, "--log", &url])?.expect(3)?;
    assert!(told.stderr.contains(word), "{}", told.all());
    Ok(())
}

#[test]
fn lost_manifests_are_not_said_to_have_been_never_recorded() -> Step {
    let mut story = Story::new()?;
    let shard = fs::read(story.folder.join(model::SHARDS[0])).unwrap();
    let digest = stele_spec::hash::Digest::of(&shard).to_string();
    story.stele("reader", &["resolve", &digest])?.expect(0)?;
    story.network.log.stop()?;
    fs::remove_dir_all(story.network.log_data().join("public/manifests")).unwrap();
    story.network.log.start()?;
    let told = story.stele("reader", &["resolve", &digest])?;
    assert_ne!(told.code, Some(0));
    assert!(!told.all().contains("never recorded"), "{}", told.all());
    assert!(told.stderr.contains("manifests"), "{}", told.all());
    Ok(())
}

#[test]
fn a_silent_log_and_one_that_drips_hold_a_verdict_for_no_more_than_its_deadline() -> Step {
    let story = Story::new()?;
    let drips = |drip: bool| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                thread::spawn(move || {
                    let mut stream = stream;
                    for byte in b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n".iter().cycle() {
                        if drip && std::io::Write::write_all(&mut stream, &[*byte]).is_err() {
                            return;
                        }
                        thread::sleep(Duration::from_millis(500));
                    }
                });
            }
        });
        url
    };
    thread::scope(|scope| {
        let waits: Vec<_> = [drips(false), drips(true)]
            .into_iter()
            .map(|url| {
                let story = &story;
                scope.spawn(move || -> Step {
                    let begun = Instant::now();
                    let told = story.verify("reader", &["--online", "--log", &url])?.expect(9)?;
                    assert!(begun.elapsed() < Duration::from_secs(45), "{:?}", begun.elapsed());
                    assert!(told.stdout.contains("acme.example/tiny"), "{}", told.all());
                    Ok(())
                })
            })
            .collect();
        waits.into_iter().try_for_each(|wait| wait.join().unwrap())
    })
}

#[test]
fn what_a_log_lost_of_one_release_stops_no_other_publisher() -> Step {
    let mut story = Story::new()?;
    let manifests = story.network.log_data().join("public/manifests");
    let [manifest] = &fs::read_dir(&manifests).unwrap().map(|file| file.unwrap().path()).collect::<Vec<_>>()[..] else {
        panic!("one manifest")
    };
    let whole = fs::read(manifest).unwrap();
    for (damage, seed) in [(None, 7), (Some([&whole[..whole.len() - 1], b"x"].concat()), 8)] {
        story.network.log.stop()?;
        match damage {
            None => fs::remove_file(manifest).unwrap(),
            Some(bytes) => fs::write(manifest, bytes).unwrap(),
        }
        fs::remove_dir_all(story.network.log_data().join("lookup.sled")).unwrap();
        story.network.log.start()?;
        let other = story.network.at(&format!("other-{seed}"));
        story.publisher.release(&other, &format!("{seed}.0.0"), seed)?;
    }
    // The publisher of the damaged one puts it back.
    story.publisher.publish(&story.folder)?.expect(0)?;
    assert_eq!(fs::read(manifest).unwrap(), whole);
    Ok(())
}
