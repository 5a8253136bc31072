//! A monitor asks a log's index what is new under its names, and reports what it has read; a log that changes its mind about a name is told,
//! and a report that somebody changed is refused.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use stele_harness::binaries::Binary;
use stele_harness::command::{self, Told};
use stele_harness::lying_log::{LyingLog, ORIGIN};
use stele_harness::network::{self, Home, Network, path};
use stele_harness::proxy::{Proxy, Sent};
use stele_harness::publisher::Publisher;
use stele_probe::failure::{During, Step};
use stele_samples::model;
use stele_samples::statements::Speaker;
use stele_spec::coverage::Coverage;
use stele_spec::hash::NodeHash;
use stele_spec::index::{Listing, Subject};
use stele_spec::merkle::ConsistencyProof;
use stele_spec::nameproof::NameProof;
use stele_spec::note::{KeyType, SignedNote, SignerKey};

/// A log that serves what it likes, and a monitor of one publisher that asks its index.
struct Scene {
    home: Home,
    log: Arc<Mutex<LyingLog>>,
    proxy: Proxy,
    speaker: Speaker,
    config: PathBuf,
}

impl Scene {
    /// So many releases of the watched publisher are in the log, after the claim of its name. `more` is a line of the config.
    fn new(releases: u64, more: &str) -> Step<Self> {
        Self::reading("names", releases, more)
    }

    fn reading(read: &str, releases: u64, more: &str) -> Step<Self> {
        let home = Home::temporary()?;
        let speaker = Speaker::new(1)?;
        let mut log = LyingLog::witnessed(1)?;
        log.say(&speaker.claim()?)?;
        for number in 0..releases {
            log.release(&speaker.release(&format!("1.0.{number}"), number)?)?;
        }
        log.index()?;
        // As a log does with a thousand.
        log.show_at_once(16);
        fs::write(home.path().join("policy"), log.policy()).during("writing a policy")?;
        let log = Arc::new(Mutex::new(log));
        let served = log.clone();
        // Nobody is behind the proxy: the log answers in its place.
        let proxy = Proxy::start(([127, 0, 0, 1], 9).into())?;
        proxy.answer(move |path| match served.lock().unwrap().answer(path) {
            Ok(Some(body)) => Some((200, body)),
            _ => Some((404, Vec::new())),
        });
        let config = home.path().join("monitor.toml");
        let text = format!(
            "policy = \"policy\"\nstate = \"state\"\n{more}\n[alert]\nstale = \"36500d\"\n[watch]\nread = \"{read}\"\npublishers = [\"{}\"]\n\
             [[log]]\norigin = \"{ORIGIN}\"\nsource = \"{}\"\n",
            speaker.name,
            proxy.url()
        );
        fs::write(&config, text).during("writing the config")?;
        Ok(Self { home, log, proxy, speaker, config })
    }

    fn at(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn once(&self) -> Step<Told> {
        command::run(Binary::Stele, ["--json", "monitor", path(&self.config)?, "--once"])
    }

    /// Another release of the publisher, at which index entry the log ends.
    fn release(&self, version: &str) -> Step {
        let released = self.speaker.release(version, 99)?;
        let mut log = self.log.lock().unwrap();
        log.release(&released)?;
        log.index().map(drop)
    }

    fn report(&self, output: &Path) -> Step<Told> {
        command::run(Binary::Stele, ["--json", "monitor", "report", path(&self.config)?, "--output", path(output)?])
    }

    fn check(&self, report: &Path, policy: &str) -> Step<Told> {
        let policy = self.at(policy);
        let arguments = ["--json", "monitor", "report", "--check", path(report)?, "--policy", path(&policy)?];
        command::run(Binary::Stele, arguments)
    }
}

/// What was answered to questions that begin so.
fn asked<'a>(sent: &'a [Sent], beginning: &str) -> Vec<&'a Sent> {
    sent.iter().filter(|sent| sent.path.starts_with(beginning)).collect()
}

fn events(told: &Value) -> Vec<String> {
    let word = |event: &Value| match event["details"]["coordinates"][0].as_str() {
        Some(coordinate) => coordinate.to_owned(),
        None => format!("{} {}", event["details"]["alert"], event["details"]["state"]).replace('"', ""),
    };
    told["delivered"].as_array().unwrap().iter().map(word).collect()
}

#[test]
fn a_name_with_many_statements_costs_what_is_new() -> Step {
    let scene = Scene::new(40, "start = \"now\"")?;
    let told = scene.once()?.expect(0)?.json()?;
    assert_eq!(events(&told), [""; 0], "what was there before is no news");
    let sent = scene.proxy.sent();
    // The name, others about it, and all below it, which is more than two proofs show.
    assert_eq!(asked(&sent, "/lookup/").len(), 5, "{sent:?}");
    assert_eq!(asked(&sent, "/entries/").len(), 0, "{sent:?}");

    // Nothing new is not asked for.
    let told = scene.once()?.expect(0)?.json()?;
    assert_eq!((&told["logs"][0]["name_proofs"], &told["logs"][0]["entries"]), (&0.into(), &0.into()), "{told}");
    let sent = scene.proxy.sent();
    assert_eq!(
        asked(&sent, "/lookup/").len() + asked(&sent, "/entries/").len() + asked(&sent, "/tile/entries").len(),
        0
    );

    // One more: a proof of each list from where it is known, and one entry.
    let size = scene.log.lock().unwrap().size();
    scene.release("2.0.0")?;
    let told = scene.once()?.expect(0)?.json()?;
    assert_eq!(events(&told), [format!("{}/tiny@2.0.0#instruct", scene.speaker.name)], "{told}");
    let sent = scene.proxy.sent();
    let proofs = asked(&sent, "/lookup/");
    assert_eq!(proofs.len(), 3, "{sent:?}");
    assert!(proofs.iter().all(|sent| sent.path.ends_with(&format!("&from={size}"))), "{sent:?}");
    assert!(proofs.iter().map(|sent| sent.bytes).sum::<usize>() < 10_000, "{sent:?}");
    assert_eq!(asked(&sent, "/entries/").len(), 1, "{sent:?}");
    assert_eq!(asked(&sent, "/tile/entries").len(), 0, "no entry of others is read: {sent:?}");
    Ok(())
}

#[test]
fn the_real_log_tells_what_is_new_under_a_name() -> Step {
    let network = Network::start(1, 1)?;
    let (acme, other) =
        (Publisher::new(&network, "acme.example")?, Publisher::with_key(&network, "other.example", "other.pem")?.0);
    let released = |publisher: &Publisher, folder: &str, version: &str, seed| -> Step {
        let folder = network.at(folder);
        model::write(&folder, seed)?;
        publisher.prepare(&folder, version)?;
        publisher.publish(&folder)?.expect(0).map(drop)
    };
    released(&acme, "one", "1.0.0", 1)?;
    let proxy = Proxy::start(network.log_address()?)?;
    let config = network.at("monitor.toml");
    let text = format!(
        "policy = \"policy\"\nstate = \"seen\"\n[watch]\nread = \"names\"\npublishers = [\"acme.example\"]\nnames = [\"{}\"]\n\
         [[log]]\norigin = \"{}\"\nsource = \"{}\"\n",
        acme.coordinate("2.0.0"),
        network::ORIGIN,
        proxy.url()
    );
    fs::write(&config, text).during("writing the config")?;
    let once = || command::run(Binary::Stele, ["--json", "monitor", path(&config)?, "--once"])?.expect(0)?.json();
    let told = once()?;
    assert_eq!(told["delivered"].as_array().unwrap().len(), 2, "the claim and the release: {told}");
    let sent = proxy.sent();
    let proofs = asked(&sent, "/lookup/");
    // A cache before the log may keep what names its tree head.
    assert!(!proofs.is_empty() && proofs.iter().all(|sent| sent.path.contains("&at=")), "{sent:?}");

    released(&other, "theirs", "1.0.0", 2)?;
    let told = once()?;
    assert_eq!(told["delivered"].as_array().unwrap().len(), 0, "{told}");
    assert_eq!(asked(&proxy.sent(), "/entries/").len(), 0, "what others say is not read");
    released(&acme, "two", "2.0.0", 3)?;
    let told = once()?;
    assert_eq!(events(&told), [acme.coordinate("2.0.0")], "told once, though it is watched twice: {told}");

    // Whoever reads every entry after all starts where that ended.
    let report = network.at("read.stele-coverage");
    let made =
        command::run(Binary::Stele, ["--json", "monitor", "report", path(&config)?, "--output", path(&report)?])?;
    let lists = made.expect(0)?.json()?["logs"][0]["lists"].as_array().unwrap().clone();
    let counts: Vec<_> =
        lists.iter().map(|list| format!("{} {}", list["kind"], list["count"]).replace('"', "")).collect();
    assert_eq!(counts, ["about 0", "about 0", "name 1", "name 1", "under 3"]);
    let policy = network.policy_path();
    let check = ["monitor", "report", "--check", path(&report)?, "--policy", path(&policy)?];
    let told = command::run(Binary::Stele, check)?.expect(0)?;
    assert!(told.stdout.contains("under acme.example") && told.stdout.contains("not signed"), "{}", told.stdout);
    Ok(())
}

/// What a log does to the lists of a name that it showed before, and what the monitor makes of it.
type Lie = (&'static str, i32, &'static str, fn(&mut LyingLog, &Speaker) -> Step);

#[test]
fn a_log_that_changes_what_it_listed_is_told_and_each_way_has_its_word() -> Step {
    /// Everything listed below the publisher's name, but for entries at these positions.
    fn without(log: &mut LyingLog, hidden: &'static [u64]) -> Step {
        log.relist(|at, listing| match hidden.contains(&at) {
            true => Listing::new(listing.pointer(), Vec::new()),
            false => listing,
        })
    }
    let lies: [Lie; 6] = [
        ("an entry is hidden", 12, "list-shrank", |log, _| without(log, &[3])),
        ("all are hidden", 12, "list-vanished", |log, _| without(log, &[1, 2, 3, 4])),
        ("one is hidden, one is new", 12, "list-rewritten", |log, speaker| {
            log.release(&speaker.release("7.0.0", 7)?)?;
            without(log, &[3])
        }),
        ("one is hidden, two are new", 3, "pointers-elsewhere", |log, speaker| {
            log.release(&speaker.release("7.0.0", 7)?)?;
            log.release(&speaker.release("8.0.0", 8)?)?;
            without(log, &[3])
        }),
        ("another's is listed", 12, "list-wrong-entry", |log, _| {
            let stranger = Speaker::new(2)?;
            let key = Subject::under_publisher(&Speaker::new(1)?.name).key();
            let at = log.say(&stranger.claim()?)?;
            log.relist(move |position, listing| match position == at {
                true => Listing::new(listing.pointer(), vec![key]),
                false => listing,
            })
        }),
        ("new ones are shown in another order", 3, "pointers-out-of-order", |log, speaker| {
            log.release(&speaker.release("7.0.0", 7)?)?;
            log.release(&speaker.release("8.0.0", 8)?).map(drop)
        }),
    ];
    for (what, exit, code, lie) in lies {
        let scene = Scene::new(3, "")?;
        assert_eq!(events(&scene.once()?.expect(0)?.json()?).len(), 4, "{what}: the claim and three releases");
        {
            let mut log = scene.log.lock().unwrap();
            lie(&mut log, &scene.speaker)?;
            log.index()?;
        }
        if code == "pointers-out-of-order" {
            scene.proxy.alter(|path, body| {
                if path.starts_with("/lookup/under/") {
                    *body = swapped(body);
                }
            });
        }
        let told = scene.once()?.expect(exit)?.json()?;
        assert_eq!(told["error"], code, "{what}: {told}");
        let proven = ["list-shrank", "list-vanished", "list-rewritten"].contains(&code);
        let alerts: Vec<_> =
            told["delivered"].as_array().unwrap().iter().filter(|event| event["kind"] == "alert").collect();
        assert_eq!(!alerts.is_empty(), proven, "{what}: {told}");
        for alert in &alerts {
            // Both answers of the log are kept, as it gave them.
            assert_eq!(
                (&alert["details"]["alert"], &alert["details"]["problem"]),
                (&"list".into(), &code.into()),
                "{told}"
            );
            for side in ["before", "after"] {
                let file = fs::read(alert["details"][side].as_str().unwrap()).during("reading a name proof")?;
                NameProof::parse(&file).during("reading a name proof")?;
            }
        }
        // It stays so, and is told once.
        let again = scene.once()?.expect(exit)?.json()?;
        assert_eq!((&again["error"], events(&again).len()), (&code.into(), 0), "{what}: {again}");
    }
    Ok(())
}

/// A name proof whose last two pointers changed places.
fn swapped(proof: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(proof).into_owned();
    let (head, note) = text.split_once("\n\n").unwrap();
    let mut lines: Vec<&str> = head.lines().collect();
    let last = lines.len() - 1;
    lines.swap(last, last - 1);
    format!("{}\n\n{note}", lines.join("\n")).into_bytes()
}

#[test]
fn a_report_of_what_was_read_is_checked_by_another_and_refused_when_anything_in_it_is_altered() -> Step {
    let scene = Scene::reading("entries", 3, "")?;
    let report = scene.at("read.stele-coverage");
    scene.report(&report)?.expect(9)?;
    scene.once()?.expect(0)?;
    scene.release("2.0.0")?;
    scene.once()?.expect(0)?;
    let made = scene.report(&report)?.expect(0)?.json()?;
    let checked = scene.check(&report, "policy")?.expect(0)?.json()?;
    assert_eq!(made["logs"], checked["logs"]);
    let ranges: Vec<_> = checked["logs"][0]["heads"]
        .as_array()
        .unwrap()
        .iter()
        .map(|head| (head["from"].clone(), head["to"].clone()))
        .collect();
    assert_eq!(ranges, [(0.into(), 6.into()), (6.into(), 8.into())], "{checked}");

    // The same monitor asks by name from now on, and goes on where it is.
    let config = fs::read_to_string(&scene.config).unwrap().replace("read = \"entries\"", "read = \"names\"");
    fs::write(&scene.config, config).during("writing the config")?;
    let told = scene.once()?.expect(0)?.json()?;
    assert_eq!(events(&told), [""; 0], "what was read before is no news");
    scene.release("3.0.0")?;
    assert_eq!(events(&scene.once()?.expect(0)?.json()?).len(), 1);
    let made = scene.report(&report)?.expect(0)?.json()?;
    let under =
        made["logs"][0]["lists"].as_array().unwrap().iter().find(|list| list["kind"] == "under").unwrap().clone();
    assert_eq!((&under["count"], &under["tree_size"]), (&6.into(), &10.into()), "{made}");

    let bytes = fs::read(&report).during("reading the report")?;
    let whole = Coverage::parse(&bytes).during("reading the report")?;
    type Alter = fn(&mut Coverage);
    let altered: [(&str, i32, &str, Alter); 6] = [
        ("a range", 14, "coverage-range-impossible", |report| report.logs[0].heads[1].read = 9),
        ("a head is left out", 14, "coverage-heads-inconsistent", |report| drop(report.logs[0].heads.remove(1))),
        ("a path", 14, "coverage-heads-inconsistent", |report| {
            report.logs[0].heads[1].path = ConsistencyProof::from_path(vec![NodeHash::from_bytes([1; 32]); 3]).unwrap();
        }),
        ("a signature", 5, "bad-log-signature", |report| {
            let note = &report.logs[0].heads[1].note;
            let mut lines = note.signatures().to_vec();
            lines[0].bytes[3] ^= 1;
            report.logs[0].heads[1].note = SignedNote::new(note.text().to_owned(), lines).unwrap();
        }),
        ("a cosignature is left out", 4, "quorum-missing", |report| {
            let note = &report.logs[0].heads[1].note;
            report.logs[0].heads[1].note =
                SignedNote::new(note.text().to_owned(), note.signatures()[..1].to_vec()).unwrap();
        }),
        ("a list", 14, "coverage-list-unproven", |report| {
            report.logs[0].lists[0].peaks.push(NodeHash::from_bytes([1; 32]))
        }),
    ];
    for (what, exit, code, alter) in altered {
        let mut report = whole.clone();
        alter(&mut report);
        let file = scene.at("altered");
        fs::write(&file, report.to_bytes().unwrap()).during("writing a report")?;
        let told = scene.check(&file, "policy")?.expect(exit)?.json()?;
        assert_eq!(told["error"], code, "{what}: {told}");
    }
    fs::write(scene.at("altered"), &bytes[..bytes.len() - 1]).during("writing half a report")?;
    assert_eq!(scene.check(&scene.at("altered"), "policy")?.expect(7)?.json()?["error"], "coverage-malformed");
    let stranger = SignerKey::new("log.example/other".parse().unwrap(), KeyType::Log, [8; 32]).verifier();
    fs::write(scene.at("stranger"), format!("log {stranger}\nquorum none\n")).during("writing a policy")?;
    scene.check(&report, "stranger")?.expect(6).map(drop)
}
