//! What a run is made of: how many witnesses, which quorum, who lies, and which kinds of fault may happen.

use crate::fault::Fault;
use crate::log_node;
use crate::random::Random;
use crate::witness_node;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use stele_spec::policy::{FaultTolerance, Policy};

/// Witnesses, quorum, and how many of them lie: each within what the policy bears.
const NETWORKS: &[(usize, usize, usize)] =
    &[(1, 1, 0), (1, 1, 0), (2, 2, 0), (3, 2, 0), (3, 2, 0), (3, 2, 0), (3, 3, 1), (4, 3, 0), (4, 3, 1)];

/// Kinds of fault that come together.
const MOODS: &[&[Fault]] = &[
    &[Fault::Kill, Fault::Power, Fault::Cut, Fault::Stop],
    &[Fault::Cut, Fault::SyncFails, Fault::DiskFull, Fault::Power],
    &[Fault::Loss, Fault::Delay, Fault::Duplicate, Fault::HalfOpen, Fault::Partition],
    &[Fault::ClockJump, Fault::Stall, Fault::Kill],
    &[Fault::Tampered, Fault::Delay, Fault::Kill],
    &[Fault::LogRestored, Fault::Kill, Fault::Delay],
    &[Fault::SecondWriter, Fault::Partition, Fault::Delay],
    &[Fault::SharedDisk, Fault::Delay, Fault::Kill],
    &[Fault::StateRestored, Fault::Kill, Fault::Power],
];

/// What a run is made of.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How many witnesses there are.
    pub witnesses: usize,
    /// How many of them make a quorum.
    pub quorum: usize,
    /// How many sign anything: the first ones.
    pub byzantine: usize,
    /// What may happen.
    pub faults: BTreeSet<Fault>,
    /// In how many of a hundred cases each trouble of the network happens.
    pub trouble: u64,
    /// In how many of a hundred steps something goes wrong.
    pub rate: u64,
    /// Whether the network is at rest before the first step.
    pub is_settled: bool,
    /// Whether everything is mended after the last step, and must work again.
    pub is_mended: bool,
    /// Whether somebody puts older states or marks of witnesses back.
    pub touches_states: bool,
}

impl Plan {
    /// A network without faults.
    pub fn calm(witnesses: usize, quorum: usize, byzantine: usize) -> Self {
        Self {
            witnesses,
            quorum,
            byzantine,
            faults: BTreeSet::new(),
            trouble: 0,
            rate: 0,
            is_settled: true,
            is_mended: true,
            touches_states: false,
        }
    }

    /// The plan of a seed, without some kinds of fault.
    pub fn of(random: &mut Random, without: &BTreeSet<Fault>) -> Self {
        let (witnesses, quorum, byzantine) = random.pick(NETWORKS);
        let mut faults = BTreeSet::new();
        for _ in 0..random.below(4) {
            faults.extend(random.pick(MOODS));
        }
        let (trouble, rate) = (random.pick(&[0, 5, 15, 30]), random.pick(&[2, 5, 10]));
        let (is_settled, is_mended) = (random.percent(70), random.percent(60));
        let touches_states = faults.contains(&Fault::StateRestored);
        faults.retain(|fault| !without.contains(fault));
        Self { witnesses, quorum, byzantine, faults, trouble, rate, is_settled, is_mended, touches_states }
    }

    /// The trust policy.
    pub fn policy(&self) -> Policy {
        let mut text = format!("log {}\n", log_node::signer().verifier());
        for number in 0..self.witnesses {
            let key = witness_node::key(number).verifier();
            let _ = writeln!(text, "witness w{number} {key} https://w{number}.example");
        }
        let names: String = (0..self.witnesses).map(|number| format!(" w{number}")).collect();
        let _ = write!(text, "group all-witnesses {}{names}\nquorum all-witnesses\n", self.quorum);
        let policy = Policy::parse(text.as_bytes()).expect("a policy");
        let bears = FaultTolerance::by_witness(&policy).byzantine;
        assert!(bears.is_some_and(|bears| bears >= self.byzantine), "{self:?} bears {bears:?} liars");
        policy
    }
}
