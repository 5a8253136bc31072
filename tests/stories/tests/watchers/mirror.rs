//! A log disappears, or lies: whoever reads the mirror loses nothing, and sees one history.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use stele_harness::binaries::Binary;
use stele_harness::command::{self, Told};
use stele_harness::file_server::FileServer;
use stele_harness::lying_log::{LyingLog, ORIGIN as LYING};
use stele_harness::network::{Network, ORIGIN, path};
use stele_harness::process::{Server, poll};
use stele_harness::proxy::{Encoding, Proxy};
use stele_harness::publisher::Publisher;
use stele_probe::failure::Step;
use stele_probe::http;
use stele_samples::model;
use stele_samples::statements::Speaker;
use stele_spec::checkpoint::{Checkpoint, Origin};
use stele_spec::note::SignedNote;

/// How long a copy of a small log may take.
const SOON: Duration = Duration::from_secs(60);

/// An auditor's witness that pulls a log, and the mirror beside it.
struct Mirror {
    folder: PathBuf,
    server: Server,
    origin: Origin,
}

impl Mirror {
    fn init(home: &std::path::Path, origin: &str, vkey: &str, url: &str) -> Step<Self> {
        let folder = home.join("auditor");
        let at = path(&folder)?.to_owned();
        let run = |arguments: &[&str]| command::run(Binary::Witness, arguments)?.expect(0);
        run(&["init", &at, "--name", "auditor.example"])?;
        run(&["logs", "add", &at, "--vkey", vkey, "--pull", url, "--pull-seconds", "1"])?;
        run(&["mirror", "init", &at, "--name", "mirror.example/m1"])?;
        run(&["mirror", "add", &at, origin])?;
        let program = Binary::Witness.path()?;
        let server = Server::new("mirror", program, vec!["run".into(), at.into()], home.join("messages-of-the-mirror"));
        Ok(Self { folder, server, origin: origin.parse().unwrap() })
    }

    /// Passes on the lines of these cosigners.
    fn pass_on(&self, vkeys: &[String]) {
        let config = self.folder.join("witness.toml");
        let text = fs::read_to_string(&config).unwrap();
        let keys: Vec<_> = vkeys.iter().map(|vkey| format!("{vkey:?}")).collect();
        let line = format!("mirror = true\ncosigners = [{}]\n", keys.join(", "));
        fs::write(&config, text.replacen("mirror = true\n", &line, 1)).unwrap();
    }

    fn url(&self) -> Step<String> {
        Ok(format!("{}/mirror/{}", self.server.url()?, self.origin.digest()))
    }

    /// The head that it serves, once it has one.
    fn head(&self) -> Option<Checkpoint> {
        let page = format!("/mirror/{}/checkpoint", self.origin.digest());
        let answer = http::get(self.server.address().ok()?, &page).ok()?;
        Checkpoint::parse(SignedNote::parse(&answer.body).ok()?.text()).ok()
    }

    fn wait_for(&self, size: u64) -> Step {
        let there = || self.head().filter(|head| head.size() >= size).map(drop);
        poll(SOON, &format!("a mirror of {size} entries"), there)
            .map_err(|failure| self.server.failure(&failure.to_string()))
    }

    fn verify(&self) -> Step<Told> {
        command::run(Binary::Witness, ["mirror", "verify", path(&self.folder)?])
    }
}

/// How many entries the log has published.
fn published(network: &Network) -> u64 {
    let note = network.get("/checkpoint").unwrap().expect(200).unwrap();
    Checkpoint::parse(SignedNote::parse(&note.body).unwrap().text()).unwrap().size()
}

#[test]
fn a_log_that_is_gone_is_audited_from_the_mirror_entry_by_entry() -> Step {
    let mut network = Network::start(2, 2)?;
    let log = format!("http://{}", network.log_address()?);
    let mut mirror = Mirror::init(network.home(), ORIGIN, network.log_vkey(), &log)?;
    mirror.pass_on(network.witness_vkeys());
    mirror.server.start()?;
    let acme = Publisher::new(&network, "acme.example")?;
    let folder = network.at("model");
    acme.release(&folder, "1.0.0", 1)?;
    for number in 0..20 {
        network.accepted(Speaker::new(number)?.claim()?.bytes())?;
    }
    let size = published(&network);
    mirror.wait_for(size)?;
    let before = audit(&network, &log)?;

    // Log and witnesses are gone, and the mirror is started anew.
    network.log.kill();
    network.witnesses.iter_mut().for_each(Server::kill);
    fs::remove_dir_all(network.at("log")).unwrap();
    mirror.server.kill();
    mirror.server.start()?;
    let after = audit(&network, &mirror.url()?)?;
    assert!(published_size(&after) >= size, "{after}");
    assert_eq!(after["findings"], before["findings"], "the manifests are there as well");
    let told = mirror.verify()?.expect(0)?;
    assert!(told.stdout.contains("1 manifests, 0 manifests missing"), "{}", told.stdout);
    mirror.server.stop()
}

#[test]
fn a_log_behind_a_front_that_compresses_unasked_is_copied_and_read_as_it_is() -> Step {
    let network = Network::start(1, 1)?;
    let proxy = Proxy::start(network.log_address()?)?;
    proxy.encode(Encoding::Unasked);
    let mut mirror = Mirror::init(network.home(), ORIGIN, network.log_vkey(), &proxy.url())?;
    mirror.pass_on(network.witness_vkeys());
    mirror.server.start()?;
    let acme = Publisher::new(&network, "acme.example")?;
    let folder = network.at("model");
    model::write(&folder, 1)?;
    acme.prepare(&folder, "1.0.0")?;
    let through = ["--log", &proxy.url()];
    acme.publish_with(&folder, &through)?.expect(0)?;
    acme.verify_with(&folder, &["--online", "--log", &proxy.url()])?.expect(0)?;
    mirror.wait_for(published(&network))?;
    let told = mirror.verify()?.expect(0)?;
    assert!(told.stdout.contains("1 manifests, 0 manifests missing"), "{}", told.stdout);

    let sent = proxy.sent();
    for path in ["/checkpoint", "/tile/0/", "/tile/entries/", "/manifests/", "/entries"] {
        assert!(sent.iter().any(|sent| sent.gzip && sent.path.starts_with(path)), "{path}: {sent:?}");
    }
    // What is kept and served is what the log published, byte for byte.
    let from_log = audit(&network, &format!("http://{}", network.log_address()?))?;
    assert_eq!(audit(&network, &mirror.url()?)?["findings"], from_log["findings"]);
    mirror.server.stop()
}

/// The report of an audit, whatever it finds.
fn audit(network: &Network, log: &str) -> Step<serde_json::Value> {
    let policy = network.policy_path();
    let told = command::run(Binary::Stele, ["audit", log, "--policy", path(&policy)?, "--json"])?;
    assert!(matches!(told.code, Some(0 | 13)), "{}", told.all());
    told.json()
}

fn published_size(report: &serde_json::Value) -> u64 {
    report["head"]["tree_size"].as_u64().unwrap()
}

#[test]
fn killed_in_the_middle_of_a_copy_it_goes_on_and_a_fork_that_comes_then_is_refused() -> Step {
    let home = tempfile::tempdir().unwrap();
    let served = home.path().join("log");
    let mut log = LyingLog::new()?;
    // 32 MiB: several writes of what is gathered.
    for number in 0..700_u32 {
        log.say_bytes(&number.to_be_bytes().repeat(12_000))?;
    }
    log.write(&served)?;
    let files = FileServer::start(&served)?;
    let mut mirror = Mirror::init(home.path(), LYING, &log.vkey(), &files.url())?;
    mirror.server.set_env("STELE_FAULT", Some("kill:rename:/copied:2"));
    mirror.server.start()?;
    mirror.server.wait_for_end()?;
    let copied = mirror.folder.join("mirror/logs").join(mirror.origin.digest().to_string()).join("copied");
    let counted: u64 = fs::read_to_string(&copied).unwrap().trim().parse().unwrap();
    assert!(counted > 0 && counted < log.size(), "{counted}");

    // What was copied is under the head that the witness has cosigned; a log that shows another one now is refused.
    let mut fork = log.fork(7)?;
    for number in 0..800_u32 {
        fork.say_bytes(&number.to_le_bytes().repeat(12_000))?;
    }
    fork.write(&served)?;
    mirror.server.set_env("STELE_FAULT", None);
    mirror.server.start()?;
    let metrics = |name: &str| http::get(mirror.server.address().unwrap(), name).map(|answer| answer.text());
    let line = format!("stele_witness_conflicts_total{{origin=\"{LYING}\",kind=\"forked\"}} ");
    poll(SOON, "the fork to be seen", || {
        let text = metrics("/metrics").ok()?;
        text.lines().find(|found| found.starts_with(&line) && !found.ends_with(" 0")).map(drop)
    })?;
    assert_eq!(mirror.head(), None, "nothing is served that is not whole");

    // The log goes back to what it signed first: the copy is finished, and it is the history that was cosigned.
    log.write(&served)?;
    mirror.wait_for(log.size())?;
    assert_eq!(mirror.head().unwrap().root(), Checkpoint::parse(log.head()?.text()).unwrap().root());
    mirror.verify()?.expect(0)?;

    // And the fork is proven to anybody who has the log's key.
    mirror.server.stop()?;
    let out = home.path().join("evidence");
    command::run(Binary::Witness, ["evidence", "export", path(&mirror.folder)?, "--out", path(&out)?])?.expect(0)?;
    let mut files = fs::read_dir(&out).unwrap().map(|file| file.unwrap().path());
    let proof = files.find(|file| file.extension().is_some_and(|found| found == "stele-evidence")).unwrap();
    command::run(Binary::Stele, ["evidence", "verify", path(&proof)?, "--vkey", &log.vkey()])?.expect(0)?;
    Ok(())
}

/// c2sp.org/tlog-tiles, Pruning: full tiles and bundles that end at or below the minimum index are denied.
#[test]
fn a_log_that_prunes_what_was_copied_is_mirrored_on_and_its_beginning_stays_in_the_mirror() -> Step {
    let home = tempfile::tempdir().unwrap();
    let served = home.path().join("log");
    let mut log = LyingLog::new()?;
    let grow = |log: &mut LyingLog, to: u64| {
        (log.size()..to).try_for_each(|number| log.say_bytes(&number.to_be_bytes()).map(drop))
    };
    grow(&mut log, 600)?;
    log.write(&served)?;
    let files = FileServer::start(&served)?;
    let mut mirror = Mirror::init(home.path(), LYING, &log.vkey(), &files.url())?;
    mirror.server.start()?;
    mirror.wait_for(600)?;

    // The minimum index is 512 from now on, and the log grows.
    grow(&mut log, 900)?;
    let pruned = home.path().join("pruned");
    log.write(&pruned)?;
    let first = pruned.join("tile/entries/000");
    let bundle = fs::read(&first).unwrap();
    for gone in ["tile/0/000", "tile/0/001", "tile/entries/000", "tile/entries/001"] {
        fs::remove_file(pruned.join(gone)).unwrap();
    }
    fs::rename(&served, home.path().join("before")).unwrap();
    fs::rename(&pruned, &served).unwrap();
    mirror.wait_for(900)?;
    mirror.verify()?.expect(0)?;
    let page = format!("/mirror/{}/tile/entries/000", mirror.origin.digest());
    assert_eq!(http::get(mirror.server.address()?, &page)?.expect(200)?.body, bundle);
    mirror.server.stop()
}
