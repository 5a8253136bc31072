//! What `stele-witness` writes.

use std::fs;
use std::time::Duration;

use serde_json::Value;
use stele_harness::binaries::Binary;
use stele_harness::network::ORIGIN;
use stele_harness::process::{Server, poll};
use stele_probe::failure::{During, Step};
use stele_probe::http;
use stele_spec::cosignature::{UnixTime, cosign};
use stele_spec::hash::Digest;
use stele_spec::note::{KeyType, SignedNote, SignerKey};

use super::log;
use super::recorder::Recorder;

/// How long a copy of a small log may take.
const SOON: Duration = Duration::from_secs(60);

/// A witness that pulls the log, its mirror, and what it says of itself.
pub(super) fn run(recorder: &mut Recorder) -> Step {
    let (vkey, url) = (recorder.network.log_vkey().to_owned(), recorder.log_url()?);
    let mut of = |arguments: &[&str], verb: &str, exit| -> Step<Value> {
        recorder.of(Binary::Witness, arguments, &format!("stele-witness/{verb}@v1"), exit)
    };
    of(&["version"], "version", 0)?;
    of(&["completions", "fish"], "completions", 0)?;
    of(&["man"], "man", 0)?;
    let made = of(&["init", "auditor", "--name", "auditor.example"], "init", 0)?;
    of(&["init", "auditor", "--name", "auditor.example"], "error", 7)?;
    of(&["logs", "add", "auditor", "--vkey", &vkey, "--pull", &url, "--pull-seconds", "1"], "logs-add", 0)?;
    of(&["logs", "disable", "auditor", ORIGIN], "logs-disable", 0)?;
    of(&["logs", "enable", "auditor", ORIGIN], "logs-enable", 0)?;
    of(&["logs", "list", "auditor"], "logs-list", 0)?;
    of(&["mirror", "init", "auditor", "--name", "mirror.example/m1"], "mirror-init", 0)?;
    of(&["mirror", "add", "auditor", ORIGIN], "mirror-add", 0)?;
    of(&["index", "init", "auditor", "--name", "auditor.example/index"], "index-init", 0)?;
    of(&["index", "add", "auditor", ORIGIN], "index-add", 0)?;
    // What was checked stands beside the error; a command line that cannot be read is an error.
    let unsigned = of(&["mirror", "verify", "auditor"], "mirror-verify", 9)?;
    assert_eq!(unsigned["copies"][0]["origin"], ORIGIN);
    let unwell = of(&["doctor", "auditor", "--url", "http://127.0.0.1:1"], "doctor", 9)?;
    assert!(unwell["checks"].as_array().is_some_and(|checks| checks.iter().any(|check| check["level"] == "FAIL")));
    for wrong in [&["dokter", "auditor"][..], &["doctor"], &["logs"], &[]] {
        of(wrong, "error", 2)?;
    }

    let program = Binary::Witness.path()?;
    let arguments = vec!["run".into(), recorder.at("auditor").into()];
    let mut server = Server::new("auditor", program, arguments, recorder.at("messages-of-the-auditor"));
    server.start()?;
    let page = format!("/mirror/{}/checkpoint", Digest::of(ORIGIN.as_bytes()));
    let (address, url) = (server.address()?, server.url()?);
    let mirrored = || http::get(address, &page).ok().filter(|answer| answer.status == 200).map(|answer| answer.body);
    let head = poll(SOON, "a mirror of the log", mirrored)?;
    let cosigned = http::get(address, &format!("/{}/checkpoint", Digest::of(ORIGIN.as_bytes())))?.expect(200)?.body;
    fs::write(recorder.at("mirrored"), head).during("writing")?;
    // As if the index cosigner had cosigned it.
    let secret = fs::read_to_string(recorder.at("auditor/index.key")).during("reading a key")?;
    let key = SignerKey::from_secret_string(secret.trim_end()).during("reading a key")?;
    let note = SignedNote::parse(&cosigned).during("reading a checkpoint")?;
    let time = UnixTime::new(1_782_388_800).during("telling the time")?;
    let line = cosign(note.text(), &key, time).during("cosigning")?;
    let lines = note.signatures().iter().cloned().chain([line]).collect();
    let indexed = SignedNote::new(note.text().to_owned(), lines).during("making a note")?;
    fs::write(recorder.at("indexed"), indexed.to_bytes()).during("writing")?;
    fs::write(recorder.at("cosigned"), cosigned).during("writing")?;
    let mut of = |arguments: &[&str], verb: &str, exit| -> Step<Value> {
        recorder.of(Binary::Witness, arguments, &format!("stele-witness/{verb}@v1"), exit)
    };
    of(&["doctor", "auditor", "--url", &url], "doctor", 0)?;
    of(&["mirror", "verify", "auditor"], "mirror-verify", 0)?;
    of(&["about", "auditor"], "about", 0)?;
    server.stop()?;
    of(&["logs", "adopt", "auditor", "--checkpoint", "cosigned"], "logs-adopt", 0)?;
    of(&["mirror", "adopt", "auditor", "--checkpoint", "mirrored"], "mirror-adopt", 0)?;
    of(&["index", "adopt", "auditor", "--checkpoint", "indexed"], "index-adopt", 0)?;
    of(&["evidence", "list", "auditor"], "evidence-list", 0)?;
    of(&["evidence", "export", "auditor", "--out", "exported"], "evidence-export", 0)?;
    of(&["bastion", "add", "auditor", "--host", "bastion.example"], "bastion-add", 0)?;
    fs::write(recorder.at("list"), format!("logs/v0\nvkey {vkey}\n")).during("writing a list")?;
    let mut of = |arguments: &[&str], verb: &str, exit| -> Step<Value> {
        recorder.of(Binary::Witness, arguments, &format!("stele-witness/{verb}@v1"), exit)
    };
    of(&["init", "other", "--name", "other.example"], "init", 0)?;
    of(&["logs", "pull", "other", "--from", "list"], "logs-pull", 0)?;
    // A changed key is for a person: an error beside what was added.
    let another = SignerKey::new(ORIGIN.parse().during("reading a name")?, KeyType::Log, [9; 32]).verifier();
    fs::write(recorder.at("changed"), format!("logs/v0\nvkey {another}\n")).during("writing a list")?;
    let mut of = |arguments: &[&str], verb: &str, exit| -> Step<Value> {
        recorder.of(Binary::Witness, arguments, &format!("stele-witness/{verb}@v1"), exit)
    };
    let changed = of(&["logs", "pull", "other", "--from", "changed"], "logs-pull", 8)?;
    assert_eq!((&changed["error"], &changed["added"]), (&"changed-keys".into(), &Value::Array(Vec::new())));
    // A witness of an older version has an Ed25519 key alone.
    let config = recorder.at("other/witness.toml");
    let text = fs::read_to_string(&config).during("reading the config")?;
    let older = text.lines().filter(|line| !line.starts_with("key_mldsa")).map(|line| format!("{line}\n"));
    fs::write(&config, older.collect::<String>()).during("writing the config")?;
    fs::remove_file(recorder.at("other/witness-mldsa.key")).during("removing a key")?;
    let add = ["keys", "add-mldsa", "other"];
    recorder.of(Binary::Witness, &add, "stele-witness/keys-add-mldsa@v1", 0)?;
    log::policy(recorder, made["policy"].as_str().unwrap_or_default())
}
