//! What `release.stele` proves, with no network, of everything else that was said.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use std::fs;
use std::path::{Path, PathBuf};

use stele_harness::binaries::Binary;
use stele_harness::command::{self, Told};
use stele_harness::index_cosigner::IndexCosigner;
use stele_harness::network::{Home, Network, ORIGIN, path};
use stele_harness::proxy::Proxy;
use stele_harness::publisher::Publisher;
use stele_probe::failure::Step;
use stele_samples::model;
use stele_spec::bundle::{Bundle, BundledNames};

/// The most that name proofs may add to a bundle of this story.
const MAX_MORE: usize = 3072;

/// A folder, as somebody sees it who has it, the policy and no network.
fn offline(folder: &Path, policy: &Path, more: &[&str]) -> Step<Told> {
    let arguments = ["verify", path(folder)?, "--policy", path(policy)?, "--no-state"];
    command::run(Binary::Stele, arguments.iter().chain(more))
}

fn bundle_of(folder: &Path) -> (PathBuf, Bundle) {
    let place = folder.join("release.stele");
    let bundle = Bundle::parse(&fs::read(&place).unwrap()).unwrap();
    (place, bundle)
}

fn released(network: &Network, publisher: &Publisher, version: &str) -> Step<(PathBuf, Told)> {
    let folder = network.at(&format!("model-{version}"));
    model::write(&folder, 1)?;
    publisher.prepare(&folder, version)?;
    let told = publisher.publish(&folder)?.expect(0)?;
    Ok((folder, told))
}

/// The policy of a network that knows a further witness, and not what it is.
fn knowing(network: &Network, cosigner: &IndexCosigner) -> Step<String> {
    Ok(format!("{}{}", network.policy(), cosigner.policy_line()?))
}

/// One that asks for it, as an index cosigner.
fn demanding(network: &Network, cosigner: &IndexCosigner) -> Step<String> {
    let rest = knowing(network, cosigner)?.replace("quorum witnesses\n", "");
    Ok(format!("{rest}group index-cosigners all indexer\ngroup both all witnesses index-cosigners\nquorum both\n"))
}

#[test]
fn a_bundle_proves_that_nothing_else_was_said_and_a_withdrawal_that_it_has_is_the_verdict() -> Step {
    let mut network = Network::prepare(Home::temporary()?, 1, 1)?;
    network.start_witnesses()?;
    let mut cosigner = IndexCosigner::init(network.home(), "indexer", ORIGIN, network.log_vkey())?;
    cosigner.server.start()?;
    fs::write(network.policy_path(), demanding(&network, &cosigner)?).unwrap();
    network.log.start()?;
    network.wait_until_well()?;
    // With the address of the log, which is known now.
    fs::write(network.policy_path(), demanding(&network, &cosigner)?).unwrap();
    let policy = network.policy_path();
    let acme = Publisher::new(&network, "acme.example")?;
    let (folder, told) = released(&network, &acme, "1.0.0")?;
    assert!(told.stdout.contains("complete, checked by 1 index cosigner"), "{}", told.stdout);

    let told = offline(&folder, &policy, &[])?.expect(0)?;
    let said = "released, complete, checked by 1 index cosigner, as of ";
    assert!(
        told.stdout.contains(said) && told.stdout.contains("its publisher said nothing else of it up to there"),
        "{}",
        told.stdout
    );
    let told = offline(&folder, &policy, &["--json"])?.expect(0)?.json()?;
    let complete = &told["completeness"];
    assert_eq!((&complete["word"], &complete["statements"]), (&"checked".into(), &0.into()), "{complete}");
    assert_eq!(complete["index_cosigners"][0]["witness"], "indexer");

    // Who trusts no index cosigner is told whose word it is.
    let without = network.at("without");
    fs::write(&without, knowing(&network, &cosigner)?).unwrap();
    let told = offline(&folder, &without, &[])?.expect(0)?;
    assert!(told.stdout.contains("complete by the log's index alone, as of "), "{}", told.stdout);

    // One from before is as valid as it was. The proofs of a release that is another's are not.
    let (place, bundle) = bundle_of(&folder);
    let silent = Bundle { names: None, ..bundle.clone() }.encode().unwrap();
    let more = bundle.encode().unwrap().len() - silent.len();
    assert!(more <= MAX_MORE, "{more} bytes");
    fs::write(&place, &silent).unwrap();
    let told = offline(&folder, &policy, &[])?.expect(0)?;
    assert!(told.stdout.contains("no word about completeness: "), "{}", told.stdout);
    let (next, _) = released(&network, &acme, "1.1.0")?;
    let of_next = bundle_of(&next).1.names.unwrap();
    let names = Some(BundledNames { release: of_next.release, ..bundle.names.clone().unwrap() });
    fs::write(&place, Bundle { names, ..bundle.clone() }.encode().unwrap()).unwrap();
    let told = offline(&folder, &policy, &["--json"])?.expect(3)?.json()?;
    assert_eq!(told["error"], "name-proof-refused", "{told}");

    // A withdrawal: what was made before it says as of when, and what is made anew has it.
    fs::write(&place, bundle.encode().unwrap()).unwrap();
    let withdraw =
        ["withdraw", &acme.coordinate("1.0.0"), "--did", "support-ended 2026-07-02", "--copies", "publicly-downloaded"];
    acme.say(&network, &[&withdraw[..], &["--reason", "It leaks."]].concat())?.expect(0)?;
    offline(&folder, &policy, &[])?.expect(0)?;
    let told = acme.ask(&network, &["fetch", path(&folder)?])?.expect(0)?;
    assert!(told.stdout.contains("renewed") && told.stdout.contains("complete, checked by 1 index"), "{}", told.stdout);
    network.stop()?;
    cosigner.server.stop()?;
    let told = offline(&folder, &policy, &[])?.expect(17)?;
    assert!(told.stdout.starts_with("WITHDRAWN  ") && told.stdout.contains("It leaks."), "{}", told.stdout);
    assert!(told.stdout.contains("withdrawn, complete, checked by 1 index cosigner"), "{}", told.stdout);
    offline(&folder, &policy, &["--accept", "withdrawn"])?.expect(0)?;
    let (file, _) = bundle_of(&folder);
    let shown = command::run(Binary::Stele, ["show", path(&file)?])?.expect(0)?.stdout;
    assert!(shown.starts_with("WITHDRAWN, says a statement in this file that was not verified"), "{shown}");
    let by_policy = ["show", path(&file)?, "--policy", path(&policy)?, "--no-state"];
    let shown = command::run(Binary::Stele, by_policy)?.expect(0)?.stdout;
    assert!(shown.starts_with("WITHDRAWN at entry ") && shown.contains("It leaks."), "{shown}");
    offline(&next, &policy, &[])?.expect(0)?;

    // Nobody takes it out again; without all of the proofs it says that it has no word.
    let (place, withdrawn) = bundle_of(&folder);
    let names = withdrawn.names.clone().unwrap();
    assert_eq!(names.said.len(), 1);
    let hidden = Some(BundledNames { said: vec![], ..names });
    fs::write(&place, Bundle { names: hidden, ..withdrawn.clone() }.encode().unwrap()).unwrap();
    let told = offline(&folder, &policy, &["--json"])?.expect(3)?.json()?;
    assert_eq!(told["error"], "name-list-differs", "{told}");
    fs::write(&place, Bundle { names: None, ..withdrawn.clone() }.encode().unwrap()).unwrap();
    let told = offline(&folder, &policy, &[])?.expect(0)?;
    assert!(told.stdout.contains("no word about completeness: "), "{}", told.stdout);

    // A copy of the static files answers nothing, and has all that the answers are made of: a bundle from it says as much as one from the log.
    let copy = path(&network.log_data())?.to_owned() + "/public";
    for place_was_there in [true, false] {
        if !place_was_there {
            fs::remove_file(&place).unwrap();
        }
        let told = acme.ask(&network, &["fetch", path(&folder)?, "--log", &copy])?.expect(0)?;
        assert!(
            told.stdout.lines().next().is_some_and(|line| line.ends_with("WITHDRAWN by its publisher")),
            "{}",
            told.stdout
        );
        assert!(told.stdout.contains("complete, checked by 1 index"), "{}", told.stdout);
        let told = offline(&folder, &policy, &[])?.expect(17)?;
        assert!(told.stdout.contains("It leaks."), "{}", told.stdout);
        assert_eq!(bundle_of(&folder).1.names, withdrawn.names);
    }
    Ok(())
}

#[test]
fn what_was_never_released_is_proven_to_be_in_no_entry() -> Step {
    let network = Network::start(1, 1)?;
    let acme = Publisher::new(&network, "acme.example")?;
    let (folder, _) = released(&network, &acme, "1.0.0")?;
    let (other, stranger) = (network.at("other"), network.at("stranger"));
    model::write(&other, 2)?;
    fs::create_dir(&stranger).unwrap();
    let shard = stranger.join("model.safetensors");
    fs::copy(model::largest_weights(&other)?, &shard).unwrap();

    // A file, a digest and a folder that nobody released. A file might be one of several of a release, of which no index tells: so that is 3.
    let told = acme.ask(&network, &["resolve", path(&shard)?])?.expect(3)?;
    let said = "no entry of log.example/";
    let fact = "index: the log's own: no index cosigner of the policy checked it";
    assert!(
        told.stderr.contains(said) && told.stderr.contains("proven for its ") && told.stderr.contains(fact),
        "{}",
        told.all()
    );
    let unknown = "ab".repeat(32);
    let json = acme.ask(&network, &["resolve", &unknown, "--json"])?.expect(3)?.json()?;
    assert_eq!((&json["error"], &json["exit"]), (&"not-recorded".into(), &3.into()), "{json}");
    assert!(json["message"].as_str().unwrap().contains("proven for its "), "{json}");
    let told = acme.verify(&stranger)?.expect(3)?;
    assert!(told.stderr.contains("is not known offline: --online asks the log"), "{}", told.all());
    let told = acme.verify_with(&stranger, &["--online"])?.expect(21)?;
    assert!(told.stdout.starts_with("NOT VERIFIED  no entry of log.example/"), "{}", told.all());

    // What was released is found, by a file and by the digest of all weights.
    acme.ask(&network, &["resolve", path(&model::largest_weights(&folder)?)?, "--no-bundle"])?.expect(0)?;
    let json = offline(&folder, &network.policy_path(), &["--json"])?.expect(0)?.json()?;
    let weights = json["integrity"]["weights"]["digest"].as_str().unwrap().to_owned();
    acme.ask(&network, &["resolve", &weights])?.expect(0)?;

    // A log, or a proxy in front of it, that withholds the proof or another's answer proves nothing.
    let proxy = Proxy::start(network.log_address()?)?;
    let url = proxy.url();
    proxy.answer(|asked| asked.contains("lookup/digest").then(|| (404, Vec::new())));
    acme.ask(&network, &["resolve", &unknown, "--log", &url])?.expect(18)?;
    acme.verify_with(&stranger, &["--online", "--log", &url])?.expect(18)?;
    let other = network.get(&format!("/lookup/digest/proof?hex={weights}&from=0"))?.expect(200)?.body;
    proxy.answer(move |asked| asked.contains("lookup/digest/proof").then(|| (200, other.clone())));
    acme.ask(&network, &["resolve", &unknown, "--log", &url])?.expect(18)?;
    Ok(())
}
