//! A log ends, and says so where everybody reads: also in a copy on any web server, when nothing of the log runs any more.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use std::fs;
use std::path::Path;

use serde_json::Value;
use stele_harness::binaries::Binary;
use stele_harness::command;
use stele_harness::file_server::FileServer;
use stele_harness::network::{Network, ORIGIN, path};
use stele_harness::process::poll;
use stele_harness::publisher::Publisher;
use stele_probe::failure::{During as _, Step};
use stele_probe::http::ANSWER;
use stele_samples::model;
use stele_samples::statements::Speaker;
use stele_spec::checkpoint::Checkpoint;
use stele_spec::frozen::Frozen;
use stele_spec::note::{SignedNote, VerifierKey};

/// A log with a release, frozen and taken back as often as asked.
struct Ending {
    network: Network,
    acme: Publisher,
    folder: std::path::PathBuf,
}

impl Ending {
    fn new() -> Step<Self> {
        let network = Network::start(1, 1)?;
        let acme = Publisher::new(&network, "acme.example")?;
        let folder = network.at("model");
        acme.release(&folder, "1.0.0", 1)?;
        Ok(Self { network, acme, folder })
    }

    /// Changes the config, has the log read it, and waits until its static files say so.
    fn freeze(&self, undo: bool) -> Step {
        let log = self.network.at("log");
        let arguments = ["freeze", path(&log)?].into_iter().chain(undo.then_some("--undo"));
        command::run(Binary::Log, arguments)?.expect(0)?;
        let process = rustix::process::Pid::from_raw(self.network.log.pid()? as i32).unwrap();
        rustix::process::kill_process(process, rustix::process::Signal::HUP).unwrap();
        let expected = if undo { 404 } else { 200 };
        poll(ANSWER, "what the log says of its end", || {
            self.network.get("/frozen").ok().filter(|answer| answer.status == expected).map(drop)
        })
    }

    /// How many entries the published tree has.
    fn size(&self) -> Step<u64> {
        let note = SignedNote::parse(&self.network.get("/checkpoint")?.expect(200)?.body).during("reading a note")?;
        Ok(Checkpoint::parse(note.text()).during("reading a checkpoint")?.size())
    }

    /// What verbs say of the log's end, of all three or of one alone; none of them is stricter or milder for it.
    fn said(&self, log: &str, alone: Option<&str>) -> Step<Vec<(String, Value)>> {
        let folder = path(&self.folder)?;
        let policy = self.network.policy_path();
        let common = ["--policy", path(&policy)?, "--log", log];
        let copy = self.network.at("fetched.stele");
        let _ = fs::remove_file(&copy);
        let coordinate = self.acme.coordinate("1.0.0");
        let verbs: [&[&str]; 3] = [
            &["verify", folder, "--online"],
            &["resolve", &coordinate, "--no-bundle"],
            &["fetch", &coordinate, "--output", path(&copy)?],
        ];
        let mut said = Vec::new();
        for verb in verbs.into_iter().filter(|verb| alone.is_none_or(|alone| verb.first() == Some(&alone))) {
            let told = command::run(Binary::Stele, verb.iter().chain(&common))?.expect(0)?;
            let _ = fs::remove_file(&copy);
            let json = command::run(Binary::Stele, [&["--json"], verb, &common].concat())?.expect(0)?.json()?;
            said.push((told.stdout, json["log_end"].clone()));
        }
        Ok(said)
    }
}

/// The events of kind `ended` and the like that a monitor of a copy reports in one round.
fn reported(home: &Path, copy: &str) -> Step<Vec<String>> {
    let config = home.join("monitor.toml");
    let hook = "[hook]\ncommand = [\"sh\", \"-c\", \"cat >> got; echo >> got\"]";
    let text = format!(
        "policy = \"policy\"\nstate = \"monitored\"\n[[log]]\norigin = \"{ORIGIN}\"\nsource = \"{copy}\"\n[watch]\neverything = true\n{hook}\n"
    );
    fs::write(&config, text).during("writing the config")?;
    let _ = fs::remove_file(home.join("got"));
    command::run(Binary::Stele, ["--json", "monitor", path(&config)?, "--once"])?.expect(0)?;
    let got = fs::read_to_string(home.join("got")).unwrap_or_default();
    let events = got.lines().filter(|line| !line.is_empty()).map(|line| serde_json::from_str::<Value>(line).unwrap());
    Ok(events.filter(|event| event["kind"] == "alert").map(|event| event["summary"].to_string()).collect())
}

#[test]
fn a_log_that_has_ended_says_so_in_every_copy_of_its_files() -> Step {
    let mut ending = Ending::new()?;
    let log = format!("http://{}", ending.network.log_address()?);
    assert!(ending.said(&log, None)?.iter().all(|(text, json)| json.is_null() && !text.contains("ended")));

    ending.freeze(false)?;
    let refused = ending.network.submit(Speaker::new(1)?.claim()?.bytes())?.expect(410)?;
    assert_eq!(refused.error_code()?, "log-frozen");
    // Who rehearses learns it from the file that the log signed, and so does who means it.
    let (key, policy) = (ending.network.at("late.pem"), ending.network.policy_path());
    command::run(Binary::Stele, ["key", "new", path(&key)?])?.expect(0)?;
    let claim = ["--json", "claim", "late.example", "--key", path(&key)?, "--policy", path(&policy)?, "--log", &log];
    for more in [&["--dry-run"][..], &[]] {
        let told = command::run(Binary::Stele, claim.iter().chain(more))?.expect(8)?.json()?;
        assert!(told.to_string().contains("log-ended"), "{told}");
    }
    let size = ending.size()?;
    let note = fs::read(ending.network.at("log/data/public/frozen")).unwrap();
    let key: VerifierKey = ending.network.log_vkey().parse().during("reading a verifier key")?;
    let frozen = Frozen::verify(&note, &key).during("verifying what the log says of its end")?;
    assert_eq!(frozen.size(), size);
    let held = command::run(Binary::Stele, ["--json", "inspect", path(&ending.network.at("log/data/public/frozen"))?])?;
    let held = held.expect(0)?.json()?;
    assert_eq!((held["kind"].as_str(), held["tree_size"].as_u64()), (Some("frozen"), Some(size)));
    for (text, json) in ending.said(&log, None)? {
        assert!(text.contains(&format!("this log ended at size {size} on 2")), "{text}");
        assert_eq!((json["tree_size"].as_u64(), json["standing"].as_str()), (Some(size), Some("final")));
    }
    // An auditor's copy says the same, and so does that of whoever monitors it.
    let home = ending.network.home().to_owned();
    let audited = home.join("audited");
    let policy = ending.network.policy_path();
    command::run(Binary::Stele, ["audit", &log, "--policy", path(&policy)?, "--state", path(&audited)?])?.expect(0)?;
    assert_eq!(fs::read(audited.join("frozen")).unwrap(), note);
    // The same after a start: what it said stands, with its time.
    ending.network.log.stop()?;
    ending.network.start_log()?;
    assert_eq!(fs::read(ending.network.at("log/data/public/frozen")).unwrap(), note);

    // The log is gone. Any web server has the files.
    ending.network.log.stop()?;
    let copy = home.join("copy");
    model::copy(&ending.network.at("log/data/public"), &copy)?;
    let server = FileServer::start(&copy)?;
    // An address that answers no lookups is read whole by `fetch`, a folder by every verb.
    let folder = path(&copy)?.to_owned();
    for (text, json) in ending.said(&folder, None)?.into_iter().chain(ending.said(&server.url(), Some("fetch"))?) {
        assert!(text.contains(&format!("this log ended at size {size}")), "{text}");
        assert_eq!(json["standing"], "final");
    }
    let alerts = reported(&home, "copy")?;
    assert!(alerts.iter().any(|alert| alert.contains("ended raised: this log ended at size")), "{alerts:?}");
    assert!(reported(&home, "copy")?.is_empty(), "it is reported once");

    // A copy can leave it out, and can make none: nothing is said then, and every verdict is what it was.
    for bytes in [None, Some(b"<html>".to_vec()), Some([&note[..20], &b"9"[..], &note[20..]].concat())] {
        fs::remove_file(copy.join("frozen")).unwrap();
        if let Some(bytes) = &bytes {
            fs::write(copy.join("frozen"), bytes).unwrap();
        }
        assert!(ending.said(&folder, None)?.iter().all(|(text, json)| json.is_null() && !text.contains("ended")));
        fs::write(copy.join("frozen"), &note).unwrap();
    }
    Ok(())
}

#[test]
fn a_log_that_has_ended_and_goes_on_is_seen_to() -> Step {
    let ending = Ending::new()?;
    ending.freeze(false)?;
    let (size, public) = (ending.size()?, ending.network.at("log/data/public"));
    let note = fs::read(public.join("frozen")).unwrap();
    // An auditor and a monitor were there while it said so.
    let home = ending.network.home().to_owned();
    let (address, policy, audited) =
        (format!("http://{}", ending.network.log_address()?), ending.network.policy_path(), home.join("audited"));
    let audit =
        || command::run(Binary::Stele, ["audit", &address, "--policy", path(&policy)?, "--state", path(&audited)?]);
    audit()?.expect(0)?;
    reported(&home, &address)?;
    ending.freeze(true)?;
    assert!(!public.join("frozen").exists());
    let alerts = reported(&home, &address)?;
    assert!(!alerts.iter().any(|alert| alert.contains("end-contradicted")), "nothing was said since: {alerts:?}");
    assert!(ending.network.accepted(Speaker::new(1)?.claim()?.bytes())? >= size);
    // It serves the file no more, and they still have it.
    let alerts = reported(&home, &address)?;
    assert!(alerts.iter().any(|alert| alert.contains("end-contradicted raised")), "{alerts:?}");
    let audited_again = audit()?.expect(0)?;
    assert!(audited_again.stderr.contains("and has gone on"), "{}", audited_again.all());
    assert_eq!(fs::read(audited.join("frozen")).unwrap(), note);
    // Whoever kept what it had signed shows it beside the larger tree.
    let copy = ending.network.at("copy");
    model::copy(&public, &copy)?;
    fs::write(copy.join("frozen"), &note).unwrap();
    for (text, json) in ending.said(path(&copy)?, None)? {
        assert!(text.contains(&format!("that it had ended at size {size}, and has gone on")), "{text}");
        assert_eq!(json["standing"], "went-on");
    }
    Ok(())
}
