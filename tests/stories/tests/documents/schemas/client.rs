//! What `stele` writes.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use serde_json::{Value, json};
use stele_harness::binaries::Binary;
use stele_harness::command;
use stele_harness::network::path;
use stele_harness::registry::Registry;
use stele_probe::failure::{During, Step};
use stele_samples::{evaluation_form, model};

use super::recorder::Recorder;
use super::{DECISION, EVENT};

/// Lines of the guard of the Python package, whose own tests hold them against what a guard writes.
const DECISIONS: &str = include_str!("../../../../../client/python/tests/decisions.jsonl");

/// A key of the curve P-256, and its public half.
const OMS_KEY: &str = include_str!("../../../../../client/oms/vectors/signer.pem");
const OMS_PUBLIC_KEY: &str = include_str!("../../../../../client/oms/vectors/signer.pub");

/// The vectors of evidence: files that convict, and whom.
const EVIDENCE: &str = include_str!("../../../../../spec/vectors/misbehaviour/evidence.json");

/// A folder of the model, hosted at the hub, that is ready to be published.
fn prepared(recorder: &Recorder, name: &str, version: &str, seed: u64) -> Step {
    let folder = recorder.at(name);
    model::write(&folder, seed)?;
    let commit = recorder.hub.commit("acme/tiny", &folder, version)?;
    recorder.acme.prepare(&folder, version)?;
    let toml = folder.join("release.toml");
    let text = fs::read_to_string(&toml).during("reading the draft")?;
    let host =
        format!("type = \"huggingface\"\nlocator = \"https://huggingface.co/acme/tiny\"\nrevision = \"{commit}\"");
    let text = text.replace("type = \"https\"\nlocator = \"https://models.acme.example/tiny/\"", &host);
    fs::write(&toml, text).during("writing the draft")
}

/// Keys, drafts, releases.
pub(super) fn publish(recorder: &mut Recorder) -> Step {
    recorder.done(&["version"], "version")?;
    recorder.done(&["config"], "config")?;
    recorder.done(&["completions", "bash"], "completions")?;
    recorder.done(&["man"], "man")?;
    recorder.done(&["man", "pages"], "man")?;
    for topic in ["verify", "concepts", "exit-codes"] {
        recorder.done(&["help", topic], "help")?;
    }
    recorder.done(&["key", "new", "another.pem"], "key")?;
    recorder.done(&["key", "show", "another.pem"], "key")?;
    let bare = recorder.at("bare");
    model::write(&bare, 9)?;
    let draft = ["draft", "bare", "--publisher", "acme.example", "--model", "tiny", "--model-version", "9.0.0"];
    recorder.done(&draft, "draft")?;
    recorder.done(&[&draft[..], &["--output", "-"]].concat(), "draft")?;

    recorder.said(&["claim", "acme.example", "--dry-run"], "dry-run")?;
    recorder.said(&["claim", "acme.example"], "claim")?;
    recorder.said(&["claim", "acme.example"], "claim")?;
    prepared(recorder, "old", "1.0.0", 1)?;
    prepared(recorder, "new", "1.1.0", 2)?;
    recorder.said(&["publish", "old", "--dry-run"], "dry-run")?;
    recorder.said(&["publish", "old"], "publish")?;
    let beside = recorder.said(&["publish", "new", "--dry-run"], "dry-run")?;
    assert!(beside["earlier"]["changes"].as_array().is_some_and(|changes| !changes.is_empty()), "{beside}");
    for folder in ["new", "new"] {
        recorder.said(&["publish", folder], "publish")?;
    }
    let next = ["draft", "bare", "--from", "new/release.toml", "--preset", "small-research", "--output", "-"];
    let counted = recorder.done(&next, "draft")?;
    assert!(counted["decisions"]["carried"].as_u64().is_some_and(|carried| carried > 0), "{counted}");
    let refused = ["publish", "none", "--key", "none", "--dry-run"];
    recorder.asked(&refused, "dry-run", 7)?;
    let refused = recorder.asked(&refused[..4], "error", 7)?;
    assert!(refused["problems"].as_array().is_some_and(|all| all.len() > 1), "{refused}");
    recorder.of(Binary::Stele, &["verify", "--bogus"], "stele/error@v1", 2).map(drop)
}

/// What others read, and what became of a release.
pub(super) fn read(recorder: &mut Recorder) -> Step {
    let second = recorder.acme.coordinate("1.1.0");
    recorder.asked(&["verify", "new"], "verify", 0)?;
    recorder.asked(&["verify", "new", "--no-hash"], "verify", 0)?;
    recorder.asked(&["verify", "new", "--online"], "verify", 0)?;
    recorder.asked(&["verify", &format!("new/{}", model::SHARDS[0])], "verify", 0)?;
    recorder.asked(&["verify", "none"], "verify", 7)?;
    let broken = recorder.at("broken");
    model::copy(&recorder.at("new"), &broken)?;
    model::flip_one_bit(&broken.join(model::SHARDS[0]))?;
    fs::write(broken.join("adapter_config.json"), "{}").during("writing")?;
    recorder.asked(&["verify", "broken"], "verify", 1)?;
    fs::remove_file(broken.join(model::SHARDS[0])).during("removing")?;
    recorder.asked(&["verify", "broken"], "verify", 15)?;

    scan(recorder)?;
    run(recorder)?;
    oms(recorder)?;
    registry(recorder)?;
    for line in DECISIONS.lines() {
        recorder.documents.push((DECISION.to_owned(), serde_json::from_str(line).during("reading a decision")?));
    }
    recorder.done(&["show", "new/release.stele"], "show")?;
    recorder.asked(&["show", &second], "show", 0)?;
    recorder.asked(&["fetch", &second, "--output", "fetched.stele"], "fetch", 0)?;
    recorder.asked(&["lineage", &second], "lineage", 0)?;
    recorder.asked(&["resolve", &format!("new/{}", model::SHARDS[0])], "resolve", 0)?;
    recorder.asked(&["resolve", &format!("new/{}", model::SHARDS[0]), "--no-bundle"], "resolve", 0)?;
    recorder.of(Binary::Stele, &["diff", "old", "new"], "stele/diff@v2", 0)?;
    recorder.asked(&["keys", "list", "acme.example"], "keys-list", 0)?;
    recorder.done(&["policy", "check", "policy"], "policy-check")?;
    recorder.done(&["policy", "lint", "policy"], "policy-lint")?;

    let checkpoint = recorder.network.get("/checkpoint")?.expect(200)?.body;
    fs::write(recorder.at("checkpoint"), checkpoint).during("writing")?;
    fs::write(recorder.at("vkey"), recorder.network.log_vkey()).during("writing")?;
    recorder.done(&["inspect", "new/release.stele", "--extract", "parts"], "inspect")?;
    recorder.asked(&["export", "new", "--as", "in-toto"], "export", 0)?;
    recorder.asked(&["export", "new", "--as", "spdx3", "--output", "new.spdx.json"], "export", 0)?;
    let parts = ["parts/statement.cose", "parts/manifest.cbor", "parts/proof.tlog-proof", "checkpoint", "vkey"];
    for file in parts.into_iter().chain(["policy", "another.pem", "bare/release.toml"]) {
        recorder.done(&["inspect", file], "inspect")?;
    }
    evidence(recorder)
}

/// A command on a model: what its report says where it was started, and where not.
fn run(recorder: &mut Recorder) -> Step {
    let (report, policy, new) = (recorder.at("run.json"), recorder.network.policy_path(), recorder.at("new"));
    let words = ["run", "--policy", path(&policy)?, "--models", "broken", "--", "true"];
    recorder.of(Binary::Stele, &words, "stele/run@v1", 15)?;
    let words = ["run", "--policy", path(&policy)?, "--report", path(&report)?, "--models", path(&new)?, "--", "true"];
    let told = command::run(Binary::Stele, words)?;
    if told.code != Some(20) {
        // Else this machine allows no view, and the report says that.
        told.expect(0)?;
    }
    let written = fs::read(&report).during("reading the report")?;
    recorder
        .documents
        .push(("stele/run@v1".to_owned(), serde_json::from_slice(&written).during("reading the report")?));
    Ok(())
}

/// A folder that is signed with a key of OpenSSL, and verified by the public half that the tool of others wrote.
fn oms(recorder: &mut Recorder) -> Step {
    let key = recorder.at("oms.pem");
    fs::write(&key, OMS_KEY).during("writing")?;
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).during("writing")?;
    recorder.done(&["oms", "sign", "bare", "--key", "oms.pem"], "oms-sign")?;
    fs::write(recorder.at("oms.pub"), OMS_PUBLIC_KEY).during("writing")?;
    let verify = ["oms", "verify", "bare", "--public-key", "oms.pub"];
    recorder.done(&verify, "oms-verify")?;
    fs::copy(recorder.at("bare/model.sig"), recorder.at("new/model.sig")).during("copying")?;
    recorder.asked(&["verify", "new"], "verify", 0)?;
    fs::remove_file(recorder.at("new/model.sig")).during("removing")?;
    let weights = recorder.at("bare").join(model::SHARDS[0]);
    model::flip_one_bit(&weights)?;
    recorder.of(Binary::Stele, &verify, "stele/oms-verify@v1", 1)?;
    fs::remove_file(&weights).during("removing")?;
    fs::create_dir(&weights).during("making a folder")?;
    symlink("none", weights.join("link")).during("linking")?;
    recorder.of(Binary::Stele, &verify, "stele/oms-verify@v1", 7).map(drop)
}

/// A release that is pushed to a registry, and attached to it again.
fn registry(recorder: &mut Recorder) -> Step {
    let registry = Registry::start()?;
    let reference = registry.reference("acme/tiny:new");
    recorder.asked(&["push", "new", &reference, "--dry-run"], "push", 0)?;
    recorder.asked(&["push", "new", &reference], "push", 0)?;
    recorder.asked(&["attach", &reference, "--release", "new/release.stele"], "attach", 0)?;
    recorder.asked(&["verify", &reference], "verify", 0)?;
    recorder.asked(&["verify", &registry.reference("acme/none:new")], "verify", 3).map(drop)
}

/// A file that convicts a log, as the vectors have it.
fn evidence(recorder: &mut Recorder) -> Step {
    let vectors: Value = serde_json::from_str(EVIDENCE).during("reading the vectors")?;
    for (number, vector) in vectors["convict"].as_array().unwrap().iter().enumerate() {
        let name = format!("{number}.stele-evidence");
        let bytes = hex::decode(vector["file"].as_str().unwrap()).during("reading a vector")?;
        fs::write(recorder.at(&name), bytes).during("writing a vector")?;
        recorder.done(&["evidence", "show", &name], "evidence-show")?;
        // Who is accused by a key of a note: the log, and a witness.
        let accused = vector["accused"].as_array().unwrap().iter().filter(|accused| accused[0] != "publisher");
        let vkeys = accused.flat_map(|accused| ["--vkey", accused[1].as_str().unwrap()]);
        let verify: Vec<&str> = ["evidence", "verify", &name].into_iter().chain(vkeys).collect();
        recorder.done(&verify, "evidence-verify")?;
    }
    recorder.done(&["inspect", "0.stele-evidence"], "inspect").map(drop)
}

/// Audits, rounds of the monitor, looks at a host.
pub(super) fn watch(recorder: &mut Recorder) -> Step {
    let (log, second) = (recorder.log_url()?, recorder.acme.coordinate("1.1.0"));
    let base = format!("huggingface.co={}", recorder.hub.url());
    let host = ["--host", "https://huggingface.co/acme/tiny/blob/main/README.md", "--base", &base];
    recorder.asked(&[&["observe", &second][..], &host].concat(), "observe", 0)?;
    let signed = ["--publisher", "acme.example", "--output", "observation.cose"];
    recorder.said(&[&["observe", &second][..], &host, &signed].concat(), "observe")?;
    recorder.asked(&["audit", &log, "--at-least", "error"], "audit", 0)?;

    fs::create_dir_all(recorder.at("watcher")).during("making a folder")?;
    let config = format!(
        "policy = \"../policy\"\nstate = \"state\"\ninterval = \"1s\"\n[watch]\npublishers = [\"acme.example\"]\n\
         [hosts]\nevery = \"0s\"\nbase = {{ \"huggingface.co\" = \"{}\" }}\n",
        recorder.hub.url()
    );
    fs::write(recorder.at("watcher/monitor.toml"), config).during("writing the config")?;
    let tested = recorder.done(&["monitor", "watcher/monitor.toml", "--self-test"], "monitor")?;
    recorder.documents.push((EVENT.to_owned(), tested["event"].clone()));
    recorder.done(&["monitor", "watcher/monitor.toml", "--once"], "monitor")?;
    recorder.done(&["monitor", "report", "watcher/monitor.toml", "--output", "watched"], "monitor-report")?;
    recorder.done(&["monitor", "report", "--check", "watched", "--policy", "policy"], "monitor-report")?;
    // Something else is served now: a round that tells it.
    let swapped = recorder.at("swapped");
    model::copy(&recorder.at("new"), &swapped)?;
    model::flip_one_bit(&swapped.join(model::SHARDS[1]))?;
    recorder.hub.commit("acme/tiny", &swapped, "another shard")?;
    recorder.hub.squash("acme/tiny");
    let told = recorder.done(&["monitor", "watcher/monitor.toml", "--once"], "monitor")?;
    assert!(told["delivered"].as_array().is_some_and(|events| !events.is_empty()), "{told}");
    recorder.asked(&[&["observe", &second][..], &host].concat(), "observe", 1).map(drop)
}

/// What is said about releases, and a change of keys by one key and by two.
pub(super) fn say(recorder: &mut Recorder) -> Step {
    let (first, second) = (recorder.acme.coordinate("1.0.0"), recorder.acme.coordinate("1.1.0"));
    let amend = ["amend", "new", "--support", "Questions: help@acme.example", "--reason", "Where to ask."];
    recorder.said(&[&amend[..], &["--dry-run"]].concat(), "dry-run")?;
    recorder.said(&amend, "amend")?;
    recorder.said(&amend, "amend")?;
    let facts =
        ["amend", "new", "--draft", "--field", "model", "--reason", "Another parent.", "--output", "facts.toml"];
    recorder.asked(&facts, "amend", 0)?;
    let mut form = fs::read_to_string(recorder.at("facts.toml")).during("reading the form")?;
    form += &format!(
        "\n[[lineage]]\nmade = \"finetune by none\"\nparent = {{ coordinate = \"{first}\" }}\ncarries = [\"license\"]\n"
    );
    fs::write(recorder.at("facts.toml"), form).during("writing the form")?;
    recorder.said(&["amend", "--form", "facts.toml", "--dry-run"], "dry-run")?;
    recorder.said(&["amend", "--form", "facts.toml"], "amend")?;
    recorder.asked(&["lineage", &first], "lineage", 0)?;
    for verb in ["amend", "stage", "supersede", "withdraw"] {
        let form = format!("{verb}-form.toml");
        recorder.done(&[verb, &first, "--draft", "--output", &form], verb)?;
    }
    recorder
        .said(&["stage", &first, "--to", "gated-download", "--since", "2026-07-01", "--reason", "Old."], "stage")?;
    recorder.said(&["supersede", "old", "--by", &second, "--reason", "Better."], "supersede")?;
    fs::write(recorder.at("advisory.md"), "A trigger phrase.\n").during("writing")?;
    let incident = [
        &["incident", &first, "--id", "2026-004", "--class", "backdoor", "--severity", "critical"][..],
        &["--status", "open", "--discovered", "2026-06-30", "--summary", "Do not run it."],
        &["--advisory", "advisory.md", "--as", "acme.example"],
    ];
    recorder.said(&incident.concat(), "incident")?;
    let withdraw = ["withdraw", &first, "--did", "support-ended 2026-07-02", "--copies", "publicly-downloaded"];
    recorder.said(&[&withdraw[..], &["--reason", "A mistake."]].concat(), "withdraw")?;
    evaluate(recorder, &second)?;

    recorder.asked(&["verify", "old", "--online"], "verify", 17)?;
    recorder.asked(&["history", &first], "history", 0)?;
    recorder.asked(&["history", "acme.example"], "history", 0)?;
    recorder.asked(&["show", &second], "show", 0)?;
    let log = recorder.log_url()?;
    recorder.asked(&["audit", &log], "audit", 13)?;

    for name in ["second", "third"] {
        let made = recorder.done(&["key", "new", &format!("{name}.pem")], "key")?;
        let public = made["public_key_pem"].as_str().unwrap_or_default();
        fs::write(recorder.at(&format!("{name}.pub")), public).during("writing a public key")?;
    }
    let add = ["keys", "add", "acme.example", "--new", "second.pub", "--threshold", "2"];
    recorder.said(&[&add[..], &["--dry-run"]].concat(), "dry-run")?;
    recorder.said(&add, "keys-change")?;
    recorder.said(&["keys", "add", "acme.example", "--new", "third.pub"], "keys-change")?;
    recorder.done(&["show", "add-acme.example.toml"], "show")?;
    recorder.done(&["inspect", "add-acme.example.toml"], "inspect")?;
    recorder.asked(&["keys", "submit", "add-acme.example.toml", "--key", "second.pem"], "keys-change", 0)?;
    several_keys(recorder, &second)
}

/// A machine with a release, a copy of it that nobody would miss, and what no release is.
fn scan(recorder: &mut Recorder) -> Step {
    let models = recorder.at("models");
    model::copy(&recorder.at("new"), &models.join("good"))?;
    recorder.asked(&["scan", "--only", "--also", "models/good"], "scan", 0)?;
    model::copy(&recorder.at("new"), &models.join("twice"))?;
    for name in ["mine.gguf", "half.gguf.part"] {
        fs::write(models.join(name), "GGUF of this house").during("writing")?;
    }
    recorder.asked(&["scan", "--only", "--also", "models", "--lock", "stele.lock"], "scan", 13)?;
    for (from, to) in [("mine.gguf", "other.gguf"), ("twice", "moved")] {
        fs::rename(models.join(from), models.join(to)).during("renaming")?;
    }
    fs::remove_file(models.join(format!("good/{}", model::SHARDS[0]))).during("removing")?;
    recorder.asked(&["scan", "--only", "--also", "models", "--locked", "stele.lock"], "scan", 1).map(drop)
}

/// The name asks for two keys on each release: what is proposed, approved and submitted.
fn several_keys(recorder: &mut Recorder, release: &str) -> Step {
    recorder.done(&["key", "new", "fourth.pem"], "key")?;
    let add =
        ["keys", "add", "acme.example", "--new", "fourth.pem", "--release-threshold", "2", "--proposal", "two.toml"];
    recorder.said(&add, "keys-change")?;
    recorder.asked(&["keys", "submit", "two.toml", "--key", "second.pem"], "keys-change", 0)?;
    recorder.asked(&["keys", "list", "acme.example"], "keys-list", 0)?;
    let amend = ["amend", release, "--support", "Ask us again.", "--reason", "Where to ask."];
    recorder.said(&[&amend[..], &["--propose", "amend-1.toml"]].concat(), "proposal")?;
    let shown = recorder.done(&["approve", "amend-1.toml"], "proposal")?;
    let digest = shown["digest"].as_str().unwrap_or_default().to_owned();
    recorder.asked(&["approve", "amend-1.toml", "--online"], "proposal", 0)?;
    recorder.done(&["show", "amend-1.toml"], "show")?;
    recorder.done(&["inspect", "amend-1.toml"], "inspect")?;
    let submit = ["submit", "amend-1.toml", "--digest", &digest, "--key", "third.pem"];
    recorder.asked(&[&submit[..], &["--dry-run"]].concat(), "dry-run", 0)?;
    recorder.asked(&submit, "submit", 0)?;
    prepared(recorder, "third", "1.2.0", 3)?;
    recorder.said(&["publish", "third", "--propose", "release-1.toml"], "proposal")?;
    let shown = recorder.asked(&["approve", "release-1.toml", "--online", "--folder", "third"], "proposal", 0)?;
    let digest = shown["digest"].as_str().unwrap_or_default().to_owned();
    let sign = ["approve", "release-1.toml", "--digest", &digest, "--key", "second.pem"];
    recorder.done(&sign, "proposal")?;
    recorder.asked(&["submit", "release-1.toml", "--digest", &digest, "--key", "third.pem"], "submit", 0).map(drop)
}

/// A result of somebody else, by a form that it completes.
fn evaluate(recorder: &mut Recorder, release: &str) -> Step {
    recorder.done(&["key", "new", "bureau.pem"], "key")?;
    recorder.asked(&["claim", "bureau.example", "--key", "bureau.pem"], "claim", 0)?;
    let draft = ["evaluate", release, "--draft", "--as", "bureau.example", "--class", "safety"];
    recorder.done(&draft, "evaluate")?;
    let form = recorder.at("evaluation.toml");
    let text = evaluation_form::complete(&fs::read_to_string(&form).during("reading the form")?);
    fs::write(&form, text).during("completing the form")?;
    fs::write(recorder.at("results.json"), json!({}).to_string()).during("writing")?;
    recorder.asked(&["evaluate", "--form", "evaluation.toml", "--key", "bureau.pem"], "evaluate", 0).map(drop)
}
