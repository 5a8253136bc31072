//! Every sequence of statements, whatever they do to each other.

use std::sync::OnceLock;

use proptest::prelude::*;

use super::tests::{about, approved, change, claim, key, leaf, release};
use super::*;
use crate::statement::{Action, Kind, LoggedEntry, LoggedRelease, SignedStatement, Statement, sign};

/// Statements that get in each other's way in every manner.
fn pool() -> &'static [SignedStatement] {
    static POOL: OnceLock<Vec<SignedStatement>> = OnceLock::new();
    POOL.get_or_init(|| {
        let mut pool = vec![];
        for name in ["acme.example", "other.example"] {
            for seed in [1, 2] {
                pool.push(sign(&claim(name, seed), &key(seed)).unwrap());
                for (variant, weights) in [("base", b"1"), ("base", b"2"), ("instruct", b"1")] {
                    pool.push(sign(&release(name, variant, weights), &key(seed)).unwrap());
                }
            }
        }
        // About a release at positions 1 and 2, and key changes of a claim at 0: right where the log came to be so.
        let first = pool[0].clone();
        for entry in [1, 2] {
            let bound = LoggedRelease {
                coordinate: pool[1].statement().coordinate().unwrap(),
                entry,
                leaf_hash: leaf(&pool[1]),
            };
            for kind in [Kind::Amend, Kind::Stage, Kind::Withdraw] {
                pool.push(sign(&about(kind, "acme.example", &bound, b"1"), &key(1)).unwrap());
            }
            pool.push(sign(&about(Kind::Evaluation, "other.example", &bound, b"1"), &key(2)).unwrap());
        }
        // The same, approved by one key and signed by one or the other.
        let again = approved(
            about(
                Kind::Amend,
                "acme.example",
                &LoggedRelease {
                    coordinate: pool[1].statement().coordinate().unwrap(),
                    entry: 1,
                    leaf_hash: leaf(&pool[1]),
                },
                b"1",
            ),
            &[3],
        );
        pool.extend([1, 2].map(|seed| sign(&again, &key(seed)).unwrap()));
        let claimed = LoggedEntry { entry: 0, leaf_hash: leaf(&first) };
        for (action, add, revoke) in
            [(Action::Add, &[2, 3][..], &[][..]), (Action::Rotate, &[2], &[1]), (Action::Revoke, &[], &[1])]
        {
            let changed = Statement::Publisher(change(action, claimed, add, revoke, 1));
            pool.push(sign(&changed, &key(1)).unwrap());
        }
        pool
    })
}

proptest! {
    /// Where a batch ends decides nothing: the registry and every verdict are the same one by one and in batches.
    #[test]
    fn batches_do_not_matter(order in prop::collection::vec((0..29_usize, prop::bool::weighted(0.2)), 0..48)) {
        let (mut single, mut logged, mut batch) = (Registry::default(), Registry::default(), Registry::default());
        let mut position = 0;
        for (which, closes) in order {
            let signed = &pool()[which % pool().len()];
            let one_by_one = admit(&leaf(signed), signed, &single);
            let batched = admit(&leaf(signed), signed, &Layered { logged: &logged, batch: &batch });
            prop_assert_eq!(&one_by_one, &batched);
            if one_by_one == Ok(Verdict::New) {
                single.apply(position, leaf(signed), signed.statement());
                batch.apply_over(&logged, position, leaf(signed), signed.statement());
                prop_assert_eq!(admit(&leaf(signed), signed, &single), Ok(Verdict::Known(position)));
                position += 1;
            }
            if closes {
                logged.absorb(std::mem::take(&mut batch));
            }
        }
        logged.absorb(batch);
        prop_assert_eq!(single, logged);
    }

    /// A registry that is fed what no honest log has neither panics nor lets a name or a coordinate change hands.
    #[test]
    fn no_sequence_moves_a_name_or_rebinds_a_coordinate(order in prop::collection::vec(0..29_usize, 0..48)) {
        let mut registry = Registry::default();
        let mut held = Vec::new();
        for (position, which) in (0..).zip(order) {
            let signed = &pool()[which % pool().len()];
            registry.apply(position, leaf(signed), signed.statement());
            let publisher = signed.statement().publisher().clone();
            let holder = registry.holder(&publisher).map(|holder| holder.position);
            let binding = signed.statement().coordinate().and_then(|of| registry.binding(&of).map(|b| (of, b.position, b.weights)));
            held.push((publisher, holder, binding));
            for (publisher, holder, binding) in &held {
                if holder.is_some() {
                    prop_assert_eq!(registry.holder(publisher).map(|holder| holder.position), *holder);
                }
                if let Some((of, position, weights)) = binding {
                    let now = registry.binding(of).map(|binding| (binding.position, binding.weights));
                    prop_assert_eq!(now, Some((*position, *weights)));
                }
            }
        }
    }
}
