//! What a policy's quorum can bear: witnesses that lie, that are down, and operators who run several of them.
//!
//! Keys are not witnesses: those with one name are one. Names are not operators: those that are alike up to the first `/` are one's.
//! The numbers are found by trying sets of them, smallest first; above [`MAX_VOICES`] there are none.

use std::collections::{BTreeMap, BTreeSet};

use stele_spec::policy::{Policy, Quorum};

/// The most witnesses or operators for which sets are tried: sharing them out between two histories has `3^n` ways.
const MAX_VOICES: usize = 12;

/// What is known of a quorum, counted in witnesses or in operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bears {
    /// How many there are.
    pub(crate) of: usize,
    /// The least number that can meet the quorum.
    pub(crate) needed: Option<usize>,
    /// How many may lie, any of them, and still no log can show two histories to two people who both have the quorum.
    pub(crate) lying: Option<usize>,
    /// How many may be down, any of them, and the quorum can still be met.
    pub(crate) down: Option<usize>,
}

/// Counted in witnesses: the names of keys.
pub(crate) fn by_witness(policy: &Policy) -> Bears {
    bears(policy, |name| name.to_owned())
}

/// Counted in operators.
pub(crate) fn by_operator(policy: &Policy) -> Bears {
    bears(policy, |name| operator(name).to_owned())
}

/// Who runs a key, as its name says: the part before the first `/`.
pub(crate) fn operator(name: &str) -> &str {
    name.split('/').next().unwrap_or_default()
}

/// Witnesses with several keys that the quorum can count more than once, with their keys' names in the policy.
pub(crate) fn counted_twice(policy: &Policy) -> Vec<(String, Vec<String>)> {
    let mut of_name: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    let mut used = BTreeSet::new();
    keys_in(policy.quorum(), &mut used);
    for (index, witness) in policy.witnesses().iter().enumerate().filter(|(index, _)| used.contains(index)) {
        of_name.entry(witness.key.name().as_str()).or_default().insert(index);
    }
    let several = of_name.into_iter().filter(|(_, keys)| keys.len() > 1 && !is_one_member(policy.quorum(), keys));
    let names = |keys: &BTreeSet<usize>| {
        keys.iter().filter_map(|index| policy.witnesses().get(*index)).map(|witness| witness.name.clone()).collect()
    };
    several.map(|(name, keys)| (name.to_owned(), names(&keys))).collect()
}

/// Whether a group that any one member satisfies holds all of these keys: then two of them are worth what one is.
fn is_one_member(quorum: &Quorum, keys: &BTreeSet<usize>) -> bool {
    let Quorum::Group { threshold, members, .. } = quorum else { return false };
    let direct = |key: &usize| members.contains(&Quorum::Witness(*key));
    (*threshold == 1 && keys.iter().all(direct)) || members.iter().any(|member| is_one_member(member, keys))
}

fn keys_in(quorum: &Quorum, into: &mut BTreeSet<usize>) {
    match quorum {
        Quorum::None => {}
        Quorum::Witness(index) => {
            into.insert(*index);
        }
        Quorum::Group { members, .. } => members.iter().for_each(|member| keys_in(member, into)),
    }
}

fn bears(policy: &Policy, voice: impl Fn(&str) -> String) -> Bears {
    let mut used = BTreeSet::new();
    keys_in(policy.quorum(), &mut used);
    let mut voices: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for index in used {
        if let Some(witness) = policy.witnesses().get(index) {
            voices.entry(voice(witness.key.name().as_str())).or_default().push(index);
        }
    }
    let voices: Vec<Vec<usize>> = voices.into_values().collect();
    let count = voices.len();
    let meets = |chosen: &[bool]| {
        let has = |index: usize| voices.iter().zip(chosen).any(|(keys, chosen)| *chosen && keys.contains(&index));
        policy.quorum().is_met(&has)
    };
    let needed = smallest(count, &meets);
    let blocking = smallest(count, &|chosen: &[bool]| !meets(&invert(chosen)));
    // Liars help both histories, everyone else one of them: two quorums that share nobody but the liars.
    let splitting = smallest(count, &|liars: &[bool]| splits(liars, &meets));
    Bears {
        of: count,
        needed,
        lying: splitting.map(|liars| liars.saturating_sub(1)),
        down: blocking.map(|blocking| blocking.saturating_sub(1)),
    }
}

/// Whether the others can be shared out so that both halves, each with the liars, meet the quorum.
fn splits(liars: &[bool], meets: &impl Fn(&[bool]) -> bool) -> bool {
    let honest: Vec<usize> = liars.iter().enumerate().filter(|(_, liar)| !**liar).map(|(index, _)| index).collect();
    (0_u32..1 << honest.len()).any(|mask| {
        let half = |bit: u32| {
            let mut chosen = liars.to_vec();
            for (place, index) in honest.iter().enumerate() {
                if let Some(chosen) = chosen.get_mut(*index) {
                    *chosen = mask >> place & 1 == bit;
                }
            }
            meets(&chosen)
        };
        half(1) && half(0)
    })
}

fn invert(chosen: &[bool]) -> Vec<bool> {
    chosen.iter().map(|chosen| !chosen).collect()
}

/// The size of the smallest set that `holds`; none if no set does, or there are too many to try.
fn smallest(count: usize, holds: &impl Fn(&[bool]) -> bool) -> Option<usize> {
    if count > MAX_VOICES {
        return None;
    }
    let sets = (0_u32..1 << count).filter(|set| {
        let chosen: Vec<bool> = (0..count).map(|index| set >> index & 1 == 1).collect();
        holds(&chosen)
    });
    sets.map(|set| set.count_ones() as usize).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use stele_spec::note::{KeyType, SignerKey};

    /// Witnesses by name, each with a key of type 04 (and 06 where the name says `+`), and the groups.
    fn policy(names: &[&str], rest: &str) -> Policy {
        let mut text = String::new();
        for (n, name) in (1_u8..).zip(names) {
            let (name, both) = name.strip_suffix('+').map_or((*name, false), |name| (name, true));
            let key = |key_type, seed| SignerKey::new(name.parse().unwrap(), key_type, [seed; 32]).verifier();
            text += &format!("witness w{n} {}\n", key(KeyType::Cosigner, n));
            if both {
                text += &format!("witness q{n} {}\n", key(KeyType::MlDsa, n + 100));
            }
        }
        Policy::parse((text + rest).as_bytes()).unwrap()
    }

    fn numbers(bears: Bears) -> (usize, usize, usize, usize) {
        (bears.of, bears.needed.unwrap(), bears.lying.unwrap(), bears.down.unwrap())
    }

    #[test]
    fn k_of_n_bears_what_the_formula_says() {
        let names = ["a", "b", "c", "d", "e", "f", "g"];
        for n in 1..=7_usize {
            for k in 1..=n {
                let members: Vec<_> = (1..=n).map(|i| format!("w{i}")).collect();
                let policy = policy(&names[..n], &format!("group g {k} {}\nquorum g\n", members.join(" ")));
                // Two quorums of k among n share at least 2k - n.
                assert_eq!(numbers(by_witness(&policy)), (n, k, (2 * k).saturating_sub(n + 1), n - k), "{k} of {n}");
            }
        }
    }

    #[test]
    fn two_of_three_bears_no_liar_and_one_that_is_down() {
        let policy = policy(&["a", "b", "c"], "group g 2 w1 w2 w3\nquorum g\n");
        assert_eq!(numbers(by_witness(&policy)), (3, 2, 0, 1));
    }

    #[test]
    fn the_keys_of_a_witness_count_twice_unless_a_group_makes_them_one() {
        let twice = policy(&["a+", "b", "c"], "group g 2 w1 q1 w2 w3\nquorum g\n");
        assert_eq!(counted_twice(&twice), [("a".to_owned(), vec!["w1".to_owned(), "q1".to_owned()])]);
        assert_eq!(by_witness(&twice).needed, Some(1), "a alone, with both keys");
        let once = policy(&["a+", "b", "c"], "group a any w1 q1\ngroup g 2 a w2 w3\nquorum g\n");
        assert_eq!(counted_twice(&once), []);
        assert_eq!(numbers(by_witness(&once)), (3, 2, 0, 1));
        let mixed = policy(&["a+", "b", "c"], "group a any w1 q1 w2\ngroup g 2 a w3\nquorum g\n");
        assert_eq!(counted_twice(&mixed), [], "here either of them is one of two");
    }

    #[test]
    fn operators_are_fewer_than_witnesses() {
        let policy = policy(&["one/a", "one/b", "two"], "group g 2 w1 w2 w3\nquorum g\n");
        assert_eq!(numbers(by_witness(&policy)), (3, 2, 0, 1));
        assert_eq!(numbers(by_operator(&policy)), (2, 1, 0, 0));
    }

    #[test]
    fn a_key_that_the_quorum_leaves_out_is_not_counted_and_many_witnesses_have_no_numbers() {
        assert_eq!(by_witness(&policy(&["a", "b"], "quorum w1\n")).of, 1);
        let names: Vec<String> = (0..13).map(|n| format!("w{n}.example")).collect();
        let members: Vec<_> = (1..=13).map(|i| format!("w{i}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let many = policy(&names, &format!("group g 7 {}\nquorum g\n", members.join(" ")));
        assert_eq!(by_witness(&many), Bears { of: 13, needed: None, lying: None, down: None });
    }
}
