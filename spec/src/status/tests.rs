//! Stories of one coordinate, and the fold over every sequence of statements.

use proptest::prelude::*;

use super::*;
use crate::statement::tests::{kinds, sample_release};
use crate::statement::{Amend, Copies, IncidentStatus, Kind, Statement};

/// The release that the samples are about is entry 3.
const RELEASE: u64 = 3;

fn release() -> Statement {
    Statement::Release(Box::new(sample_release()))
}

fn of(kind: Kind) -> Statement {
    kinds::samples().into_iter().find(|statement| statement.kind() == kind).unwrap()
}

fn fold(statements: &[(u64, Statement)]) -> History {
    let coordinate = sample_release().coordinate();
    History::fold(&coordinate, statements.iter().map(|(position, statement)| (*position, statement)))
}

fn told(kinds: &[Kind]) -> History {
    let later = (RELEASE + 1..).zip(kinds.iter().map(|kind| of(*kind)));
    fold(&std::iter::once((RELEASE, release())).chain(later).collect::<Vec<_>>())
}

#[test]
fn each_state_is_reached() {
    assert_eq!(fold(&[]).state(), State::Unknown);
    assert_eq!(fold(&[(9, of(Kind::Amend))]).state(), State::Conflicting, "an amendment of nothing");
    assert_eq!(told(&[]).state(), State::Released);
    assert_eq!(told(&[Kind::Incident, Kind::Evaluation, Kind::Observation]).state(), State::Released);
    assert_eq!(told(&[Kind::Amend]).state(), State::Amended);
    assert_eq!(told(&[Kind::Supersede, Kind::Amend]).state(), State::Superseded);
    assert_eq!(told(&[Kind::Withdraw, Kind::Supersede]).state(), State::Withdrawn);
    assert_eq!(told(&[Kind::Withdraw, Kind::Stage]).state(), State::Amended, "it is public again");
    assert_eq!(told(&[Kind::Stage, Kind::Withdraw]).state(), State::Withdrawn);
    let mut swapped = sample_release();
    swapped.weights.digest = crate::hash::Digest::of(b"others");
    let swapped = Statement::Release(Box::new(swapped));
    assert_eq!(fold(&[(RELEASE, release()), (8, swapped)]).state(), State::Conflicting);
}

#[test]
fn what_holds_is_the_release_with_its_changes_and_the_release_stays() {
    let history = told(&[Kind::Amend, Kind::Withdraw]);
    let Statement::Amend(amend) = of(Kind::Amend) else { unreachable!() };
    assert_eq!(history.current().map(|release| &release.model_card), amend.model_card.as_ref());
    assert_eq!(history.release(), Some((RELEASE, &sample_release())));
    let (position, withdraw) = history.withdrawal().unwrap();
    assert_eq!((position, withdraw.copies), (5, Copies::PubliclyDownloaded));
}

#[test]
fn an_incident_goes_on_under_its_id_until_its_speaker_ends_it() {
    let Statement::Incident(open) = of(Kind::Incident) else { unreachable!() };
    let mut resolved = open.clone();
    resolved.status = IncidentStatus::Resolved;
    let mut by_another = resolved.clone();
    by_another.publisher.name = "acme.example".parse().unwrap();
    let story =
        |last| fold(&[(RELEASE, release()), (4, Statement::Incident(open.clone())), (5, Statement::Incident(last))]);
    assert!(story(resolved).open_incidents().is_empty());
    let story = story(by_another);
    assert_eq!(story.open_incidents().len(), 1, "nobody ends another's incident");
    assert_eq!(story.incidents().len(), 2);
}

fn pool() -> Vec<Statement> {
    let mut pool = kinds::samples();
    pool.extend([release(), release()]);
    let mut swapped = sample_release();
    swapped.weights.digest = crate::hash::Digest::of(b"others");
    pool.push(Statement::Release(Box::new(swapped)));
    let Statement::Amend(amend) = of(Kind::Amend) else { unreachable!() };
    let mut other_entry = Amend::clone(&amend);
    other_entry.release.entry = 4;
    pool.push(Statement::Amend(Box::new(other_entry)));
    pool
}

proptest! {
    /// The order in which statements arrive, and whether they arrive twice, changes nothing: their positions count.
    #[test]
    fn the_fold_is_of_positions(
        which in prop::collection::vec(0..11_usize, 0..24),
        seed in any::<u64>(),
    ) {
        let pool = pool();
        let told: Vec<_> = (0..).zip(which.iter().map(|at| pool[at % pool.len()].clone())).collect();
        let history = fold(&told);
        let mut shuffled: Vec<_> = told.iter().chain(&told).cloned().collect();
        let mut state = seed;
        for at in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            shuffled.swap(at, (state >> 33) as usize % (at + 1));
        }
        prop_assert_eq!(&fold(&shuffled), &history);
        prop_assert!(history.events().is_sorted_by_key(|event| event.position));
        prop_assert_eq!(history.state() == State::Unknown, history.release().is_none() && !history.events().iter().any(|event| matches!(event.what, What::Conflict { .. })));
        // What is added at the end never changes what was released.
        if let Some((position, _)) = history.release() {
            let longer: Vec<_> = told.iter().cloned().chain([(99, pool[0].clone())]).collect();
            prop_assert_eq!(fold(&longer).release().map(|(position, _)| position), Some(position));
        }
    }
}
