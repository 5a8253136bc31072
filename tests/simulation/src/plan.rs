//! What a run is made of: how many witnesses, which quorum, who lies, and which kinds of fault may happen.

use crate::fault::Fault;
use crate::index_node;
use crate::log_node;
use crate::random::Random;
use crate::witness_node;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use stele_spec::policy::{FaultTolerance, INDEX_COSIGNERS as INDEX_COSIGNERS_GROUP, Policy};

/// Witnesses, quorum, and how many of them lie: each within what the policy bears.
const NETWORKS: &[(usize, usize, usize)] =
    &[(1, 1, 0), (1, 1, 0), (2, 2, 0), (3, 2, 0), (3, 2, 0), (3, 2, 0), (3, 3, 1), (4, 3, 0), (4, 3, 1)];

/// How many index cosigners there are, and how many of them every quorum has in it.
const INDEX_COSIGNERS: &[(usize, usize)] = &[(0, 0), (0, 0), (0, 0), (1, 1), (1, 1), (2, 1), (2, 2)];

/// The part of a seed's choices that decides who there is beside log and witnesses, whatever its plan draws.
const BESIDE: u64 = u64::MAX;

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
    /// How many index cosigners there are, after the witnesses.
    pub index_cosigners: usize,
    /// How many of them every quorum has in it.
    pub index_quorum: usize,
    /// Whether the log is kept in a bucket: in how many of a hundred requests to it something goes wrong.
    pub bucket: Option<u64>,
    /// Whether a second machine stands by for a log in a bucket.
    pub has_standby: bool,
    /// Whether the log changes its key.
    pub changes_key: bool,
    /// Whether the last witness has a mirror in its folder.
    pub has_mirror: bool,
    /// Whether there is a monitor.
    pub has_monitor: bool,
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
            index_cosigners: 0,
            index_quorum: 0,
            bucket: None,
            has_standby: false,
            changes_key: false,
            has_mirror: false,
            has_monitor: false,
            faults: BTreeSet::new(),
            trouble: 0,
            rate: 0,
            is_settled: true,
            is_mended: true,
            touches_states: false,
        }
    }

    /// The same with one index cosigner, without which nothing is published.
    #[must_use]
    pub fn with_index(self) -> Self {
        Self { index_cosigners: 1, index_quorum: 1, ..self }
    }

    /// The same with a log in a bucket.
    #[must_use]
    pub fn with_bucket(self) -> Self {
        Self { bucket: Some(0), ..self }
    }

    /// The same with a log in a bucket and a standby.
    #[must_use]
    pub fn with_standby(self) -> Self {
        Self { has_standby: true, ..self.with_bucket() }
    }

    /// The same with a log that changes its key.
    #[must_use]
    pub fn with_keys(self) -> Self {
        Self { changes_key: true, ..self }
    }

    /// The same with a mirror.
    #[must_use]
    pub fn with_mirror(self) -> Self {
        Self { has_mirror: true, ..self }
    }

    /// The same with a monitor.
    #[must_use]
    pub fn with_monitor(self) -> Self {
        Self { has_monitor: true, ..self }
    }

    /// The plan of a seed, without some kinds of fault; `random` is the seed's stream.
    pub fn of(seed: u64, random: &mut Random, without: &BTreeSet<Fault>) -> Self {
        let (witnesses, quorum, byzantine) = random.pick(NETWORKS);
        let mut faults = BTreeSet::new();
        for _ in 0..random.below(4) {
            faults.extend(random.pick(MOODS));
        }
        let (trouble, rate) = (random.pick(&[0, 5, 15, 30]), random.pick(&[2, 5, 10]));
        let (is_settled, is_mended) = (random.percent(70), random.percent(60));
        let mut beside = Random::part(seed, BESIDE);
        let (index_cosigners, index_quorum) = beside.pick(INDEX_COSIGNERS);
        if index_quorum > 0 && beside.percent(60) {
            faults.insert(Fault::WrongIndex);
        }
        let changes_key = beside.percent(15);
        if changes_key {
            faults.insert(Fault::KeyChanged);
        }
        let has_mirror = beside.percent(25) && byzantine < witnesses;
        let has_monitor = beside.percent(30);
        if has_monitor && beside.bit() {
            faults.insert(Fault::MonitorRestored);
        }
        let bucket = beside.percent(15).then(|| beside.pick(&[0, 1, 4]));
        if bucket.is_some() {
            // What happens to files does not; another writer may come.
            let of_files = [Fault::LogRestored, Fault::SharedDisk];
            faults.retain(|fault| !of_files.contains(fault));
            faults.insert(Fault::Bucket);
            if beside.bit() {
                faults.insert(Fault::SecondWriter);
            }
        }
        let has_standby = bucket.is_some() && beside.percent(60);
        if has_standby {
            // The standby is the other writer, and the key of both stays.
            faults.retain(|fault| ![Fault::SecondWriter, Fault::KeyChanged].contains(fault));
        }
        let touches_states = faults.contains(&Fault::StateRestored);
        faults.retain(|fault| !without.contains(fault));
        Self {
            witnesses,
            quorum,
            byzantine,
            index_cosigners,
            index_quorum,
            bucket,
            has_standby,
            changes_key,
            has_mirror,
            has_monitor,
            faults,
            trouble,
            rate,
            is_settled,
            is_mended,
            touches_states,
        }
    }

    /// The trust policy.
    pub fn policy(&self) -> Policy {
        let second =
            if self.changes_key { format!("log {}\n", log_node::second_signer().verifier()) } else { String::new() };
        self.policy_of(format!("log {}\n{second}", log_node::signer().verifier()))
    }

    /// The policy of somebody who does not know of a second key.
    pub fn first_policy(&self) -> Policy {
        self.policy_of(format!("log {}\n", log_node::signer().verifier()))
    }

    fn policy_of(&self, mut text: String) -> Policy {
        for number in 0..self.witnesses {
            let key = witness_node::key(number).verifier();
            let _ = writeln!(text, "witness w{number} {key} https://w{number}.example");
        }
        for number in 0..self.index_cosigners {
            let key = index_node::key(number).verifier();
            let _ = writeln!(text, "witness i{number} {key} https://i{number}.example/index");
        }
        let names = |letter: &str, count| (0..count).map(|number| format!(" {letter}{number}")).collect::<String>();
        let _ = writeln!(text, "group all-witnesses {}{}", self.quorum, names("w", self.witnesses));
        if self.index_quorum == 0 {
            text += "quorum all-witnesses\n";
        } else {
            let index = names("i", self.index_cosigners);
            let _ = writeln!(text, "group {INDEX_COSIGNERS_GROUP} {}{index}", self.index_quorum);
            let _ = writeln!(text, "group both all all-witnesses {INDEX_COSIGNERS_GROUP}\nquorum both");
        }
        let policy = Policy::parse(text.as_bytes()).expect("a policy");
        let bears = FaultTolerance::by_witness(&policy).byzantine;
        assert!(bears.is_some_and(|bears| bears >= self.byzantine), "{self:?} bears {bears:?} liars");
        policy
    }
}
