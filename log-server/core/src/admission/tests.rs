use super::*;
use crate::samples::{claim, key, open_registration, release};
use stele_spec::merkle::leaf_hash;
use stele_spec::registration::Registry;

fn leaf(signed: &SignedStatement) -> LeafHash {
    leaf_hash(signed.bytes())
}

fn rules(allowed: &[(&str, &[u8])]) -> Registration {
    Registration {
        claims: Claims::AllowList,
        allowed: allowed
            .iter()
            .map(|(name, seeds)| {
                (name.parse().unwrap(), seeds.iter().map(|seed| key(*seed).public().key_id()).collect())
            })
            .collect(),
    }
}

#[test]
fn an_allow_list_lets_in_its_names_and_keys_only() {
    let signed = claim("acme.example", 1);
    let ask = |rules: &Registration| admit(&leaf(&signed), &signed, &Registry::default(), rules).map_err(|e| e.code());
    assert_eq!(ask(&rules(&[])), Err("claim-not-allowed"));
    assert_eq!(ask(&rules(&[("other.example", &[])])), Err("claim-not-allowed"));
    assert_eq!(ask(&rules(&[("acme.example", &[2])])), Err("claim-not-allowed"));
    assert_eq!(ask(&rules(&[("acme.example", &[2, 1])])), Ok(Verdict::New));
    assert_eq!(ask(&rules(&[("acme.example", &[])])), Ok(Verdict::New));
    assert_eq!(ask(&open_registration()), Ok(Verdict::New));
}

/// A list that was shortened later takes nobody's name away, and no list gives one that is held.
#[test]
fn an_allow_list_is_for_claims_alone() {
    let mut registry = Registry::default();
    let signed = claim("acme.example", 1);
    registry.apply(1, leaf(&signed), signed.statement());
    let (released, _) = release("acme.example", 1, "base", 1);
    assert_eq!(admit(&leaf(&released), &released, &registry, &rules(&[])), Ok(Verdict::New));
    let again = claim("acme.example", 2);
    let refusal = admit(&leaf(&again), &again, &registry, &rules(&[("acme.example", &[2])])).unwrap_err();
    assert_eq!((refusal.code(), refusal.existing()), ("name-claimed", Some(1)));
}
