//! What a policy's quorum can bear: witnesses that lie, that are down, and operators who run several of them.
//!
//! Keys are not witnesses: those with one name are one. Names are not operators: those that are alike up to the first `/` are one's.
//! The numbers are counted over the groups, whatever their size. Sets are tried only of voices that stand in several groups.

use std::collections::{BTreeMap, BTreeSet};

use super::{Policy, Quorum};

/// The most steps of counting. Only many voices, each in several groups, need more.
const MAX_WORK: usize = 1 << 28;

/// More than any number of voices.
const NEVER: usize = usize::MAX / 4;

/// What is known of a quorum, counted in witnesses or in operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaultTolerance {
    /// How many there are.
    pub of: usize,
    /// The least number that can meet the quorum; none where there are too many sets to try.
    pub needed: Option<usize>,
    /// How many may lie, any of them, and still no log can show two histories to two people who both have the quorum.
    pub byzantine: Option<usize>,
    /// Whether nobody has to lie: two sets without a member in common meet the quorum, and the log alone can show them two histories.
    pub divides: bool,
    /// How many may be down, any of them, and the quorum can still be met; none also where it asks for nobody.
    pub crashed: Option<usize>,
}

impl FaultTolerance {
    /// Counted in witnesses: the names of keys.
    pub fn by_witness(policy: &Policy) -> Self {
        Self::count(policy, |name| name)
    }

    /// Counted in operators.
    pub fn by_operator(policy: &Policy) -> Self {
        Self::count(policy, operator)
    }

    fn count(policy: &Policy, voice: impl Fn(&str) -> &str) -> Self {
        let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
        let tree = Node::of(policy.quorum(), &mut |index| {
            let name = policy.witnesses().get(index).map_or("", |witness| voice(witness.key.name().as_str()));
            let next = numbers.len();
            *numbers.entry(name).or_insert(next)
        });
        let of = numbers.len();
        let Some(tree) = tree else {
            return Self { of, needed: Some(0), byzantine: Some(0), divides: true, crashed: None };
        };
        let shared = tree.shared();
        let smallest = |goal| smallest(&tree, &shared, goal);
        let liars = smallest(Goal::Split);
        Self {
            of,
            needed: smallest(Goal::Meet),
            byzantine: liars.map(|liars| liars.saturating_sub(1)),
            divides: liars == Some(0),
            crashed: smallest(Goal::Block).map(|down| down.saturating_sub(1)),
        }
    }
}

/// Who runs a key, as its name says: the part before the first `/`.
pub fn operator(name: &str) -> &str {
    name.split('/').next().unwrap_or_default()
}

/// Witnesses with several keys that the quorum can count more than once, with their keys' names in the policy.
pub fn counted_twice(policy: &Policy) -> Vec<(String, Vec<String>)> {
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

/// A quorum over voices: what one voice satisfies alone is one node.
#[derive(Debug, PartialEq, Eq)]
enum Node {
    /// A voice, by number.
    Voice(usize),
    /// At least `threshold` of the members, each of which counts as often as its weight says.
    Group { threshold: usize, members: Vec<(Node, usize)> },
}

impl Node {
    /// None where nobody is asked for.
    fn of(quorum: &Quorum, voice: &mut impl FnMut(usize) -> usize) -> Option<Self> {
        let (threshold, members) = match quorum {
            Quorum::None => return None,
            Quorum::Witness(index) => return Some(Self::Voice(voice(*index))),
            Quorum::Group { threshold, members, .. } => (*threshold, members),
        };
        let mut merged: Vec<(Self, usize)> = Vec::new();
        for member in members.iter().filter_map(|member| Self::of(member, voice)) {
            // A voice brings all its keys, or none: two members of one voice are one of twice the weight.
            let same = merged.iter_mut().find(|(known, _)| matches!(member, Self::Voice(_)) && *known == member);
            match same {
                Some((_, weight)) => *weight += 1,
                None => merged.push((member, 1)),
            }
        }
        match merged.as_slice() {
            [(Self::Voice(alone), _)] => Some(Self::Voice(*alone)),
            _ => Some(Self::Group { threshold, members: merged }),
        }
    }

    /// The voices that stand in several places, whose choices are not free of each other.
    fn shared(&self) -> Vec<usize> {
        let mut places = BTreeMap::new();
        self.count_places(&mut places);
        places.into_iter().filter(|(_, count)| *count > 1).map(|(voice, _)| voice).collect()
    }

    fn count_places(&self, into: &mut BTreeMap<usize, usize>) {
        match self {
            Self::Voice(voice) => *into.entry(*voice).or_default() += 1,
            Self::Group { members, .. } => members.iter().for_each(|(member, _)| member.count_places(into)),
        }
    }

    /// About how many steps one count takes.
    fn work(&self) -> usize {
        match self {
            Self::Voice(_) => 1,
            Self::Group { threshold, members } => {
                let own = 4 * members.len() * (threshold + 1) * (threshold + 1);
                members.iter().fold(own, |sum, (member, _)| sum + member.work())
            }
        }
    }

    /// The least number of free voices by which the node is met in the first history, in the second, and in both.
    fn cost(&self, goal: Goal, fixed: &BTreeMap<usize, Part>) -> Cost {
        match self {
            Self::Voice(voice) => match fixed.get(voice) {
                Some(part) => part.cost(),
                None => goal.free(),
            },
            Self::Group { threshold, members } => {
                let total: usize = members.iter().map(|(_, weight)| weight).sum();
                let needed = match goal {
                    Goal::Meet | Goal::Split => *threshold,
                    // Blocked is what can no longer reach its threshold.
                    Goal::Block => (total + 1).saturating_sub(*threshold),
                };
                let costs = members.iter().map(|(member, weight)| (member.cost(goal, fixed), *weight));
                fill(needed, costs)
            }
        }
    }
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Goal {
    /// Voices that meet the quorum.
    Meet,
    /// Voices without which it is not met.
    Block,
    /// Voices that help two histories, so that both meet the quorum; each other one helps one of them, which costs nothing.
    Split,
}

/// The part of a voice that is decided already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// It helps both histories: it is one of those that are counted.
    Both,
    /// It helps the first.
    First,
    /// It helps the second.
    Second,
}

/// The least number of voices for the first history, the second, and both. Nothing costs nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cost {
    first: usize,
    second: usize,
    both: usize,
}

impl Goal {
    /// What a voice costs that is free to choose. With one history only the first counts.
    const fn free(self) -> Cost {
        match self {
            Self::Meet | Self::Block => Cost { first: 1, second: 0, both: 1 },
            Self::Split => Cost { first: 0, second: 0, both: 1 },
        }
    }

    /// The parts that a voice can have.
    const fn parts(self) -> &'static [Part] {
        match self {
            Self::Meet | Self::Block => &[Part::Both, Part::Second],
            Self::Split => &[Part::Both, Part::First, Part::Second],
        }
    }
}

impl Part {
    const fn cost(self) -> Cost {
        match self {
            Self::Both => Cost { first: 0, second: 0, both: 0 },
            Self::First => Cost { first: 0, second: NEVER, both: NEVER },
            Self::Second => Cost { first: NEVER, second: 0, both: NEVER },
        }
    }
}

/// The cheapest choice of members that reaches `needed` in a history, or in both.
fn fill(needed: usize, members: impl Iterator<Item = (Cost, usize)>) -> Cost {
    let side = needed + 1;
    // By what is reached in the first and in the second history, no more than is needed.
    let mut best = vec![NEVER; side * side];
    let at = |first: usize, second: usize| first.min(needed) * side + second.min(needed);
    if let Some(nothing) = best.first_mut() {
        *nothing = 0;
    }
    for (cost, weight) in members {
        let mut next = best.clone();
        for first in 0..side {
            for second in 0..side {
                let before = best.get(at(first, second)).copied().unwrap_or(NEVER);
                if before >= NEVER {
                    continue;
                }
                let choices = [(weight, 0, cost.first), (0, weight, cost.second), (weight, weight, cost.both)];
                for (more_first, more_second, price) in choices {
                    if let Some(known) = next.get_mut(at(first + more_first, second + more_second)) {
                        *known = (*known).min(before.saturating_add(price).min(NEVER));
                    }
                }
            }
        }
        best = next;
    }
    // What reaches more reaches less.
    let cheapest = |first: usize, second: usize| {
        let places = (first..side).flat_map(|first| (second..side).map(move |second| at(first, second)));
        places.filter_map(|place| best.get(place)).copied().min().unwrap_or(NEVER)
    };
    Cost { first: cheapest(needed, 0), second: cheapest(0, needed), both: cheapest(needed, needed) }
}

/// The least number of voices for a goal; none if no number is enough, or there are too many sets to try.
fn smallest(tree: &Node, shared: &[usize], goal: Goal) -> Option<usize> {
    let sets = u32::try_from(shared.len()).ok().and_then(|shared| goal.parts().len().checked_pow(shared));
    let sets = sets.filter(|sets| sets.checked_mul(tree.work()).is_some_and(|work| work <= MAX_WORK))?;
    let least = (0..sets).map(|set| {
        let mut rest = set;
        let mut fixed = BTreeMap::new();
        for voice in shared {
            let part = goal.parts().get(rest % goal.parts().len()).copied().unwrap_or(Part::Both);
            fixed.insert(*voice, part);
            rest /= goal.parts().len();
        }
        let counted = fixed.values().filter(|part| **part == Part::Both).count();
        let cost = tree.cost(goal, &fixed);
        counted + if goal == Goal::Split { cost.both } else { cost.first }
    });
    least.min().filter(|least| *least < NEVER)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::note::{KeyType, SignerKey};

    /// Witnesses by name, each with a key of type 04 (and 06 where the name says `+`), and the groups.
    fn policy<T: AsRef<str>>(names: &[T], rest: &str) -> Policy {
        let mut text = String::new();
        for (n, name) in (1_u8..).zip(names) {
            let (name, both) = name.as_ref().strip_suffix('+').map_or((name.as_ref(), false), |name| (name, true));
            let key = |key_type, seed| SignerKey::new(name.parse().unwrap(), key_type, [seed; 32]).verifier();
            text += &format!("witness w{n} {}\n", key(KeyType::Cosigner, n));
            if both {
                text += &format!("witness q{n} {}\n", key(KeyType::MlDsa, n + 100));
            }
        }
        Policy::parse((text + rest).as_bytes()).unwrap()
    }

    fn numbers(found: FaultTolerance) -> (usize, usize, usize, usize) {
        (found.of, found.needed.unwrap(), found.byzantine.unwrap(), found.crashed.unwrap())
    }

    fn by_witness(policy: &Policy) -> (usize, usize, usize, usize) {
        numbers(FaultTolerance::by_witness(policy))
    }

    #[test]
    fn k_of_n_bears_what_the_formula_says() {
        for n in [1_usize, 2, 3, 4, 7, 13, 31, 64] {
            let names: Vec<_> = (0..n).map(|number| format!("w{number}.example")).collect();
            let members: Vec<_> = (1..=n).map(|i| format!("w{i}")).collect();
            for k in [1, n / 2 + 1, (2 * n).div_ceil(3), n] {
                let policy = policy(&names, &format!("group g {k} {}\nquorum g\n", members.join(" ")));
                // Two quorums of k among n share at least 2k - n.
                assert_eq!(by_witness(&policy), (n, k, (2 * k).saturating_sub(n + 1), n - k), "{k} of {n}");
            }
        }
    }

    #[test]
    fn groups_of_groups_are_counted_whatever_their_number() {
        // Eleven operators with three witnesses each; seven of them, each by two of three.
        let names: Vec<_> = (0..33).map(|n| format!("o{}.example/{}", n / 3, n % 3)).collect();
        let group = |o: usize| format!("group g{o} 2 w{} w{} w{}\n", 3 * o + 1, 3 * o + 2, 3 * o + 3);
        let groups: String = (0..11).map(group).collect();
        let all: Vec<_> = (0..11).map(|o| format!("g{o}")).collect();
        let policy = policy(&names, &format!("{groups}group all 7 {}\nquorum all\n", all.join(" ")));
        // Blocked when five operators have two witnesses down. Split when three operators' groups are in both, by one liar each.
        assert_eq!(by_witness(&policy), (33, 14, 2, 9));
        assert_eq!(numbers(FaultTolerance::by_operator(&policy)), (11, 7, 2, 4));
    }

    #[test]
    fn a_policy_as_large_as_the_format_allows_is_counted() {
        let names: Vec<_> = (0..100).map(|n| format!("w{n}.example")).collect();
        let members = |from: usize, to: usize| (from..=to).map(|i| format!("w{i}")).collect::<Vec<_>>().join(" ");
        let (left, right) = (members(1, 50), members(51, 100));
        let text = format!("group l 34 {left}\ngroup r 34 {right}\ngroup g all l r\nquorum g\n");
        // Both groups have to be split: 2 * 34 - 50 liars in each.
        assert_eq!(by_witness(&policy(&names, &text)), (100, 68, 35, 16));
    }

    #[test]
    fn the_keys_of_a_witness_count_twice_unless_a_group_makes_them_one() {
        let twice = policy(&["a+", "b", "c"], "group g 2 w1 q1 w2 w3\nquorum g\n");
        assert_eq!(counted_twice(&twice), [("a".to_owned(), vec!["w1".to_owned(), "q1".to_owned()])]);
        assert_eq!(FaultTolerance::by_witness(&twice).needed, Some(1), "a alone, with both keys");
        let once = policy(&["a+", "b", "c"], "group a any w1 q1\ngroup g 2 a w2 w3\nquorum g\n");
        assert_eq!(counted_twice(&once), []);
        assert_eq!(by_witness(&once), (3, 2, 0, 1));
        let mixed = policy(&["a+", "b", "c"], "group a any w1 q1 w2\ngroup g 2 a w3\nquorum g\n");
        assert_eq!(counted_twice(&mixed), [], "here either of them is one of two");
    }

    #[test]
    fn operators_are_fewer_than_witnesses() {
        let policy = policy(&["one/a", "one/b", "two"], "group g 2 w1 w2 w3\nquorum g\n");
        assert_eq!(by_witness(&policy), (3, 2, 0, 1));
        assert_eq!(numbers(FaultTolerance::by_operator(&policy)), (2, 1, 0, 0));
    }

    #[test]
    fn a_key_that_the_quorum_leaves_out_is_not_counted_and_a_quorum_of_nobody_bears_all() {
        assert_eq!(FaultTolerance::by_witness(&policy(&["a", "b"], "quorum w1\n")).of, 1);
        let nobody = FaultTolerance::by_witness(&policy(&["a", "b"], "quorum none\n"));
        assert_eq!(nobody, FaultTolerance { of: 0, needed: Some(0), byzantine: Some(0), divides: true, crashed: None });
    }

    #[test]
    fn where_two_sets_without_a_common_member_meet_the_quorum_nobody_has_to_lie() {
        for (asked, divides) in [("any", true), ("2", true), ("3", false), ("all", false)] {
            let policy = policy(&["a", "b", "c", "d"], &format!("group g {asked} w1 w2 w3 w4\nquorum g\n"));
            assert_eq!(FaultTolerance::by_witness(&policy).divides, divides, "{asked}");
        }
    }

    /// The same numbers by trying every set: what they mean.
    fn by_trying(policy: &Policy, voice: impl Fn(&str) -> &str) -> (usize, usize, usize, usize) {
        let mut used = BTreeSet::new();
        keys_in(policy.quorum(), &mut used);
        let mut voices: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for index in used {
            let name = voice(policy.witnesses()[index].key.name().as_str()).to_owned();
            voices.entry(name).or_default().push(index);
        }
        let voices: Vec<Vec<usize>> = voices.into_values().collect();
        let meets = |set: u32| {
            let has = |index: usize| (0..voices.len()).any(|v| set >> v & 1 == 1 && voices[v].contains(&index));
            policy.quorum().is_met(&has)
        };
        let all = (1_u32 << voices.len()) - 1;
        let smallest = |holds: &dyn Fn(u32) -> bool| {
            (0..=all).filter(|set| holds(*set)).map(|set| set.count_ones() as usize).min().unwrap()
        };
        let splits = |liars: u32| (0..=all).any(|half| meets(liars | half) && meets(liars | !half & all));
        let needed = smallest(&meets);
        let (byzantine, crashed) = (smallest(&splits), smallest(&|down| !meets(!down & all)));
        (voices.len(), needed, byzantine.saturating_sub(1), crashed.saturating_sub(1))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn the_count_is_that_of_trying_every_set(
            operators in proptest::collection::vec(0..5_usize, 2..8),
            cuts in proptest::collection::vec((1..4_usize, 0..8_usize), 1..6),
            top in 0..8_usize,
        ) {
            // Groups of neighbours, some of them groups of groups, and what is left over.
            let names: Vec<_> = operators.iter().enumerate().map(|(n, o)| format!("o{o}.example/{n}")).collect();
            let mut open: Vec<String> = (1..=names.len()).map(|n| format!("w{n}")).collect();
            let mut text = String::new();
            for (number, (take, threshold)) in cuts.into_iter().enumerate() {
                let members: Vec<_> = open.drain(..take.min(open.len())).collect();
                text += &format!("group g{number} {} {}\n", threshold % members.len() + 1, members.join(" "));
                open.push(format!("g{number}"));
            }
            text += &format!("group top {} {}\nquorum top\n", top % open.len() + 1, open.join(" "));
            let policy = policy(&names, &text);
            prop_assert_eq!(by_witness(&policy), by_trying(&policy, |name| name), "{}", text);
            let found = numbers(FaultTolerance::by_operator(&policy));
            prop_assert_eq!(found, by_trying(&policy, operator), "{:?} {}", operators, text);
        }
    }
}
