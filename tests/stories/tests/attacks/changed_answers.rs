//! Somebody between a reader and an honest log changes its answers: one byte of one of them, or all of it. What was proven without that
//! answer stays, and what this machine knows of a withdrawal stays as well.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use stele_harness::binaries::Binary;
use stele_harness::command::{Told, run_remembering};
use stele_harness::network::{Network, path};
use stele_harness::proxy::Proxy;
use stele_harness::publisher::Publisher;
use stele_probe::failure::Step;
use stele_samples::{model, release_toml};
use stele_spec::bundle::Bundle;
use stele_spec::statement::SignedStatement;

/// A model that was made of another one, and a proxy before their log.
struct Story {
    network: Network,
    publisher: Publisher,
    folder: PathBuf,
    proxy: Proxy,
}

impl Story {
    fn new() -> Step<Self> {
        let network = Network::start(1, 1)?;
        let publisher = Publisher::new(&network, "acme.example")?;
        let parent = network.at("parent");
        publisher.release(&parent, "1.0.0", 1)?;
        let folder = network.at("model");
        model::write(&folder, 2)?;
        publisher.prepare(&folder, "2.0.0")?;
        let bundle = Bundle::parse(&fs::read(parent.join("release.stele")).unwrap()).unwrap();
        let signed = SignedStatement::parse(&bundle.statement).unwrap();
        let weights = signed.statement().weights_digest().unwrap();
        let file = folder.join(release_toml::FILE);
        let text = fs::read_to_string(&file).unwrap().replace("from_scratch = true", "from_scratch = false");
        let lineage = format!(
            "\n[[lineage]]\nrelation = \"finetune\"\nparent = {{ coordinate = \"{}\" }}\nparent_weights = \"{weights}\"\n\
             tool = \"none\"\ncarries = {{ license = true, use_policy = true, model_card = true, risk_notes = true }}\n",
            publisher.coordinate("1.0.0")
        );
        fs::write(&file, text + &lineage).unwrap();
        publisher.publish(&folder)?.expect(0)?;
        let proxy = Proxy::start(network.log_address()?)?;
        Ok(Self { network, publisher, folder, proxy })
    }

    fn withdraw(&self) -> Step {
        let coordinate = self.publisher.coordinate("2.0.0");
        let withdraw = ["withdraw", &coordinate, "--did", "support-ended 2026-07-02", "--reason", "A mistake."];
        self.publisher
            .say(&self.network, &[&withdraw[..], &["--copies", "publicly-downloaded"]].concat())?
            .expect(0)?;
        Ok(())
    }

    /// `stele verify --online` through the proxy, by a reader who remembers in a copy of a folder: nothing of one run is known to the next.
    fn online(&self, state: &str, run: &str, more: &[&str]) -> Step<Told> {
        let (kept, copy) = (self.network.at(state), self.network.at(run));
        if kept.exists() {
            copy_folder(&kept, &copy);
        }
        let (policy, url) = (self.network.policy_path(), self.proxy.url());
        let verify = ["verify", path(&self.folder)?, "--policy", path(&policy)?, "--online", "--log", &url];
        run_remembering(Binary::Stele, verify.iter().chain(more), &copy)
    }

    /// The paths that an online verdict asks for.
    fn asked(&self, run: &str) -> Step<BTreeSet<String>> {
        self.proxy.sent();
        self.online("nothing", run, &[])?;
        Ok(self.proxy.sent().into_iter().map(|sent| sent.path).collect())
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy_folder(&entry.path(), &to),
            false => fs::copy(entry.path(), to).map(drop).unwrap(),
        }
    }
}

/// What a change is called, and what it does.
type Change = (&'static str, fn(&mut Vec<u8>));

/// What becomes of an answer.
const CHANGES: [Change; 5] = [
    ("its first byte", |body| body[0] ^= 1),
    ("its middle byte", |body| {
        let middle = body.len() / 2;
        body[middle] ^= 1;
    }),
    ("its last byte but one", |body| {
        let at = body.len().saturating_sub(2);
        body[at] ^= 1;
    }),
    ("its end", |body| body.truncate(body.len() / 2)),
    ("all of it", |body| *body = b"\xd2\x84garbage".to_vec()),
];

/// The verdict without the changed answer: no file and no evidence is doubted, and no answer that proves itself is missing unsaid.
fn stands(told: &Told, what: &str) -> Step {
    let json = told.json()?;
    let headline = json["headline"].as_str().unwrap_or_default();
    let code = told.code.unwrap_or_default();
    let says = match headline.split(' ').next().unwrap_or_default() {
        "UNANSWERED" => matches!(code, 4..=6 | 9),
        "UNPROVEN" => code == 18,
        // A byte that the proof does not rest on: of a key outside the policy.
        "verified" => code == 0 && json["as_of"]["status"]["source"] == "log",
        _ => false,
    };
    assert!(says && headline.contains("all 9 files") && json["exit"] == code, "{what}: {}", told.all());
    let evidence = (&json["evidence"]["from"], &json["integrity"]["weights"]["state"]);
    assert_eq!(evidence, (&"bundle".into(), &"match".into()), "{what}: {json}");
    Ok(())
}

#[test]
fn a_changed_answer_of_any_kind_takes_nothing_from_the_verdict_without_it() -> Step {
    let story = Story::new()?;
    let asked = story.asked("first")?;
    let kinds = ["/checkpoint", "/tile/", "/entries/", "/lookup/name/", "/lookup/about/"];
    assert!(kinds.iter().all(|kind| asked.iter().any(|path| path.starts_with(kind))), "{asked:?}");
    for (number, path) in asked.iter().enumerate() {
        for (which, (what, change)) in CHANGES.into_iter().enumerate() {
            let changed = path.clone();
            story.proxy.alter(move |path, body| {
                if path == changed {
                    change(body)
                }
            });
            let told = story.online("nothing", &format!("run-{number}-{which}"), &["--json"])?;
            stands(&told, &format!("{what} of {path}"))?;
        }
    }
    Ok(())
}

#[test]
fn a_changed_answer_hides_no_withdrawal_that_this_machine_knows_or_that_the_log_has_proven() -> Step {
    let story = Story::new()?;
    story.withdraw()?;
    let told = story.online("nothing", "knows", &[])?.expect(17)?;
    assert!(told.stdout.starts_with("WITHDRAWN  "), "{}", told.all());
    let asked = story.asked("first")?;
    for (number, path) in asked.iter().enumerate() {
        let changed = path.clone();
        story.proxy.alter(move |path, body| {
            if path == changed {
                body[0] ^= 1
            }
        });
        let told = story.online("knows", &format!("run-{number}"), &[])?.expect(17)?;
        assert!(told.stdout.starts_with("WITHDRAWN  acme.example/tiny@2.0.0"), "{path}: {}", told.all());
        // Who never knew it is not told that all is well.
        let told = story.online("nothing", &format!("new-{number}"), &["--no-state"])?;
        let word = told.stdout.split(' ').next().unwrap_or_default();
        let is_said = matches!(
            (word, told.code),
            ("UNANSWERED", Some(4..=6 | 9)) | ("UNPROVEN", Some(18)) | ("WITHDRAWN", Some(17))
        );
        assert!(is_said, "{path}: {}", told.all());
    }
    Ok(())
}
