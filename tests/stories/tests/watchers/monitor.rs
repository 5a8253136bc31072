//! A monitor is silent about what its publisher expects, and loud about everything else.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use stele_harness::binaries::Binary;
use stele_harness::command::{self, Told};
use stele_harness::hub::Hub;
use stele_harness::network::{Network, ORIGIN, path};
use stele_harness::process::Server;
use stele_harness::publisher::Publisher;
use stele_probe::failure::{During, Step};
use stele_probe::http;
use stele_samples::model;
use stele_spec::checkpoint::{Checkpoint, sign_checkpoint};
use stele_spec::hash::RootHash;
use stele_spec::misbehaviour::{KnownKeys, Misbehaviour};
use stele_spec::note::SignerKey;

/// A config and a hook beside a network.
struct Watcher {
    config: PathBuf,
    folder: PathBuf,
}

impl Watcher {
    /// `hook` is a shell script that gets the event on stdin.
    fn new(network: &Network, hook: &str, more: &str) -> Step<Self> {
        let folder = network.at("watcher");
        fs::create_dir_all(&folder).during("making a folder")?;
        let script = folder.join("hook");
        fs::write(&script, format!("#!/bin/sh\n{hook}\n")).during("writing the hook")?;
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).during("writing the hook")?;
        let config = folder.join("monitor.toml");
        let text = format!(
            "policy = \"../policy\"\nstate = \"state\"\nexpected = [\"expected\"]\nheartbeat = \"heartbeat\"\ninterval = \"1s\"\n{more}\n\
             [hook]\ncommand = [\"./hook\"]\nfirst_retry = \"1s\"\n"
        );
        fs::write(&config, text).during("writing the config")?;
        Ok(Self { config, folder })
    }

    fn once(&self) -> Step<Told> {
        command::run(Binary::Stele, ["--json", "monitor", path(&self.config)?, "--once"])
    }

    /// The same under a clock that is ahead.
    fn once_ahead(&self, seconds: u64) -> Step<Told> {
        let mut command = Command::new(Binary::Stele.path()?);
        command.args(["--json", "monitor", path(&self.config)?, "--once"]);
        command.env("STELE_TEST_CLOCK_OFFSET", seconds.to_string());
        command::finish(command, format!("stele monitor --once, {seconds} s ahead"))
    }

    /// The events that the hook was given.
    fn got(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.folder.join("got")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn forget(&self) {
        let _ = fs::remove_file(self.folder.join("got"));
    }
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["kind"].as_str().unwrap()).collect()
}

fn released(acme: &Publisher, folder: &Path, version: &str, seed: u64, more: &[&str]) -> Step {
    model::write(folder, seed)?;
    acme.prepare(folder, version)?;
    acme.publish_with(folder, more)?.expect(0).map(drop)
}

#[test]
fn an_unexpected_release_is_told_at_least_once_and_an_expected_one_never() -> Step {
    let network = Network::start(1, 1)?;
    let acme = Publisher::new(&network, "acme.example")?;
    // The third event kills the monitor before the hook has said yes; the fourth is refused the first time.
    let hook = "cat > event; count=$(ls seen | wc -l); touch seen/$STELE_EVENT_ID$count\n\
                if [ -e die ]; then rm die; kill -9 $PPID; exit 0; fi\n\
                if [ -e refuse ]; then rm refuse; echo no room >&2; exit 1; fi\n\
                cat event >> got";
    let watcher = Watcher::new(&network, hook, "[watch]\npublishers = [\"acme.example\"]")?;
    fs::create_dir_all(watcher.folder.join("seen")).during("making a folder")?;
    let expected = watcher.folder.join("expected");

    released(&acme, &network.at("one"), "1.0.0", 1, &["--expect", path(&expected)?])?;
    let told = watcher.once()?.expect(0)?.json()?;
    assert_eq!((told["delivered"].as_array().unwrap().len(), watcher.got().len()), (0, 0), "{told}");
    assert!(told["logs"][0]["entries"].as_u64().unwrap() >= 3, "{told}");
    assert!(told["logs"][0]["witnesses"][0]["said"].as_str().unwrap().contains("agrees"), "{told}");

    // Somebody has the key, or somebody in the house forgot to say.
    released(&acme, &network.at("two"), "2.0.0", 2, &[])?;
    fs::write(watcher.folder.join("die"), "").during("writing")?;
    let killed = watcher.once()?;
    assert_eq!(killed.code, None, "{}", killed.failure("the hook kills the monitor"));
    assert_eq!(watcher.got().len(), 0);
    watcher.once()?.expect(0)?;
    let events = watcher.got();
    assert_eq!(kinds(&events), ["entry"]);
    assert_eq!(events[0]["details"]["coordinates"][0], acme.coordinate("2.0.0"));
    assert_eq!(fs::read_dir(watcher.folder.join("seen")).unwrap().count(), 2, "told twice, under one id");
    assert!(watcher.once()?.expect(0)?.json()?["delivered"].as_array().unwrap().is_empty());
    assert_eq!(watcher.got().len(), 1);

    // A hook that says no is asked again, later.
    released(&acme, &network.at("three"), "3.0.0", 3, &[])?;
    fs::write(watcher.folder.join("refuse"), "").during("writing")?;
    let refused = watcher.once()?.expect(9)?.json()?;
    assert_eq!((refused["error"].as_str(), refused["waiting"].as_u64()), (Some("hook-failed"), Some(1)), "{refused}");
    assert!(refused["message"].as_str().unwrap().contains("no room"), "{refused}");
    sleep(Duration::from_millis(1_100));
    watcher.once()?.expect(0)?;
    assert_eq!(kinds(&watcher.got()), ["entry", "entry"]);
    Ok(())
}

#[test]
fn a_monitor_tells_that_it_lives_that_its_log_is_old_and_that_its_hook_works() -> Step {
    let mut network = Network::start(1, 1)?;
    let acme = Publisher::new(&network, "acme.example")?;
    released(&acme, &network.at("one"), "1.0.0", 1, &[])?;
    // A mirror of static files is as good as the log.
    let mirror = network.at("log/data/public");
    let more = format!(
        "start = \"now\"\n[[log]]\norigin = \"{ORIGIN}\"\nsource = \"{}\"\n[alert]\nstale = \"1h\"\nunreachable = \"1h\"\nbehind = \"0s\"\n[watch]\neverything = true",
        path(&mirror)?
    );
    let watcher = Watcher::new(&network, "cat >> got", &more)?;
    watcher.once()?.expect(0)?;
    assert_eq!(kinds(&watcher.got()), [] as [&str; 0], "what was there before is not told");

    let tested = command::run(Binary::Stele, ["monitor", path(&watcher.config)?, "--self-test"])?.expect(0)?;
    assert!(tested.stdout.contains("self-test.invalid"), "{}", tested.stdout);
    assert_eq!(kinds(&watcher.got()), ["self-test"]);
    watcher.forget();

    watcher.once_ahead(7_200)?.expect(0)?;
    watcher.once_ahead(7_300)?.expect(0)?;
    watcher.once()?.expect(0)?;
    let states: Vec<_> = watcher
        .got()
        .iter()
        .map(|event| format!("{} {}", event["details"]["alert"], event["details"]["state"]))
        .collect();
    assert_eq!(states, ["\"stale\" \"raised\"", "\"stale\" \"recovered\""]);
    watcher.forget();

    // A mirror that goes back shows an older tree: what was seen stays known.
    let newest = fs::read(mirror.join("checkpoint")).during("reading")?;
    released(&acme, &network.at("two"), "2.0.0", 2, &[])?;
    watcher.once()?.expect(0)?;
    fs::write(mirror.join("checkpoint"), newest).during("writing")?;
    let behind = watcher.once()?.expect(0)?.json()?;
    assert_eq!(behind["alerts"][0]["alert"], format!("behind {ORIGIN}"), "{behind}");
    assert_eq!(kinds(&watcher.got()), ["entry", "alert"]);

    // As a daemon it writes its heartbeat, and ends when it is asked to.
    let heartbeat = watcher.folder.join("heartbeat");
    fs::remove_file(&heartbeat).during("removing")?;
    let mut daemon = Command::new(Binary::Stele.path()?);
    let mut daemon =
        daemon.args(["monitor", path(&watcher.config)?]).stdin(Stdio::null()).spawn().during("starting")?;
    let until = Instant::now() + Duration::from_secs(30);
    while !heartbeat.exists() && Instant::now() < until {
        sleep(Duration::from_millis(20));
    }
    let beat: Value = serde_json::from_slice(&fs::read(&heartbeat).during("no heartbeat")?).during("reading it")?;
    assert!(beat["logs"][ORIGIN]["entries"].as_u64().is_some(), "{beat}");
    kill_process(Pid::from_child(&daemon), Signal::TERM).during("asking it to stop")?;
    assert!(daemon.wait().during("waiting")?.success());
    network.stop()
}

#[test]
fn a_witness_that_saw_another_history_convicts_the_log() -> Step {
    let network = Network::start(1, 1)?;
    let acme = Publisher::new(&network, "acme.example")?;
    released(&acme, &network.at("one"), "1.0.0", 1, &[])?;

    // The log's key signs a second history, and a witness that never saw the first cosigns it.
    let folder = network.at("other-witness");
    let made = command::run(Binary::Witness, ["init", path(&folder)?, "--name", "witness.example/other"])?.expect(0)?;
    let words = made.all();
    let vkey = words.split_whitespace().find(|word| word.starts_with("witness.example/other+")).unwrap().to_owned();
    command::run(Binary::Witness, ["logs", "add", path(&folder)?, "--vkey", network.log_vkey()])?.expect(0)?;
    let arguments = ["run", path(&folder)?].map(Into::into).to_vec();
    let mut other = Server::new("other-witness", Binary::Witness.path()?, arguments, network.at("messages/other"));
    other.start()?;
    let key = fs::read_to_string(network.at("log/log.key")).during("reading the log's key")?;
    let signer = SignerKey::from_secret_string(key.trim()).during("reading the log's key")?;
    let forged = Checkpoint::new(ORIGIN.parse().during("origin")?, 2, RootHash::from_bytes([5; 32]));
    let note = sign_checkpoint(&forged, &signer).during("signing")?;
    http::post(other.address()?, "/add-checkpoint", "text/plain", format!("old 0\n\n{note}").as_bytes())?
        .expect(200)?;

    let policy = network.policy();
    let line = format!("witness other {vkey} {}\ngroup witnesses ", other.url()?);
    fs::write(network.at("wide-policy"), policy.replace("group witnesses ", &line)).during("writing a policy")?;
    let watcher = Watcher::new(&network, "cat >> got", "[watch]\nnames = [\"acme.example/other\"]")?;
    let config = fs::read_to_string(&watcher.config).unwrap().replace("../policy", "../wide-policy");
    fs::write(&watcher.config, config).during("writing the config")?;

    let told = watcher.once()?.expect(12)?.json()?;
    assert_eq!(told["error"], "misbehaviour", "{told}");
    let events = watcher.got();
    assert_eq!(kinds(&events), ["misbehaviour"]);
    let details = &events[0]["details"];
    let told = (details["misbehaviour"].as_str().unwrap(), details["shown_by"].as_str().unwrap());
    assert_eq!(told, ("split-view", "witness other"), "{details}");

    // Anyone can check the file with the log's key alone.
    let evidence = fs::read(details["evidence"].as_str().unwrap()).during("reading the evidence")?;
    let evidence = Misbehaviour::parse(&evidence).during("reading the evidence")?;
    let verdict = evidence.check(&KnownKeys::new([signer.verifier()])).during("checking the evidence")?;
    assert!(verdict.what.contains("does not begin with the 2 it had signed"), "{}", verdict.what);

    // It is told once, and stays an error.
    watcher.once()?.expect(12)?;
    assert_eq!(watcher.got().len(), 1);
    Ok(())
}

#[test]
fn a_host_is_watched_without_downloading_the_weights() -> Step {
    const REPOSITORY: &str = "acme/tiny";
    let network = Network::start(1, 1)?;
    let acme = Publisher::new(&network, "acme.example")?;
    let hub = Hub::start()?;
    let folder = network.at("model");
    model::write(&folder, 1)?;
    let commit = hub.commit(REPOSITORY, &folder, "first upload")?;
    acme.prepare(&folder, "1.0.0")?;
    let toml = folder.join("release.toml");
    let text = fs::read_to_string(&toml).during("reading the draft")?;
    let host =
        format!("type = \"huggingface\"\nlocator = \"https://huggingface.co/{REPOSITORY}\"\nrevision = \"{commit}\"");
    let text = text.replace("type = \"https\"\nlocator = \"https://models.acme.example/tiny/\"", &host);
    fs::write(&toml, text).during("writing the draft")?;
    let watcher = Watcher::new(
        &network,
        "cat >> got",
        &format!(
            "[watch]\nnames = [\"{}\"]\n[observe]\nkey = \"../publisher.pem\"\npublisher = \"acme.example\"\nsubmit = true\n\
             [hosts]\nevery = \"0s\"\nbase = {{ \"huggingface.co\" = \"{}\", \"ollama.com\" = \"{}\" }}\n\
             also = [{{ coordinate = \"{}\", type = \"huggingface\", locator = \"https://huggingface.co/mirror/tiny\" }}]",
            acme.coordinate("1.0.0"),
            hub.url(),
            hub.url(),
            acme.coordinate("1.0.0")
        ),
    )?;
    acme.publish_with(&folder, &["--expect", path(&watcher.folder.join("expected"))?])?.expect(0)?;

    let result = |told: &Value| told["hosts"][0]["result"].as_str().unwrap_or_default().to_owned();
    let told = watcher.once()?.expect(0)?.json()?;
    assert_eq!((result(&told), watcher.got().len()), ("match".into(), 0), "{told}");
    assert!(hub.asked().iter().any(|path| path.contains("cursor=")), "the tree came in pages");

    // Squashed: another commit, the same content. Nothing to tell; the commit was only a locator.
    hub.commit(REPOSITORY, &folder, "squashed")?;
    hub.squash(REPOSITORY);
    let told = watcher.once()?.expect(0)?.json()?;
    assert_eq!((result(&told), watcher.got().len()), ("match".into(), 0), "{told}");
    assert!(told["hosts"][0]["note"].as_str().unwrap().contains(&commit), "{told}");

    // One shard is another one now, and the old commit is gone from history.
    let swapped = network.at("swapped");
    model::copy(&folder, &swapped)?;
    model::flip_one_bit(&swapped.join(model::SHARDS[1]))?;
    hub.commit(REPOSITORY, &swapped, "requantized")?;
    hub.squash(REPOSITORY);
    watcher.once()?.expect(0)?;
    watcher.once()?.expect(0)?;
    let events = watcher.got();
    assert_eq!(kinds(&events), ["host"], "told once");
    let details = &events[0]["details"];
    assert_eq!((&details["result"], &details["weights_differ"]), (&Value::from("differs"), &Value::Bool(true)));
    let files: BTreeSet<&str> =
        details["files"].as_array().unwrap().iter().map(|file| file["path"].as_str().unwrap()).collect();
    assert_eq!(files, BTreeSet::from([model::SHARDS[1]]));

    // The name is deleted, and the mirror that nobody recorded has the very bytes.
    hub.delete(REPOSITORY);
    hub.commit("mirror/tiny", &folder, "mirrored")?;
    watcher.forget();
    watcher.once()?.expect(0)?;
    let mut results: Vec<String> = watcher.got().iter().map(|event| event["details"]["result"].to_string()).collect();
    results.sort();
    assert_eq!(results, ["\"absent\"", "\"unlogged\""]);

    // Each was said in public, signed, and is no news to the one who said it.
    watcher.forget();
    watcher.once()?.expect(0)?;
    assert_eq!(watcher.got().len(), 0);
    let kept = fs::read_dir(watcher.folder.join("state/observations")).during("listing observations")?.count();
    assert_eq!(kept, 3);
    let name = acme.coordinate("1.0.0").replace('#', "%23");
    let listed = network.get(&format!("/lookup/coordinate?name={name}"))?.expect(200)?.json()?;
    assert_eq!(listed["positions"].as_array().unwrap().len(), 4, "{listed}");

    // By hand, for anybody.
    hub.commit(REPOSITORY, &swapped, "again")?;
    let host = format!("https://huggingface.co/{REPOSITORY}");
    let base = format!("huggingface.co={}", hub.url());
    let coordinate = acme.coordinate("1.0.0");
    let policy = network.policy_path();
    let arguments = ["observe", &coordinate, "--host", &host, "--base", &base, "--policy", path(&policy)?];
    let told = command::run(Binary::Stele, arguments)?.expect(1)?;
    assert!(told.stdout.contains(model::SHARDS[1]), "{}", told.stdout);

    // An edited card is a warning; a pasted address of the card is its repository.
    let edited = network.at("edited");
    model::copy(&folder, &edited)?;
    fs::write(edited.join("README.md"), "# Better words\n").during("editing the card")?;
    hub.commit(REPOSITORY, &edited, "a better card")?;
    hub.squash(REPOSITORY);
    let card = format!("https://huggingface.co/{REPOSITORY}/blob/main/README.md");
    let observe = |host: &str| {
        let arguments = ["--json", "observe", &coordinate, "--host", host, "--base", &base, "--policy", path(&policy)?];
        command::run(Binary::Stele, arguments)
    };
    let told = observe(&card)?.expect(13)?.json()?;
    assert_eq!((&told["error"], &told["finding"]), (&"host-documents-differ".into(), &"host-documents-differ".into()));
    assert_eq!((&told["result"], &told["weights_differ"]), (&"differs".into(), &Value::Bool(false)), "{told}");
    assert_eq!(told["cut_from"], card, "{told}");

    // Files that a loader would take stand beside the recorded ones.
    let adapted = network.at("adapted");
    model::copy(&folder, &adapted)?;
    fs::write(adapted.join("adapter_config.json"), "{\"base_model_name_or_path\":\"evil/other\"}").during("writing")?;
    fs::write(adapted.join(".gitattributes"), "* text\n").during("writing")?;
    hub.commit(REPOSITORY, &adapted, "an adapter")?;
    let told = observe(&host)?.expect(16)?.json()?;
    assert_eq!((&told["error"], &told["result"]), (&"extra-loadable".into(), &"match".into()), "{told}");
    let loadable = told["loadable"].as_array().unwrap();
    assert_eq!((loadable.len(), &loadable[0]["path"]), (1, &"adapter_config.json".into()), "{told}");
    watcher.forget();
    watcher.once()?.expect(0)?;
    watcher.once()?.expect(0)?;
    assert_eq!(kinds(&watcher.got()).iter().filter(|kind| **kind == "extra-loadable").count(), 1, "told once");
    Ok(())
}

#[test]
fn a_host_in_a_private_network_is_asked_only_where_the_operator_allows_it() -> Step {
    let network = Network::start(1, 1)?;
    let acme = Publisher::new(&network, "acme.example")?;
    let private = TcpListener::bind("127.0.0.1:0").during("listening")?;
    let address = private.local_addr().during("listening")?;
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    std::thread::spawn(move || private.incoming().for_each(|_| _ = counted.fetch_add(1, Ordering::SeqCst)));
    let folder = network.at("model");
    model::write(&folder, 1)?;
    acme.prepare(&folder, "1.0.0")?;
    let toml = folder.join("release.toml");
    let text = fs::read_to_string(&toml).during("reading the draft")?;
    let host =
        format!("type = \"huggingface\"\nlocator = \"https://{address}/acme/tiny\"\nrevision = \"{}\"", "a".repeat(40));
    let text = text.replace("type = \"https\"\nlocator = \"https://models.acme.example/tiny/\"", &host);
    fs::write(&toml, text).during("writing the draft")?;
    acme.publish_with(&folder, &[])?.expect(0)?;
    let watching = |allow: &str| {
        let name = acme.coordinate("1.0.0");
        let hosts = format!("[watch]\nnames = [\"{name}\"]\n[hosts]\nevery = \"0s\"\n{allow}\n");
        Watcher::new(&network, "cat >> got", &hosts)
    };
    // Anybody who signs a record would choose whom the monitor speaks with.
    let told = watching("")?.once()?.expect(0)?.json()?;
    assert_eq!(told["hosts"].as_array().map(Vec::len), Some(1), "{told}");
    assert_eq!(calls.load(Ordering::SeqCst), 0, "{told}");
    let told = watching("allow_private_hosts = true")?.once()?.expect(0)?.json()?;
    assert!(calls.load(Ordering::SeqCst) > 0, "{told}");
    Ok(())
}
