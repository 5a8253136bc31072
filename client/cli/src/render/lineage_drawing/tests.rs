use stele_explain::Failure;
use stele_log_client::lineage::*;
use stele_log_client::release_status::{ReleaseStatus, Source};
use stele_spec::merkle::leaf_hash;
use stele_spec::name::Coordinate;
use stele_spec::policy::TrustedCheckpoint;
use stele_spec::statement::{Carries, LoggedRelease, Release, Statement};
use stele_spec::status::History;

use super::*;

/// A little family: each release by its version, with the versions of its parents.
fn family(of: &[(&str, &[&str])]) -> impl Fn(&str) -> Release {
    let of: Vec<(String, Vec<String>)> = of
        .iter()
        .map(|(name, parents)| ((*name).to_owned(), parents.iter().map(|parent| (*parent).to_owned()).collect()))
        .collect();
    move |version: &str| {
        let mut release: Release =
            toml::from_str(include_str!("../../../../../spec/vectors/statement/sample-release.toml")).unwrap();
        release.model.version = version.parse().unwrap();
        let parents = of.iter().find(|(name, _)| name == version).map(|(_, parents)| parents.clone());
        let template = release.lineage.pop();
        release.lineage = parents
            .unwrap_or_default()
            .iter()
            .map(|parent| {
                let mut named = template.clone().unwrap();
                let mut coordinate = release.coordinate();
                coordinate.version = parent.parse().unwrap();
                let leaf_hash = leaf_hash(parent.as_bytes());
                named.parent = Parent::Logged(LoggedRelease { coordinate, entry: number(parent), leaf_hash });
                named.parent_weights = Some(release.weights.digest);
                named.carries = Carries { license: true, use_policy: true, model_card: true, risk_notes: true };
                named
            })
            .collect();
        release
    }
}

fn root(title: &str) -> Root<'_> {
    Root { title, history: None }
}

fn number(version: &str) -> u64 {
    version.parse().unwrap()
}

fn ask<'a>(
    release: &'a impl Fn(&str) -> Release,
    head: &'a TrustedCheckpoint,
) -> impl FnMut(&Coordinate) -> Result<Option<ReleaseStatus>, Failure> + 'a {
    move |coordinate| {
        let version = coordinate.version.to_string();
        let statement = Statement::Release(Box::new(release(&version)));
        let history = History::fold(coordinate, [(number(&version), &statement)]);
        Ok(Some(ReleaseStatus::of_history(history, leaf_hash(version.as_bytes()), Source::Log, head.clone())))
    }
}

fn head() -> TrustedCheckpoint {
    use stele_spec::checkpoint::{Checkpoint, sign_checkpoint};
    use stele_spec::note::{KeyType, SignerKey};
    use stele_spec::policy::Policy;
    let signer = SignerKey::new("log.example/stele".parse().unwrap(), KeyType::Log, [1; 32]);
    let checkpoint = Checkpoint::new("log.example/stele".parse().unwrap(), 1, stele_spec::merkle::empty_root());
    let note = sign_checkpoint(&checkpoint, &signer).unwrap();
    let policy = Policy::parse(format!("log {}\nquorum none\n", signer.verifier()).as_bytes()).unwrap();
    TrustedCheckpoint::parse(&note.to_bytes(), &policy).unwrap()
}

fn names(lineage: &Lineage) -> Vec<(usize, String)> {
    let version = |node: &Node| node.name().split(['@', '#']).nth(1).unwrap_or_default().to_owned();
    lineage.nodes.iter().map(|node| (node.depth, version(node))).collect()
}

#[test]
fn a_circle_ends_and_a_shared_ancestor_is_asked_for_once() {
    let (family, head) = (family(&[("1", &["2", "3"]), ("2", &["4"]), ("3", &["4"]), ("4", &["2"])]), head());
    let lineage = collect(&family("1"), ask(&family, &head)).unwrap();
    let expected = [(1, "2"), (2, "4"), (3, "2"), (1, "3"), (2, "4")];
    assert_eq!(names(&lineage), expected.map(|(depth, name)| (depth, name.to_owned())));
    assert!(matches!(lineage.nodes[2].found, Found::Again(0)));
    assert!(matches!(lineage.nodes[4].found, Found::Again(1)));
    assert!(!lineage.cut);
}

#[test]
fn a_line_without_end_is_cut_and_said_to_be() {
    let head = head();
    let line = |version: &str| family(&[(version, &[(number(version) + 1).to_string().as_str()])])(version);
    let lineage = collect(&line("1"), ask(&line, &head)).unwrap();
    assert_eq!((lineage.nodes.len(), lineage.cut), (MAX_DEPTH, true));
    assert!(tree(&lineage, &root("1")).contains("and more"));
}

#[test]
fn a_parent_that_the_log_has_otherwise_is_wrong_and_not_followed() {
    let (family, head) = (family(&[("1", &["2"]), ("2", &["3"])]), head());
    let mut child = family("1");
    let Parent::Logged(parent) = &mut child.lineage[0].parent else { panic!("a logged parent") };
    parent.entry = 77;
    let lineage = collect(&child, ask(&family, &head)).unwrap();
    assert_eq!(lineage.nodes.len(), 1);
    assert!(matches!(&lineage.nodes[0].found, Found::Other { problem, .. } if problem.contains("entry 77")));
    assert!(tree(&lineage, &root("1")).contains("WRONG"));
}

#[test]
fn a_tree_is_drawn_in_three_ways() {
    let (family, head) = (family(&[("1", &["2", "3"]), ("2", &["4"]), ("3", &["4"])]), head());
    let lineage = collect(&family("1"), ask(&family, &head)).unwrap();
    let tree = tree(&lineage, &root("the release"));
    let lines: Vec<&str> = tree.lines().collect();
    assert!(lines[1].starts_with("├─ ") && lines[1].contains("@2#"), "{tree}");
    assert!(lines[2].starts_with("│  └─ ") && lines[2].contains("@4#"), "{tree}");
    assert!(lines[3].starts_with("└─ ") && lines[4].starts_with("   └─ ") && lines[4].contains("see above"), "{tree}");

    let dot = dot(&lineage, &root("a \"quoted\" release"));
    assert!(dot.contains("release [label=\"a \\\"quoted\\\" release\""), "{dot}");
    // Both lines lead to one box.
    assert!(dot.contains("n0 -> n1") && dot.contains("n2 -> n1") && !dot.contains("n3 ["), "{dot}");

    let mermaid = mermaid(&lineage, &root("acme.example/tiny@1#base"));
    assert!(mermaid.contains("release[\"acme.example/tiny@1#35;base\"]"), "{mermaid}");
    assert!(mermaid.contains("n2 -->|") && mermaid.ends_with("n1\n"), "{mermaid}");
}
