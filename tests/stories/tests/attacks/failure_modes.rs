//! Each failure mode of a release, committed with the real programs: who notices, with which code, and what is told.
//! And one release that commits none.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use stele_harness::auditor::Report;
use stele_harness::network::Network;
use stele_harness::publisher::Publisher;
use stele_probe::failure::Step;
use stele_samples::model;
use stele_samples::release_toml;

/// A model folder with a completed release.toml, changed by a story.
fn drafted(network: &Network, of: &Publisher, version: &str, seed: u64, change: &[(&str, &str)]) -> Step<PathBuf> {
    let folder = network.at(&format!("{}-{version}", of.name()));
    model::write(&folder, seed)?;
    of.prepare(&folder, version)?;
    edit(&folder, change);
    Ok(folder)
}

/// Replaces text of release.toml; what is to be replaced is there.
#[track_caller]
fn edit(folder: &Path, change: &[(&str, &str)]) {
    let file = folder.join(release_toml::FILE);
    let mut text = fs::read_to_string(&file).unwrap();
    for (from, to) in change {
        assert!(text.contains(from), "no {from:?} in\n{text}");
        text = text.replacen(from, to, 1);
    }
    fs::write(&file, text).unwrap();
}

/// The value of a finding's evidence.
fn evidence<'a>(finding: &'a Value, name: &str) -> &'a str {
    let values = finding["evidence"].as_array().unwrap();
    let value = values.iter().find(|value| value["name"] == name);
    value.unwrap_or_else(|| panic!("no {name} in {finding}"))["value"].as_str().unwrap()
}

/// An evaluation as TOML; `more` may say how it was run.
fn evaluation(id: &str, class: &str, domain: &str, more: &str) -> String {
    format!(
        "\n[[evaluations]]\nid = \"{id}\"\nclass = \"{class}\"\ndomain = \"{domain}\"\n{more}\n\
         metric = \"rate\"\nvalue = \"0.5\"\nevaluator = \"Acme\"\ndate = \"2026-06-20\"\n\
         effect = \"Access stays as planned.\"\n\
         dataset = {{ name = \"suite\", revision = \"3\" }}\n\
         result = {{ name = \"result.json\", sha256 = \"{}\" }}\n",
        "ab".repeat(32)
    )
}

const BARE: &str = "subject = \"this-release\"\nconfiguration = \"bare-weights\"";

#[test]
fn a_release_that_says_what_it_is_gives_an_auditor_nothing_to_report() -> Step {
    let network = Network::start(1, 1)?;
    let acme = Publisher::new(&network, "acme.example")?;
    let folder = drafted(&network, &acme, "1.0.0", 1, &[])?;
    let file = folder.join(release_toml::FILE);
    let text = fs::read_to_string(&file).unwrap() + &evaluation("fraud", "dangerous-capability", "fraud", BARE);
    fs::write(&file, text).unwrap();
    acme.publish(&folder)?.expect(0)?;
    let report = Report::of(&network)?;
    assert!(report.codes().is_empty(), "{}", report.document);
    report.told.expect(0)?;
    acme.verify(&folder)?.expect(0).map(drop)
}

#[test]
fn openwashing_is_computed_from_what_is_included() -> Step {
    let network = Network::start(1, 1)?;
    let acme = Publisher::new(&network, "acme.example")?;
    let sin = [("claim = \"open-weight\"", "claim = \"open-source\""), ("basis = \"none\"", "basis = \"OSAID-1.0\"")];
    let folder = drafted(&network, &acme, "1.0.0", 1, &sin)?;
    acme.publish_despite(&folder, &["openness-osaid"])?.expect(0)?;
    let report = Report::of(&network)?;
    let finding = report.finding("openness-osaid")?;
    assert_eq!((finding["severity"].as_str(), finding["mode"].as_str()), (Some("error"), Some("openwashing")));
    assert_eq!(finding["coordinate"], acme.coordinate("1.0.0"));
    assert!(
        evidence(finding, "lacks").contains("not included") && finding.to_string().contains("training-code"),
        "{finding}"
    );
    Ok(())
}

#[test]
fn a_safety_result_does_not_travel_with_a_safeguard_that_stays_behind() -> Step {
    let network = Network::start(1, 1)?;
    let acme = Publisher::new(&network, "acme.example")?;
    let folder = drafted(&network, &acme, "1.0.0", 1, &[])?;
    let file = folder.join(release_toml::FILE);
    let wrapped = "subject = \"this-release\"\nconfiguration = \"with-safeguards\"\nsafeguards = [\"filter\"]";
    let text = fs::read_to_string(&file).unwrap()
        + &evaluation("fraud-filtered", "safety", "fraud", wrapped)
        + "\n[[safety.safeguards]]\nid = \"filter\"\ntype = \"output-classifier\"\ntravels = false\n";
    fs::write(&file, text).unwrap();
    acme.publish_despite(&folder, &["safeguard-stays"])?.expect(0)?;
    let report = Report::of(&network)?;
    let finding = report.finding("safeguard-stays")?;
    assert_eq!(finding["mode"], "safety-wrapper-evaporation");
    assert_eq!(
        (evidence(finding, "evaluation"), evidence(finding, "safeguard")),
        ("fraud-filtered", "filter (output-classifier)")
    );
    Ok(())
}

#[test]
fn a_descendant_that_loses_its_parents_policy_and_warnings_is_reported_and_told_to_its_reader() -> Step {
    let network = Network::start(1, 1)?;
    let acme = Publisher::new(&network, "acme.example")?;
    let use_policy = format!("[obligations]\nuse_policy = {{ name = \"use.md\", sha256 = \"{}\" }}", "cd".repeat(32));
    let sin = [("[obligations]", use_policy.as_str()), ("use_restricted = false", "use_restricted = true")];
    let parent = drafted(&network, &acme, "1.0.0", 1, &sin)?;
    acme.publish(&parent)?.expect(0)?;
    let tuner = Publisher::with_key(&network, "tuner.example", "tuner.pem")?.0;
    let weights = release_weights(&parent);
    let lineage = format!(
        "\n[[lineage]]\nrelation = \"finetune\"\nparent = {{ coordinate = \"{}\" }}\nparent_weights = \"{weights}\"\n\
         tool = \"none\"\ncarries = {{ license = false, use_policy = false, model_card = false, risk_notes = false }}\n",
        acme.coordinate("1.0.0")
    );
    let child = drafted(&network, &tuner, "1.0.0", 2, &[("from_scratch = true", "from_scratch = false")])?;
    let file = child.join(release_toml::FILE);
    fs::write(&file, fs::read_to_string(&file).unwrap() + &lineage).unwrap();
    tuner.publish_despite(&child, &["license-looser"])?.expect(0)?;

    let report = Report::of(&network)?;
    for code in ["use-policy-dropped", "license-dropped", "license-looser", "risk-notes-dropped"] {
        assert_eq!(report.finding(code)?["coordinate"], tuner.coordinate("1.0.0"), "{code}");
    }
    // An incident of the parent that does not name the child is not carried down.
    let advisory = network.at("advisory.md");
    fs::write(&advisory, "Do not run it on private text.\n").unwrap();
    let incident = [
        "incident",
        &acme.coordinate("1.0.0"),
        "--as",
        "acme.example",
        "--id",
        "2026-1",
        "--class",
        "backdoor",
        "--severity",
        "high",
        "--status",
        "open",
        "--discovered",
        "2026-06-30",
        "--summary",
        "A trigger phrase.",
        "--advisory",
        advisory.to_str().unwrap(),
    ];
    acme.say(&network, &incident)?.expect(0)?;
    let report = Report::of(&network)?;
    let finding = report.finding("ancestor-incident")?;
    assert_eq!((finding["mode"].as_str(), evidence(finding, "class")), (Some("lineage-decay"), "backdoor"));
    let told = tuner.verify_with(&child, &["--online", "-v"])?.expect(0)?;
    assert!(told.stdout.contains("2026-1") && told.stdout.contains("backdoor"), "{}", told.stdout);
    Ok(())
}

#[test]
fn scores_in_the_place_of_tests_of_misuse_are_benchmark_substitution() -> Step {
    let network = Network::start(1, 1)?;
    let acme = Publisher::new(&network, "acme.example")?;
    let folder = drafted(&network, &acme, "1.0.0", 1, &[])?;
    let file = folder.join(release_toml::FILE);
    let unpinned = evaluation("reading", "capability", "reading", BARE).replace(", revision = \"3\"", "");
    fs::write(&file, fs::read_to_string(&file).unwrap() + &unpinned).unwrap();
    acme.publish_despite(&folder, &["capability-only"])?.expect(0)?;
    let report = Report::of(&network)?;
    let finding = report.finding("capability-only")?;
    assert_eq!(
        (finding["severity"].as_str(), finding["mode"].as_str()),
        (Some("error"), Some("benchmark-substitution"))
    );
    assert!(report.codes().contains("dataset-unpinned"), "{:?}", report.codes());
    Ok(())
}

#[test]
fn a_false_recall_is_refused_where_it_is_plain_and_reported_where_it_is_implied() -> Step {
    let network = Network::start(1, 1)?;
    let acme = Publisher::new(&network, "acme.example")?;
    let folder = drafted(&network, &acme, "1.0.0", 1, &[])?;
    acme.publish(&folder)?.expect(0)?;
    let coordinate = acme.coordinate("1.0.0");
    let withdraw = |copies| {
        [
            "withdraw",
            coordinate.as_str(),
            "--did",
            "support-ended 2026-07-01",
            "--copies",
            copies,
            "--reason",
            "Regret.",
        ]
    };
    let told = acme.say(&network, &withdraw("never-left"))?.expect(8)?;
    assert!(told.all().contains("found: never-left") && told.all().contains("hint:"), "{}", told.all());
    acme.say(&network, &withdraw("limited-recipients"))?.expect(0)?;
    let report = Report::of(&network)?;
    let finding = report.finding("recall-after-public")?;
    assert_eq!((finding["mode"].as_str(), evidence(finding, "copies")), (Some("false-recall"), "limited-recipients"));
    // The bytes verify as they did, and the reader learns both.
    let told = acme.verify_with(&folder, &["--online"])?.expect(17)?;
    let line = told.stdout.lines().next().unwrap();
    for said in ["WITHDRAWN", "by its publisher on", "Regret.", "all 9 files match"] {
        assert!(line.contains(said), "{said}: {line}");
    }
    let told = acme.verify_with(&folder, &["--online", "--accept", "withdrawn"])?.expect(0)?;
    assert!(told.stdout.contains("WITHDRAWN by its publisher"), "{}", told.stdout);
    Ok(())
}

#[test]
fn terms_cannot_be_rewritten_for_copies_that_are_out() -> Step {
    let network = Network::start(1, 1)?;
    let acme = Publisher::new(&network, "acme.example")?;
    let folder = drafted(&network, &acme, "1.0.0", 1, &[])?;
    acme.publish(&folder)?.expect(0)?;
    let text = network.at("new-licence.txt");
    fs::write(&text, "Research only.\n").unwrap();
    let coordinate = acme.coordinate("1.0.0");
    let amend = [
        "amend",
        coordinate.as_str(),
        "--license",
        "LicenseRef-acme-research",
        "--license-text",
        text.to_str().unwrap(),
        "--use-restricted",
        "true",
        "--reason",
        "Lawyers.",
    ];
    acme.say(&network, &amend)?.expect(0)?;
    let report = Report::of(&network)?;
    let finding = report.finding("license-narrowed")?;
    assert_eq!(finding["severity"], "error");
    assert!(evidence(finding, "before").contains("MIT"), "{finding}");
    Ok(())
}

#[test]
fn the_same_weights_under_two_names_are_artifact_ambiguity() -> Step {
    let network = Network::start(1, 1)?;
    let acme = Publisher::new(&network, "acme.example")?;
    for version in ["1.0.0", "1.0.1"] {
        let folder = drafted(&network, &acme, version, 1, &[])?;
        acme.publish(&folder)?.expect(0)?;
    }
    let report = Report::of(&network)?;
    let finding = report.finding("file-in-many")?;
    assert_eq!(
        (finding["mode"].as_str(), evidence(finding, "other")),
        (Some("artifact-ambiguity"), acme.coordinate("1.0.0").as_str())
    );
    Ok(())
}

#[test]
fn weights_that_run_a_program_when_they_are_loaded_are_named() -> Step {
    let network = Network::start(1, 1)?;
    let acme = Publisher::new(&network, "acme.example")?;
    let folder = network.at("model");
    model::write(&folder, 1)?;
    fs::write(folder.join("pytorch_model.bin"), b"\x80\x04N.").unwrap();
    fs::write(folder.join("modeling_tiny.py"), "print('loaded')\n").unwrap();
    acme.prepare(&folder, "1.0.0")?;
    acme.publish(&folder)?.expect(0)?;
    let report = Report::of(&network)?;
    assert!(evidence(report.finding("pickle-weights")?, "file").contains("pytorch_model.bin"));
    assert!(evidence(report.finding("code-files")?, "file").contains("modeling_tiny.py"));
    let told = acme.verify_with(&folder, &["-v"])?.expect(0)?;
    assert!(told.stdout.contains("pytorch_model.bin"), "{}", told.stdout);
    Ok(())
}

#[test]
fn other_weights_under_a_name_are_refused_and_the_old_entry_is_proven() -> Step {
    let network = Network::start(1, 1)?;
    let acme = Publisher::new(&network, "acme.example")?;
    let folder = drafted(&network, &acme, "1.0.0", 1, &[])?;
    acme.publish(&folder)?.expect(0)?;
    let swapped = network.at("swapped");
    model::write(&swapped, 2)?;
    acme.prepare(&swapped, "1.0.0")?;
    let told = acme.publish(&swapped)?.expect(8)?;
    assert!(told.all().contains("is bound to weights") && told.all().contains("proven"), "{}", told.all());
    assert!(Report::of(&network)?.codes().is_empty());
    Ok(())
}

/// The weights digest in the bundle of a folder.
fn release_weights(folder: &Path) -> String {
    let bundle = stele_spec::bundle::Bundle::parse(&fs::read(folder.join("release.stele")).unwrap()).unwrap();
    let signed = stele_spec::statement::SignedStatement::parse(&bundle.statement).unwrap();
    signed.statement().weights_digest().unwrap().to_string()
}
