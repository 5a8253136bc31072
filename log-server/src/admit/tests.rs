use super::*;
use crate::registry::{Layered, Registry};
use crate::testkit::{claim, key, open_registration, release};
use proptest::prelude::*;
use std::sync::OnceLock;
use stele_spec::merkle::leaf_hash;

fn leaf(signed: &SignedStatement) -> LeafHash {
    leaf_hash(signed.bytes())
}

fn apply(registry: &mut Registry, position: u64, signed: &SignedStatement) {
    registry.apply(position, leaf(signed), signed.statement());
}

fn verdict(registry: &Registry, signed: &SignedStatement) -> Result<Verdict, Refusal> {
    admit(&leaf(signed), signed, registry, &open_registration())
}

#[test]
fn nobody_speaks_under_a_name_that_is_not_theirs() {
    let mut registry = Registry::default();
    let (mine, _) = release("acme.example", 1, "base", 1);
    assert_eq!(verdict(&registry, &mine).unwrap_err().code(), "name-unclaimed");
    apply(&mut registry, 1, &claim("acme.example", 1));
    let (theirs, _) = release("acme.example", 2, "base", 1);
    assert_eq!(verdict(&registry, &theirs).unwrap_err().code(), "key-not-held");
    let refusal = verdict(&registry, &claim("acme.example", 2)).unwrap_err();
    assert_eq!((refusal.code(), refusal.existing()), ("name-claimed", Some(1)));
    assert_eq!(verdict(&registry, &mine), Ok(Verdict::New));
}

#[test]
fn a_forged_signature_is_refused_by_the_key_that_holds_the_name() {
    let mut registry = Registry::default();
    apply(&mut registry, 1, &claim("acme.example", 1));
    let (good, _) = release("acme.example", 1, "base", 1);
    let mut bytes = good.bytes().to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    let forged = SignedStatement::parse(&bytes).unwrap();
    let key = signer(&forged, &registry, &open_registration()).unwrap();
    assert_eq!(authenticate(&forged, &key).unwrap_err().code(), "bad-signature");
    assert_eq!(authenticate(&good, &key), Ok(()));
}

#[test]
fn other_weights_under_a_coordinate_are_the_silent_swap() {
    let mut registry = Registry::default();
    apply(&mut registry, 1, &claim("acme.example", 1));
    let (first, _) = release("acme.example", 1, "base", 1);
    apply(&mut registry, 2, &first);
    let (swapped, _) = release("acme.example", 1, "base", 2);
    let refusal = verdict(&registry, &swapped).unwrap_err();
    assert_eq!((refusal.code(), refusal.existing()), ("coordinate-bound", Some(2)));
    assert_eq!(verdict(&registry, &first), Ok(Verdict::Known(2)));
    assert_eq!(verdict(&registry, &release("acme.example", 1, "instruct", 2).0), Ok(Verdict::New));
}

#[test]
fn an_allow_list_lets_in_its_names_and_keys_only() {
    let rules = |allowed: &[(&str, &[u8])]| Registration {
        claims: Claims::AllowList,
        allowed: allowed
            .iter()
            .map(|(name, seeds)| {
                (name.parse().unwrap(), seeds.iter().map(|seed| key(*seed).public().key_id()).collect())
            })
            .collect(),
    };
    let signed = claim("acme.example", 1);
    let ask = |rules: &Registration| admit(&leaf(&signed), &signed, &Registry::default(), rules).map_err(|e| e.code());
    assert_eq!(ask(&rules(&[])), Err("claim-not-allowed"));
    assert_eq!(ask(&rules(&[("other.example", &[])])), Err("claim-not-allowed"));
    assert_eq!(ask(&rules(&[("acme.example", &[2])])), Err("claim-not-allowed"));
    assert_eq!(ask(&rules(&[("acme.example", &[2, 1])])), Ok(Verdict::New));
    assert_eq!(ask(&rules(&[("acme.example", &[])])), Ok(Verdict::New));
}

/// Claims and releases that get in each other's way in every manner.
fn pool() -> &'static [SignedStatement] {
    static POOL: OnceLock<Vec<SignedStatement>> = OnceLock::new();
    POOL.get_or_init(|| {
        let mut pool = vec![];
        for name in ["acme.example", "other.example"] {
            for seed in [1, 2] {
                pool.push(claim(name, seed));
                for (variant, weights) in [("base", 1), ("base", 2), ("instruct", 1)] {
                    pool.push(release(name, seed, variant, weights).0);
                }
            }
        }
        pool
    })
}

proptest! {
    /// Where a batch ends decides nothing, and the registry is the same whether entries came one by one or in batches.
    #[test]
    fn batches_do_not_matter(order in prop::collection::vec((0..16_usize, prop::bool::weighted(0.2)), 0..40)) {
        let (mut single, mut logged, mut batch) = (Registry::default(), Registry::default(), Registry::default());
        let mut position = 0;
        for (which, closes) in order {
            let signed = &pool()[which];
            let one_by_one = verdict(&single, signed);
            let view = Layered { logged: &logged, batch: &batch };
            let batched = admit(&leaf(signed), signed, &view, &open_registration());
            prop_assert_eq!(&one_by_one, &batched);
            if one_by_one == Ok(Verdict::New) {
                apply(&mut single, position, signed);
                apply(&mut batch, position, signed);
                position += 1;
                prop_assert_eq!(verdict(&single, signed), Ok(Verdict::Known(position - 1)));
            }
            if closes {
                logged.absorb(std::mem::take(&mut batch));
            }
        }
        logged.absorb(batch);
        prop_assert_eq!(single, logged);
    }
}
