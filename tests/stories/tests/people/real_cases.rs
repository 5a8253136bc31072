//! Cases that happened, replayed with the real programs: what the record would have shown.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use std::fs;
use std::path::{Path, PathBuf};

use stele_harness::auditor::Report;
use stele_harness::binaries::Binary;
use stele_harness::command;
use stele_harness::hub::Hub;
use stele_harness::network::{Network, path};
use stele_harness::publisher::Publisher;
use stele_probe::failure::Step;
use stele_samples::model;
use stele_samples::release_toml;
use stele_spec::name::Coordinate;
use stele_spec::statement::{
    Affected, HostType, LoggedRelease, Observation, ObservationKind, ObservationMethod, Observed, ObservedHost,
    PublisherName, SignedStatement, Statement, sign,
};

fn edit(folder: &Path, change: &[(&str, &str)], more: &str) {
    let file = folder.join(release_toml::FILE);
    let mut text = fs::read_to_string(&file).unwrap();
    for (from, to) in change {
        assert!(text.contains(from), "no {from:?} in\n{text}");
        text = text.replacen(from, to, 1);
    }
    fs::write(&file, text + more).unwrap();
}

fn released(network: &Network, of: &Publisher, seed: u64, change: &[(&str, &str)], more: &str) -> Step<PathBuf> {
    released_despite(network, of, seed, change, more, &[])
}

fn released_despite(
    network: &Network,
    of: &Publisher,
    seed: u64,
    change: &[(&str, &str)],
    more: &str,
    codes: &[&str],
) -> Step<PathBuf> {
    let folder = network.at(&format!("{}-{seed}", of.name()));
    model::write(&folder, seed)?;
    of.prepare(&folder, "1.0.0")?;
    edit(&folder, change, more);
    of.publish_despite(&folder, codes)?.expect(0)?;
    Ok(folder)
}

/// The release in a folder's bundle, as others refer to it.
fn logged(folder: &Path) -> LoggedRelease {
    let bundle = stele_spec::bundle::Bundle::parse(&fs::read(folder.join("release.stele")).unwrap()).unwrap();
    let signed = SignedStatement::parse(&bundle.statement).unwrap();
    let proof = stele_spec::proof::TlogProof::parse(&bundle.proof).unwrap();
    LoggedRelease {
        coordinate: signed.statement().coordinate().unwrap(),
        entry: proof.index(),
        leaf_hash: stele_spec::merkle::leaf_hash(&bundle.statement),
    }
}

/// A host of the release on a stand-in hub, as release.toml says it.
fn on_the_hub(repository: &str, commit: &str) -> String {
    format!(
        "\n[[hosts]]\ntype = \"huggingface\"\nlocator = \"https://huggingface.co/{repository}\"\nrevision = \"{commit}\"\n\
         gated = false\nsince = \"2026-06-25\"\n"
    )
}

/// 2023-03: research-only weights behind a form were posted as a torrent within days, and copies stayed.
#[test]
fn gated_weights_that_leaked_cannot_have_never_left() -> Step {
    let network = Network::start(1, 1)?;
    let acme = Publisher::new(&network, "acme.example")?;
    let folder = released(
        &network,
        &acme,
        1,
        &[("stage = \"open\"", "stage = \"limited-research\""), ("claim = \"open-weight\"", "claim = \"none\"")],
        "",
    )?;
    assert!(Report::of(&network)?.codes().is_empty());

    // Somebody else sees the bytes at a torrent that nobody recorded, equal to the entry.
    let watch = Publisher::with_key(&network, "watch.example", "watch.pem")?.0;
    watch.say(&network, &["claim", "watch.example"])?.expect(0)?;
    let key = stele_spec::key::SecretKey::from_pkcs8_pem(&fs::read_to_string(watch.key()).unwrap()).unwrap();
    let release = logged(&folder);
    let bundle = stele_spec::bundle::Bundle::parse(&fs::read(folder.join("release.stele")).unwrap()).unwrap();
    let weights = SignedStatement::parse(&bundle.statement).unwrap().statement().weights_digest();
    let seen = Observation {
        kind: ObservationKind::Observation,
        issued_at: "2026-07-01T10:00:00Z".parse().unwrap(),
        observed_at: "2026-07-01T09:00:00Z".parse().unwrap(),
        method: ObservationMethod::Download,
        result: Observed::Unlogged,
        weights_digest: weights,
        note: Some("Posted by magnet link; the bytes are those of the entry.".parse().unwrap()),
        publisher: PublisherName { name: "watch.example".parse().unwrap() },
        subject: Affected::Logged(release.clone()),
        host: ObservedHost {
            kind: HostType::Torrent,
            locator: "magnet:?xt=urn:btih:b8287ebfa04f879b048d4d4404108cf3e8014352".parse().unwrap(),
            revision: None,
        },
        files: Vec::new(),
        approvals: Vec::new(),
    };
    let signed = sign(&Statement::Observation(Box::new(seen)), &key).unwrap();
    network.accepted(signed.bytes())?;
    let report = Report::of(&network)?;
    assert_eq!(report.finding("copy-outside")?["coordinate"], release.coordinate.to_string());

    // The publisher takes it back as if nothing had happened: the log lets it say so, and every auditor sees both.
    let coordinate = acme.coordinate("1.0.0");
    let withdraw = [
        "withdraw",
        coordinate.as_str(),
        "--did",
        "support-ended 2026-07-02",
        "--copies",
        "never-left",
        "--reason",
        "Recalled.",
    ];
    acme.say(&network, &withdraw)?.expect(0)?;
    let report = Report::of(&network)?;
    assert_eq!(report.finding("recall-against-observation")?["mode"], "false-recall");
    let told =
        command::run_in(Binary::Stele, ["history", &coordinate, "--policy", path(&network.policy_path())?], None)?
            .expect(0)?;
    assert!(
        told.stdout.contains("magnet:") && told.stdout.contains("no copy ever left, says the publisher"),
        "{}",
        told.stdout
    );
    Ok(())
}

/// 2024-04: weights were removed within about a day, since an evaluation had been missed; mirrors lived on.
#[test]
fn a_release_withdrawn_within_a_day_verifies_at_every_mirror_and_says_why() -> Step {
    let network = Network::start(1, 1)?;
    let acme = Publisher::new(&network, "acme.example")?;
    let folder = released(&network, &acme, 1, &[], "")?;
    let mirror = network.at("mirror");
    model::copy(&folder, &mirror)?;
    let coordinate = acme.coordinate("1.0.0");
    let withdraw = [
        "withdraw",
        coordinate.as_str(),
        "--did",
        "host-removed 2026-06-26 https://models.acme.example/tiny/",
        "--copies",
        "publicly-downloaded",
        "--reason",
        "A required evaluation was missed.",
    ];
    acme.say(&network, &withdraw)?.expect(0)?;
    let report = Report::of(&network)?;
    assert_eq!(report.finding("withdrawn-unevaluated")?["mode"], "benchmark-substitution");
    let told = acme.verify_with(&mirror, &["--online", "-v"])?.expect(17)?;
    for said in ["all match", "withdrawn", "2026-06-26", "A required evaluation was missed."] {
        assert!(told.stdout.contains(said), "no {said:?} in {}", told.stdout);
    }
    Ok(())
}

/// 2024-09: the weights that were uploaded were not those that had been evaluated.
#[test]
fn uploaded_weights_that_were_not_the_evaluated_ones_are_reported() -> Step {
    let network = Network::start(1, 1)?;
    let acme = Publisher::new(&network, "acme.example")?;
    let evaluated = format!(
        "\n[[evaluations]]\nid = \"reading\"\nclass = \"capability\"\ndomain = \"reading\"\nsubject = \"{}\"\n\
         configuration = \"bare-weights\"\nmetric = \"accuracy\"\nvalue = \"0.99\"\nevaluator = \"Acme\"\ndate = \"2026-06-20\"\n\
         effect = \"None.\"\ndataset = {{ name = \"suite\", revision = \"3\" }}\n\
         result = {{ name = \"result.json\", sha256 = \"{}\" }}\n",
        "ef".repeat(32),
        "ab".repeat(32)
    );
    released_despite(&network, &acme, 1, &[], &evaluated, &["capability-only", "subject-differs"])?;
    let report = Report::of(&network)?;
    assert_eq!(report.finding("subject-differs")?["severity"], "error");
    Ok(())
}

/// 2026-06: a model renamed and quantized again: most shards differ under the same name, the old commit is gone.
#[test]
fn shards_that_were_quantized_again_under_the_same_name_are_told_file_by_file() -> Step {
    let network = Network::start(1, 1)?;
    let acme = Publisher::new(&network, "acme.example")?;
    let hub = Hub::start()?;
    let folder = network.at("acme.example-1");
    model::write(&folder, 1)?;
    let commit = hub.commit("acme/tiny", &folder, "first")?;
    acme.prepare(&folder, "1.0.0")?;
    edit(&folder, &[], &on_the_hub("acme/tiny", &commit));
    acme.publish(&folder)?.expect(0)?;

    let again = network.at("again");
    model::write(&again, 9)?;
    hub.commit("acme/tiny", &again, "quantized again")?;
    hub.squash("acme/tiny");
    let told = observe(&network, &acme, &hub, "acme/tiny", true)?.expect(1)?;
    for shard in model::SHARDS {
        assert!(told.stdout.contains(shard), "{}", told.stdout);
    }
    let report = Report::of(&network)?;
    assert_eq!(report.finding("host-differs")?["mode"], "silent-swap");
    // Who has the old bytes still proves which they are.
    acme.verify(&folder)?.expect(0).map(drop)
}

/// 2025-09: the name of a deleted account at a host could be registered again by anybody.
#[test]
fn a_host_name_that_somebody_else_registered_is_not_the_publisher() -> Step {
    let network = Network::start(1, 1)?;
    let acme = Publisher::new(&network, "huggingface.co/acme")?;
    let hub = Hub::start()?;
    let folder = network.at("acme");
    model::write(&folder, 1)?;
    let commit = hub.commit("acme/tiny", &folder, "first")?;
    acme.prepare(&folder, "1.0.0")?;
    edit(&folder, &[], &on_the_hub("acme/tiny", &commit));
    acme.publish(&folder)?.expect(0)?;
    hub.delete("acme/tiny");
    let told = observe(&network, &acme, &hub, "acme/tiny", false)?.expect(15)?;
    assert!(told.stdout.contains("absent"), "{}", told.stdout);

    let thief = Publisher::with_key(&network, "huggingface.co/acme", "thief.pem")?.0;
    let theirs = network.at("theirs");
    model::write(&theirs, 6)?;
    hub.commit("acme/tiny", &theirs, "welcome back")?;
    thief.prepare(&theirs, "1.0.1")?;
    // The name belongs to keys: the account at the host gives nobody the name in the record.
    let told = thief.publish(&theirs)?;
    assert!(told.code != Some(0) && told.all().contains("does not hold huggingface.co/acme"), "{}", told.all());
    let told = observe(&network, &acme, &hub, "acme/tiny", true)?.expect(1)?;
    assert!(told.stdout.contains(model::SHARDS[0]), "{}", told.stdout);
    assert!(Report::of(&network)?.codes().contains("host-differs"));
    Ok(())
}

/// 2026: a history was squashed. The commit changed, the content did not: nothing to report.
#[test]
fn a_squashed_history_with_the_same_content_is_no_finding() -> Step {
    let network = Network::start(1, 1)?;
    let acme = Publisher::new(&network, "acme.example")?;
    let hub = Hub::start()?;
    let folder = network.at("acme");
    model::write(&folder, 1)?;
    let commit = hub.commit("acme/tiny", &folder, "first")?;
    acme.prepare(&folder, "1.0.0")?;
    edit(&folder, &[], &on_the_hub("acme/tiny", &commit));
    acme.publish(&folder)?.expect(0)?;
    hub.commit("acme/tiny", &folder, "squashed")?;
    hub.squash("acme/tiny");
    observe(&network, &acme, &hub, "acme/tiny", true)?.expect(0)?;
    let report = Report::of(&network)?;
    assert!(report.codes().is_empty(), "{}", report.document);
    Ok(())
}

/// Somebody else than the publisher looks at the hub, and puts what was seen into the log where `submit`.
fn observe(network: &Network, of: &Publisher, hub: &Hub, repository: &str, submit: bool) -> Step<command::Told> {
    let (host, base) = (format!("https://huggingface.co/{repository}"), format!("huggingface.co={}", hub.url()));
    let coordinate: Coordinate = of.coordinate("1.0.0").parse().unwrap();
    let (coordinate, policy, key) = (coordinate.to_string(), network.policy_path(), network.at("watch.pem"));
    let mut arguments = vec!["observe", &coordinate, "--host", &host, "--base", &base, "--policy", path(&policy)?];
    if submit {
        let watch = Publisher::with_key(network, "watch.example", "watch.pem")?.0;
        watch.say(network, &["claim", "watch.example"])?.expect(0)?;
        arguments.extend(["--key", path(&key)?, "--publisher", "watch.example", "--submit"]);
    }
    command::run(Binary::Stele, arguments)
}
