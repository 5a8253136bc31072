//! What is carried from a parent to a child, and what any order of statements leaves.

use super::*;

#[test]
fn what_a_child_leaves_behind_is_told() {
    let base = release("instruct");
    let told = |change: &dyn Fn(&mut Release)| {
        let mut log = Log::default();
        let mut child = child("chat", &base, 1);
        change(&mut child);
        assert_eq!(log.codes(1, said(&base)), []);
        log.codes(2, said(&child))
    };
    assert_eq!(told(&|_| {}), []);
    assert_eq!(told(&|child| child.lineage[0].carries.license = false), [Code::LicenseDropped]);
    assert_eq!(told(&|child| child.lineage[0].carries.use_policy = false), [Code::UsePolicyDropped]);
    assert_eq!(told(&|child| child.obligations.use_policy = None), [Code::UsePolicyDropped]);
    assert_eq!(told(&|child| child.lineage[0].carries.risk_notes = false), [Code::RiskNotesDropped]);
    assert_eq!(told(&|child| child.lineage[0].carries.model_card = false), [Code::ModelCardDropped]);
}

/// 2025-09: of a million models, a third drops the restrictive clauses on the way down.
#[test]
fn looser_terms_than_any_ancestors_are_told() {
    let terms = |spdx: &str, restricted: bool| {
        let mut license = clean().0.license;
        license.spdx = line(spdx);
        license.use_restricted = restricted;
        if spdx != "Apache-2.0" {
            license.text.sha256 = Digest::of(b"text");
        }
        license
    };
    let told = |above: &[(&str, bool)]| -> Vec<Vec<Code>> {
        let mut log = Log::default();
        let mut parent: Option<Release> = None;
        let mut told = Vec::new();
        for (position, (spdx, restricted)) in (1..).zip(above) {
            let variant = format!("instruct-{position}");
            let mut next =
                parent.as_ref().map_or_else(|| release(&variant), |above| child(&variant, above, position - 1));
            next = limited(next);
            next.license = terms(spdx, *restricted);
            let mut codes = log.codes(position, said(&next));
            codes.retain(|code| *code != Code::LicenseTextUnknown);
            told.push(codes);
            parent = Some(next);
        }
        told
    };
    let none: Vec<Code> = Vec::new();
    let looser = vec![Code::LicenseLooser];
    assert_eq!(told(&[("LicenseRef-Acme", true), ("Apache-2.0", false)]), [none.clone(), looser.clone()]);
    assert_eq!(told(&[("GPL-3.0-only", false), ("MIT", false)]), [none.clone(), looser.clone()]);
    assert_eq!(told(&[("MIT", false), ("GPL-3.0-only", false)]), [none.clone(), none.clone()]);
    assert_eq!(told(&[("LicenseRef-Acme", false), ("LicenseRef-Acme", false)]), [none.clone(), none.clone()]);
    // A grandchild of the same licence as its parent is looser than its grandparent.
    assert_eq!(told(&[("LicenseRef-Acme", true), ("MIT", false), ("MIT", false)]), [none, looser.clone(), looser]);
}

#[test]
fn what_happens_to_an_ancestor_is_carried_down_or_told() {
    let mut log = Log::default();
    let base = release("instruct-a");
    let middle = child("instruct-b", &base, 1);
    let last = child("instruct-c", &middle, 2);
    for (position, release) in (1..).zip([&base, &middle, &last]) {
        assert_eq!(log.codes(position, said(release)), []);
    }
    let told = |variants: &[&str], code: Code| -> Vec<(Code, String)> {
        variants.iter().map(|variant| (code, (*variant).to_owned())).collect()
    };
    // The incident names the base alone, then the middle as well; each descendant is told of once.
    let first = log.told(4, incident(&[(&base, 1)], IncidentStatus::Open));
    assert_eq!(first, told(&["instruct-b", "instruct-c"], Code::AncestorIncident));
    assert_eq!(log.told(5, incident(&[(&base, 1), (&middle, 2)], IncidentStatus::Mitigated)), []);
    let late = child("instruct-d", &middle, 2);
    assert_eq!(log.told(6, said(&late)), told(&["instruct-d"], Code::AncestorIncident));
    // It is over: who comes later has nothing to carry.
    assert_eq!(log.told(7, incident(&[(&base, 1)], IncidentStatus::Resolved)), []);
    assert_eq!(log.told(8, said(&child("instruct-e", &base, 1))), []);

    let below = log.told(9, withdraw(&base, 1, Copies::PubliclyDownloaded));
    assert_eq!(below, told(&["instruct-b", "instruct-c", "instruct-d", "instruct-e"], Code::AncestorWithdrawn));
    assert_eq!(log.told(10, withdraw(&base, 1, Copies::PubliclyDownloaded)), []);
    assert_eq!(log.told(11, said(&child("instruct-f", &last, 3))), told(&["instruct-f"], Code::AncestorWithdrawn));
    // Public again, it is withdrawn no longer.
    assert_eq!(log.told(12, moved(&base, 1, Stage::Open)), []);
    assert_eq!(log.told(13, said(&child("instruct-g", &base, 1))), []);
}

#[test]
fn an_amended_lineage_is_held_against_what_is_new_in_it_and_leaves_what_is_gone() {
    let mut log = Log::default();
    let (base, other) = (release("instruct-a"), release("instruct-b"));
    let last = child("instruct-c", &base, 1);
    for (position, release) in (1..).zip([&base, &other, &last]) {
        assert_eq!(log.codes(position, said(release)), []);
    }
    assert_eq!(log.codes(4, withdraw(&other, 2, Copies::PubliclyDownloaded)), []);
    let of = |parent: &Release, entry: u64, change: &dyn Fn(&mut Ancestor)| {
        let mut lineage = child("instruct-c", parent, entry).lineage;
        lineage.iter_mut().for_each(change);
        amend(&last, 3, |amend| (amend.model_card, amend.lineage) = (None, Some(lineage)))
    };
    // Nothing is new: nothing is told.
    assert_eq!(log.codes(5, of(&base, 1, &|_| {})), []);
    // The parent was another one, which is withdrawn, and whose licence is not carried on.
    let told = log.codes(6, of(&other, 2, &|ancestor| ancestor.carries.license = false));
    assert_eq!(told, [Code::AncestorWithdrawn, Code::LicenseDropped]);
    // What comes over the old parent comes down no more.
    assert_eq!(log.codes(7, withdraw(&base, 1, Copies::PubliclyDownloaded)), []);
    assert_eq!(log.codes(8, of(&base, 1, &|_| {})), [Code::AncestorWithdrawn]);
    assert_eq!(log.codes(9, incident(&[(&other, 2)], IncidentStatus::Open)), []);
    // Two that name each other: whoever follows them stops.
    let circle = amend(&base, 1, |amend| {
        (amend.model_card, amend.lineage) = (None, Some(child("instruct-a", &last, 3).lineage));
    });
    log.codes(10, circle);
    assert_eq!(log.codes(11, incident(&[(&base, 1)], IncidentStatus::Open)), [Code::AncestorIncident]);
}

#[test]
fn a_third_partys_result_is_held_to_the_same_rules() {
    let mut log = Log::default();
    let base = release("instruct");
    log.codes(1, said(&base));
    let Statement::Evaluation(mut report) = of(Kind::Evaluation) else { unreachable!() };
    report.release = reference(&base, 1);
    report.evaluation.subject = base.weights.digest;
    assert_eq!(log.codes(2, Statement::Evaluation(report.clone())), []);
    report.evaluation.dataset.revision = None;
    report.evaluation.subject = Digest::of(b"others");
    assert_eq!(log.codes(3, Statement::Evaluation(report)), [Code::DatasetUnpinned, Code::SubjectDiffers]);
}

fn any_statement() -> impl Strategy<Value = Statement> {
    let names = ["instruct-a", "instruct-b", "chat-c"];
    (0..10_usize, 0..3_usize, 0..3_usize, 0..24_u64, any::<bool>(), 0..6_usize).prop_map(
        move |(kind, which, parent, entry, flag, choice)| {
            let release = release(names[which]);
            let stage = Stage::ALL[choice];
            match kind {
                0 if which == parent => said(&release),
                0 | 1 => said(&child(names[which], &super::log::release(names[parent]), entry)),
                2 => moved(&release, entry, stage),
                3 => withdraw(&release, entry, Copies::ALL[choice % 3]),
                4 => incident(&[(&release, entry)], IncidentStatus::ALL[choice % 4]),
                5 => observation(&release, entry, Observed::ALL[choice % 4]),
                6 => amend(&release, entry, |amend| {
                    let mut license = clean().0.license;
                    license.use_restricted = flag;
                    amend.license = Some(license);
                }),
                8 => {
                    let lineage = child(names[which], &super::log::release(names[parent]), entry).lineage;
                    amend(&release, entry / 2, |amend| amend.lineage = Some(if flag { lineage } else { Vec::new() }))
                }
                7 => {
                    let mut swapped = release;
                    swapped.weights.digest = Digest::of(b"swapped");
                    said(&swapped)
                }
                _ => of(Kind::ALL[1 + choice + 2]),
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Any sequence: no panic; the same twice; the same by an auditor who holds nothing between two entries; and by one who
    /// wrote down what it knew and went on later.
    #[test]
    fn two_auditors_agree(statements in prop::collection::vec(any_statement(), 0..24), stop in 0..24_usize) {
        let told: Vec<(u64, Statement)> = (0..).zip(statements).collect();
        let entries: BTreeMap<u64, Statement> = told.iter().cloned().collect();
        let manifests = BTreeMap::new();
        let audit = |auditor: &mut Findings, told: &[(u64, Statement)]| -> Vec<Finding> {
            told.iter().flat_map(|(position, said)| auditor.observe(*position, said, None, &(&entries, &manifests))).collect()
        };
        let mut fresh = Findings::default();
        let expected = audit(&mut fresh, &told);
        prop_assert_eq!(&expected, &audit(&mut Findings::default(), &told));
        let mut shelf = Shelf::default();
        let recalled = told.iter().flat_map(|(at, said)| shelf.observe(*at, said, None, &(&entries, &manifests)));
        prop_assert_eq!(&expected, &recalled.collect::<Vec<_>>());

        let (before, after) = told.split_at(stop.min(told.len()));
        let mut first = Findings::default();
        let mut found = audit(&mut first, before);
        let written = serde_json::to_vec(&first).unwrap();
        let mut second: Findings = serde_json::from_slice(&written).unwrap();
        prop_assert_eq!(&second, &first);
        found.extend(audit(&mut second, after));
        prop_assert_eq!(found, expected);
        prop_assert_eq!(second, fresh);
    }
}
