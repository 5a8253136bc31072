//! What the operator may change while the log runs: the policy and the rules.

use crate::rules::Rules;
use stele_spec::policy::{Policy, Quorum};

/// What the operator may change while the log runs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What a tree head must satisfy to be published.
    pub policy: Policy,
    /// The operator's decisions.
    pub rules: Rules,
}

/// How many more witnesses may fail, whichever they are, and the quorum is still met by those of which `well` is true. `None` where it is not
/// met now, or asks for nobody.
///
/// The parser counts each witness in one group at most, so a group falls with the cheapest of its members.
pub fn spare_witnesses(policy: &Policy, well: &impl Fn(usize) -> bool) -> Option<usize> {
    if matches!(policy.quorum(), Quorum::None) {
        return None;
    }
    failures_to_block(policy.quorum(), well).checked_sub(1)
}

fn failures_to_block(quorum: &Quorum, well: &impl Fn(usize) -> bool) -> usize {
    match quorum {
        Quorum::None => usize::MAX,
        Quorum::Witness(index) => usize::from(well(*index)),
        Quorum::Group { threshold, members, .. } => {
            let mut each: Vec<usize> = members.iter().map(|member| failures_to_block(member, well)).collect();
            each.sort_unstable();
            each.iter().take((members.len() + 1).saturating_sub(*threshold)).sum()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stele_spec::note::{KeyType, SignerKey};

    fn policy(rest: &str) -> Policy {
        let witness = |i: u8| {
            let key = SignerKey::new(format!("w{i}.example").parse().unwrap(), KeyType::Cosigner, [i + 1; 32]);
            format!("witness w{i} {} https://w{i}.example\n", key.verifier())
        };
        crate::samples::policy(&((0..4).map(witness).collect::<String>() + rest))
    }

    #[test]
    fn the_spare_witnesses_are_the_fewest_whose_failure_would_not_stop_the_log() {
        let nested = "group a any w0 w1\ngroup b any w2 w3\ngroup c all a b\nquorum c\n";
        // The quorum, who is well, and what is spare.
        for (rest, well, expected) in [
            ("quorum none\n", "0123", None),
            ("quorum w2\n", "013", None),
            ("group g 3 w0 w1 w2 w3\nquorum g\n", "01", None),
            (nested, "01", None),
            ("quorum w2\n", "2", Some(0)),
            ("group g 3 w0 w1 w2 w3\nquorum g\n", "012", Some(0)),
            ("group g 3 w0 w1 w2 w3\nquorum g\n", "0123", Some(1)),
            ("group g any w0 w1 w2 w3\nquorum g\n", "0123", Some(3)),
            ("group g all w0 w1 w2 w3\nquorum g\n", "0123", Some(0)),
            (nested, "0123", Some(1)),
            (nested, "012", Some(0)),
        ] {
            let policy = policy(rest);
            let is_well = |index: usize| well.contains(&index.to_string());
            assert_eq!(spare_witnesses(&policy, &is_well), expected, "{rest} with {well}");
            // The definition, tried out: every set of so many failures leaves it met, and some set of one more does not.
            let met_without = |set: u32| policy.quorum().is_met(&|index| is_well(index) && set & (1 << index) == 0);
            let all = |count: u32| (0_u32..16).filter(move |set| set.count_ones() <= count).all(met_without);
            if let Some(spare) = expected {
                assert!(all(spare as u32) && !all(spare as u32 + 1), "{rest} with {well}");
            }
        }
    }
}
