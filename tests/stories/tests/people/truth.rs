//! A reader learns the whole truth: what became of a release and of everything it was made of, as of when; and a log that
//! tells two truths is found out.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use std::fs;
use std::path::{Path, PathBuf};

use stele_harness::binaries::Binary;
use stele_harness::command::{Told, run_remembering};
use stele_harness::network::{Network, path};
use stele_harness::publisher::Publisher;
use stele_probe::failure::Step;
use stele_samples::model;
use stele_spec::bundle::Bundle;
use stele_spec::hash::Digest;
use stele_spec::key::SecretKey;
use stele_spec::merkle::leaf_hash;
use stele_spec::proof::TlogProof;
use stele_spec::statement::{
    Affected, Amend, AmendKind, Copies, Incident, IncidentClass, IncidentKind, IncidentStatus, LoggedRelease,
    PublisherName, Severity, SignedStatement, Statement, Withdraw, WithdrawKind, WithdrawalAction, Withdrawn, sign,
};

/// A published model, and what others need to refer to it.
struct Published {
    publisher: Publisher,
    name: String,
    folder: PathBuf,
    release: LoggedRelease,
    weights: Digest,
}

/// Publishes a model of a publisher of its own, made of others.
fn publish(network: &Network, name: &str, seed: u64, parents: &[&Published]) -> Step<Published> {
    let folder = network.at(&format!("model-{seed}"));
    let (publisher, _) = Publisher::with_key(network, name, &format!("{seed}.pem"))?;
    model::write(&folder, seed)?;
    publisher.prepare(&folder, "1.0.0")?;
    made_of(&folder, parents);
    publisher.publish(&folder)?.expect(0)?;
    let bundle = Bundle::parse(&fs::read(folder.join("release.stele")).unwrap()).unwrap();
    let entry = TlogProof::parse(&bundle.proof).unwrap().index();
    let signed = SignedStatement::parse(&bundle.statement).unwrap();
    let release = signed.statement().release().unwrap();
    let logged = LoggedRelease { coordinate: release.coordinate(), entry, leaf_hash: leaf_hash(&bundle.statement) };
    Ok(Published { publisher, name: name.to_owned(), folder, release: logged, weights: release.weights.digest })
}

/// Writes parents into a release.toml that has none.
fn made_of(folder: &Path, parents: &[&Published]) {
    if parents.is_empty() {
        return;
    }
    let file = folder.join("release.toml");
    let mut text = fs::read_to_string(&file).unwrap().replace("from_scratch = true", "from_scratch = false");
    for Published { release, weights, .. } in parents {
        let LoggedRelease { coordinate, entry, leaf_hash } = release;
        text.push_str(&format!(
            "\n[[lineage]]\nrelation = \"finetune\"\nparent_weights = \"{weights}\"\ntool = \"none\"\n\
             parent = {{ coordinate = \"{coordinate}\", entry = {entry}, leaf_hash = \"{leaf_hash}\" }}\n\
             carries = {{ license = true, use_policy = false, model_card = true, risk_notes = true }}\n"
        ));
    }
    fs::write(file, text).unwrap();
}

impl Published {
    fn key(&self) -> SecretKey {
        SecretKey::from_pkcs8_pem(&fs::read_to_string(self.publisher.key()).unwrap()).unwrap()
    }

    /// Signs a statement and logs it.
    fn says(&self, network: &Network, statement: Statement) -> Step<u64> {
        network.accepted(sign(&statement, &self.key()).unwrap().bytes())
    }

    fn withdraws(&self, network: &Network) -> Step<u64> {
        self.says(
            network,
            Statement::Withdraw(Box::new(Withdraw {
                kind: WithdrawKind::Withdraw,
                issued_at: "2026-07-01T00:00:00Z".parse().unwrap(),
                weights_digest: self.weights,
                copies: Copies::PubliclyDownloaded,
                reason: "A toxicity evaluation was missed.".parse().unwrap(),
                publisher: PublisherName { name: self.name.parse().unwrap() },
                release: self.release.clone(),
                actions: vec![Withdrawn {
                    what: WithdrawalAction::HostRemoved,
                    when: "2026-07-01".parse().unwrap(),
                    host: Some("https://models.acme.example/tiny/".parse().unwrap()),
                    note: None,
                }],
                advisory: None,
                approvals: Vec::new(),
            })),
        )
    }

    fn reports(&self, network: &Network, about: &Self) -> Step<u64> {
        let bundle = Bundle::parse(&fs::read(self.folder.join("release.stele")).unwrap()).unwrap();
        let signed = SignedStatement::parse(&bundle.statement).unwrap();
        self.says(
            network,
            Statement::Incident(Box::new(Incident {
                kind: IncidentKind::Incident,
                issued_at: "2026-07-02T00:00:00Z".parse().unwrap(),
                publisher: PublisherName { name: self.name.parse().unwrap() },
                id: "i-1".parse().unwrap(),
                class: IncidentClass::Backdoor,
                severity: Severity::Critical,
                status: IncidentStatus::Open,
                discovered: "2026-07-02".parse().unwrap(),
                summary: "A trigger phrase makes it leak its context.".parse().unwrap(),
                affected: vec![Affected::Logged(about.release.clone())],
                advisory: signed.statement().release().unwrap().model_card.clone(),
                approvals: Vec::new(),
            })),
        )
    }

    fn coordinate(&self) -> String {
        self.release.coordinate.to_string()
    }
}

/// Somebody who reads, with a memory of their own.
struct Reader<'a> {
    network: &'a Network,
    state: PathBuf,
}

impl<'a> Reader<'a> {
    fn new(network: &'a Network, name: &str) -> Self {
        Self { network, state: network.at(&format!("state-{name}")) }
    }

    fn stele(&self, arguments: &[&str]) -> Step<Told> {
        let policy = self.network.policy_path();
        let policy = ["--policy", path(&policy)?];
        run_remembering(Binary::Stele, arguments.iter().chain(&policy), &self.state)
    }

    fn verify(&self, model: &Published, more: &[&str]) -> Step<Told> {
        let page: &[&str] = if more.contains(&"--json") { &[] } else { &["--verbose"] };
        self.stele(&[&["verify", path(&model.folder)?], more, page].concat())
    }
}

fn says(told: &Told, words: &[&str]) -> Step {
    match words.iter().find(|word| !told.stdout.contains(**word)) {
        None => Ok(()),
        Some(word) => Err(told.failure(&format!("it does not say {word:?}"))),
    }
}

#[test]
fn whoever_has_a_derivative_of_a_derivative_learns_what_became_of_its_ancestors() -> Step {
    let mut network = Network::start(2, 2)?;
    let base = publish(&network, "base.example", 1, &[])?;
    let tuned = publish(&network, "tuned.example", 2, &[&base])?;
    let merged = publish(&network, "merged.example", 3, &[&tuned, &base])?;
    base.withdraws(&network)?;
    tuned.reports(&network, &base)?;

    let reader = Reader::new(&network, "reader");
    // Offline the parents are named, and it is said that more is not known.
    let told = reader.verify(&merged, &[])?.expect(0)?;
    says(&told, &[&tuned.coordinate(), "its status is not in this evidence", "--online asks the log"])?;
    assert!(!told.stdout.contains("withdrawn at"), "{}", told.stdout);

    let told = reader.verify(&merged, &["--online"])?.expect(0)?;
    let withdrawn = format!("{} (entry {}): withdrawn", base.coordinate(), base.release.entry);
    says(&told, &["9 of 9 files, all match", &tuned.coordinate(), &withdrawn, "these bytes still verify"])?;
    let first = told.stdout.lines().next().unwrap();
    assert!(first.ends_with(&format!("made of {}, which was WITHDRAWN.", base.coordinate())), "{first}");
    says(&told, &["host-removed on 2026-07-01", "copies were publicly downloaded, and persist"])?;
    says(&told, &["incident i-1 (backdoor, critical, open) by tuned.example", "not carried on: use policy"])?;
    says(&told, &["availability", "openness", "release safety", "asked now", "(see above)"])?;
    says(&told, &["proven complete up to there"])?;

    let json = reader.verify(&merged, &["--online", "--json"])?.expect(0)?.json()?;
    let ancestors = json["lineage"]["ancestors"].as_array().unwrap();
    assert_eq!(ancestors.len(), 3);
    assert_eq!((&json["lifecycle"]["complete"], &ancestors[1]["status"]["complete"]), (&true.into(), &true.into()));
    assert_eq!(ancestors[1]["depth"], 2);
    assert_eq!(ancestors[1]["status"]["state"], "withdrawn");
    assert_eq!(ancestors[1]["status"]["incidents"][0]["said"]["class"], "backdoor");
    assert_eq!(ancestors[2]["found"], "again");

    // The whole family, drawn.
    let of = merged.coordinate();
    let told = reader.stele(&["lineage", &of])?.expect(0)?;
    says(&told, &["└─ finetune of base.example", "├─ finetune of tuned.example", "│  └─ finetune of base.example"])?;
    says(&reader.stele(&["lineage", &of, "--dot"])?.expect(0)?, &["digraph lineage", "color=red", "-> n1"])?;
    says(&reader.stele(&["lineage", &of, "--mermaid"])?.expect(0)?, &["flowchart BT", "style n1 stroke"])?;
    let json = reader.stele(&["lineage", &base.coordinate(), "--json"])?.expect(0)?.json()?;
    let children: Vec<_> = json["children"].as_array().unwrap().iter().map(|child| &child["coordinate"]).collect();
    assert_eq!(children, [&tuned.coordinate(), &merged.coordinate()]);

    // Everything that was said, by its name and by what stands above it.
    let told = reader.stele(&["history", &base.coordinate()])?.expect(0)?;
    says(&told, &["withdrawn", "withdraw", "incident", "tuned.example", "asked now"])?;
    for name in ["base.example", "base.example/tiny", "base.example/tiny@1.0.0"] {
        let json = reader.stele(&["history", name, "--json"])?.expect(0)?.json()?;
        assert_eq!(json["states"][base.coordinate()], "withdrawn", "{name}: {json}");
        let kinds: Vec<_> = json["entries"].as_array().unwrap().iter().map(|entry| entry["kind"].clone()).collect();
        let expected: &[&str] = match name {
            "base.example" => &["publisher", "release", "withdraw", "incident"],
            _ => &["release", "withdraw", "incident"],
        };
        assert_eq!(kinds, expected, "{name}");
    }
    reader.stele(&["history", "nobody.example"])?.expect(3)?;
    reader.stele(&["history", "Not A Name"])?.expect(7)?;
    says(&reader.stele(&["show", &base.coordinate()])?.expect(0)?, &["What became of it", "withdrawn at entry"])?;

    // Later, when everything is off, it is still known, and how old that knowledge is.
    network.stop()?;
    let reader = Reader::new(&network, "reader");
    let told = reader.verify(&merged, &[])?.expect(0)?;
    says(&told, &[&withdrawn, "incident i-1", "when the log was last asked", "ago)"])?;
    // A log that is away is told, beside the verdict that there is.
    let told = reader.verify(&merged, &["--online"])?.expect(9)?;
    says(&told, &["9 of 9 files, all match", &withdrawn])?;
    // Somebody else, offline, has the evidence alone, with its age.
    let told = Reader::new(&network, "other").verify(&merged, &[])?.expect(0)?;
    says(&told, &["its status is not in this evidence", "what came later is not known here", "ago)"])?;
    Ok(())
}

#[test]
fn a_shard_a_blob_and_a_digest_lead_to_their_release() -> Step {
    let network = Network::start(1, 1)?;
    let base = publish(&network, "base.example", 1, &[])?;
    let tuned = publish(&network, "tuned.example", 2, &[&base])?;
    base.withdraws(&network)?;
    let reader = Reader::new(&network, "reader");

    // Beside its bundle no server is needed.
    let shard = base.folder.join(model::SHARDS[1]);
    let told = reader.stele(&["resolve", path(&shard)?])?.expect(0)?;
    says(&told, &[model::SHARDS[1], &base.coordinate(), "no log was asked"])?;

    // Alone, under the name that Ollama gives it, the log is asked; and what became of it is told.
    let digest = Digest::of(&fs::read(&shard).unwrap());
    let blob = network.at("blobs").join(format!("sha256-{digest}"));
    fs::create_dir_all(blob.parent().unwrap()).unwrap();
    fs::copy(&shard, &blob).unwrap();
    let told = reader.stele(&["resolve", path(&blob)?])?.expect(0)?;
    says(&told, &[model::SHARDS[1], &base.coordinate(), "withdrawn at entry", "asked now"])?;

    // By its digest alone, as anybody writes it.
    for text in [digest.to_string(), format!("sha256:{digest}"), format!("sha256-{digest}")] {
        let json = reader.stele(&["resolve", &text, "--json"])?.expect(0)?.json()?;
        assert_eq!(json["found"][0]["coordinate"], base.coordinate());
        assert_eq!(json["found"][0]["file"]["path"], model::SHARDS[1]);
        assert_eq!(json["found"].as_array().unwrap().len(), 1);
    }
    let json = reader.stele(&["resolve", &base.weights.to_string(), "--json"])?.expect(0)?.json()?;
    assert_eq!(json["found"][0]["part"], "weights");
    // A small file by the id that git gives it; many releases have it.
    let id = stele_spec::manifest::FileDigests::of(&fs::read(base.folder.join("config.json")).unwrap()).git_sha1;
    let json = reader.stele(&["resolve", &id.to_string(), "--json"])?.expect(0)?.json()?;
    let found: Vec<_> = json["found"].as_array().unwrap().iter().map(|found| &found["coordinate"]).collect();
    assert_eq!(found, [&base.coordinate(), &tuned.coordinate()]);

    // Other bytes under a blob's name are told, and belong to nobody.
    fs::write(&blob, b"other").unwrap();
    reader.stele(&["resolve", path(&blob)?])?.expect(3)?;
    reader.stele(&["resolve", &"0".repeat(64)])?.expect(3)?;
    reader.stele(&["resolve", "what is this"])?.expect(7)?;

    // A log that names the wrong release is not believed: the manifest decides.
    let told = reader.stele(&["resolve", path(&tuned.folder.join(model::SHARDS[0]))?, "--no-bundle"])?.expect(0)?;
    says(&told, &[&tuned.coordinate()])?;
    Ok(())
}

#[test]
fn two_releases_are_compared_and_a_changed_licence_is_told() -> Step {
    let network = Network::start(1, 1)?;
    let base = publish(&network, "base.example", 1, &[])?;
    let tuned = publish(&network, "tuned.example", 2, &[&base])?;
    let reader = Reader::new(&network, "reader");
    let (first, second) = (path(&base.folder)?, path(&tuned.folder)?);

    // Two bundles, and nobody is asked.
    let told = reader.stele(&["diff", first, second])?.expect(0)?;
    says(&told, &["- base.example", "+ tuned.example", "weights", "- files[model-00001-of-00002.safetensors]"])?;
    says(&told, &["lineage", "from_scratch: true", "not verified"])?;
    let told = reader.stele(&["diff", first, first])?.expect(0)?;
    says(&told, &["nothing differs"])?;

    // The licence is amended: the release as it stands differs from the one as it was signed.
    let bundle = Bundle::parse(&fs::read(base.folder.join("release.stele")).unwrap()).unwrap();
    let signed = SignedStatement::parse(&bundle.statement).unwrap();
    let mut license = signed.statement().release().unwrap().license.clone();
    let before = license.spdx.to_string();
    license.spdx = "LicenseRef-acme-research-only".parse().unwrap();
    license.use_restricted = true;
    let amend = Amend {
        kind: AmendKind::Amend,
        issued_at: "2026-07-03T00:00:00Z".parse().unwrap(),
        weights_digest: base.weights,
        reason: "Counsel changed its mind.".parse().unwrap(),
        publisher: PublisherName { name: base.name.parse().unwrap() },
        release: base.release.clone(),
        license: Some(license),
        model_card: None,
        evidence: None,
        components: None,
        openness: None,
        rationale: None,
        obligations: None,
        hosts: None,
        docs: None,
        legal: None,
        support: None,
        model: None,
        lineage: None,
        approvals: Vec::new(),
    };
    let entry = base.says(&network, Statement::Amend(Box::new(amend)))?;
    let told = reader.stele(&["diff", first, &base.coordinate()])?.expect(0)?;
    says(&told, &["licence", &format!("- license.spdx: {before}"), "+ license.spdx: LicenseRef-acme-research-only"])?;
    let json = reader.stele(&["diff", first, &base.coordinate(), "--json"])?.expect(0)?.json()?;
    let paths: Vec<_> = json["changes"].as_array().unwrap().iter().map(|change| change["path"].clone()).collect();
    assert_eq!(paths, ["license.spdx", "license.use_restricted"]);
    assert_eq!(json["manifests_compared"], true);

    // The statement that did it, and the reader who verifies the model.
    says(&reader.stele(&["show", &format!("entry:{entry}")])?.expect(0)?, &["amended", "Counsel changed its mind."])?;
    let told = reader.verify(&base, &["--online"])?.expect(0)?;
    says(
        &told,
        &["state           amended", "LicenseRef-acme-research-only, restricts use", "Counsel changed its mind."],
    )?;
    // From what to what, since copies that are out keep what they came with.
    says(&told, &[&format!("restricts use, changed from {before}, which copies from before keep")])?;
    // From what to what, for a person and for a script.
    let change = format!("license.spdx from {before} to LicenseRef-acme-research-only");
    let told = reader.stele(&["history", &base.coordinate()])?.expect(0)?;
    says(&told, &[&change])?;
    for arguments in [&["history", &base.coordinate()][..], &["show", &base.coordinate()]] {
        let json = reader.stele(&[arguments, &["--json"]].concat())?.expect(0)?.json()?.to_string();
        assert!(json.contains(&format!("\"from\":\"{before}\"")), "{json}");
    }
    // The licence of a file that is looked up is the one that holds.
    let shard = Digest::of(&fs::read(base.folder.join(model::SHARDS[0])).unwrap()).to_string();
    let told = reader.stele(&["resolve", &shard])?.expect(0)?;
    says(&told, &[&format!("LicenseRef-acme-research-only (amended; released under {before})")])?;
    Ok(())
}

#[test]
fn a_log_that_forks_or_goes_back_is_refused_by_whoever_saw_the_other_side() -> Step {
    // One log and one witness, cloned: the operator tells two stories with the same keys.
    let mut network = Network::start(1, 1)?;
    let base = publish(&network, "base.example", 1, &[])?;
    network.stop()?;
    let aside = network.at("aside");
    model::copy(&network.log_data(), &aside.join("log"))?;
    model::copy(&network.at("witness-1"), &aside.join("witness"))?;

    network.start_witnesses()?;
    network.start_log()?;
    let tuned = publish(&network, "tuned.example", 2, &[&base])?;
    let reader = Reader::new(&network, "reader");
    reader.verify(&tuned, &["--online"])?.expect(0)?;
    network.stop()?;

    // The other story, from the copy: at first it is only behind.
    for (from, to) in [("log", network.log_data()), ("witness", network.at("witness-1"))] {
        fs::remove_dir_all(&to).unwrap();
        model::copy(&aside.join(from), &to)?;
    }
    network.start_witnesses()?;
    network.start_log()?;
    let reader = Reader::new(&network, "reader");
    // That contradicts nothing yet, and a cache does it as well: it is stale, without evidence.
    let told = reader.verify(&base, &["--online"])?.expect(9)?;
    assert!(told.stderr.contains("served an older checkpoint"), "{}", told.stderr);
    assert!(!network.at("state-reader/evidence").exists());

    // Then it grows, to the very size that the reader saw.
    let other = publish(&network, "other.example", 3, &[&base])?;
    network.stop()?;
    let reader = Reader::new(&network, "reader");
    let told = reader.verify(&other, &[])?.expect(12)?;
    for words in ["two histories", "seen before: size", "shown now: size", "root", "evidence: ", "hint: "] {
        assert!(told.stderr.contains(words), "{words:?}: {}", told.stderr);
    }
    let file = told.stderr.lines().find_map(|line| line.trim().strip_prefix("evidence: ")).unwrap();
    assert!(fs::metadata(file).unwrap().len() > 0, "{file}");
    assert_eq!(reader.verify(&other, &["--json"])?.expect(12)?.json()?["error"], "log-forked");
    // Who saw only one side cannot know.
    Reader::new(&network, "stranger").verify(&other, &[])?.expect(0)?;
    Ok(())
}
