#![doc = include_str!("../README.md")]

pub mod audit;
pub mod cosign;
pub mod cpu;
pub mod figure;
pub mod index_cosigners;
pub mod line;
pub mod load;
pub mod machine;
pub mod memory;
pub mod offline;
pub mod peers;
pub mod signatures;
pub mod submit;
pub mod transition;
pub mod verify;

use std::path::Path;

use cosign::Measured;
use figure::Figure;
use stele_probe::failure::Step;

/// One part of the benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// From a signed statement to its cosigned proof, one after another.
    Latency,
    /// The same, many at a time.
    Throughput,
    /// `stele verify` of large files.
    Hash,
    /// `stele verify` of the evidence alone.
    Verify,
    /// `stele audit` of a whole log.
    Audit,
    /// Durable cosignatures, beside other witnesses.
    Witness,
    /// Transition proofs of the index, by themselves.
    Transition,
    /// What index cosigners add to a submission.
    IndexCosigners,
    /// What a COSE receipt costs the log beyond a proof.
    Receipts,
    /// Other logs under the same load, installed from package registries.
    Peers,
}

impl Part {
    /// In the order in which they are measured: the disk is quiet before gigabytes are written.
    pub const ALL: [Self; 6] = [Self::Latency, Self::Throughput, Self::Verify, Self::Witness, Self::Audit, Self::Hash];

    /// Each of them: also what needs the network or is no figure of the README, and is no part of `all`.
    pub const EVERY: [Self; 10] = {
        let [latency, throughput, verify, witness, audit, hash] = Self::ALL;
        [
            latency,
            throughput,
            Self::Receipts,
            Self::IndexCosigners,
            Self::Peers,
            verify,
            witness,
            audit,
            Self::Transition,
            hash,
        ]
    };

    /// What a person types.
    pub fn name(self) -> &'static str {
        match self {
            Self::Latency => "latency",
            Self::Throughput => "throughput",
            Self::Hash => "hash",
            Self::Verify => "verify",
            Self::Audit => "audit",
            Self::Witness => "witness",
            Self::Transition => "transition",
            Self::IndexCosigners => "index-cosigners",
            Self::Receipts => "receipts",
            Self::Peers => "peers",
        }
    }

    /// Measures it with files below `scratch`, which exists and is empty or holds what other parts made. `beside`: witnesses of others,
    /// which run already.
    pub fn measure(self, scratch: &Path, beside: &[Measured]) -> Step<Vec<Figure>> {
        match self {
            Self::Latency => submit::latency(scratch),
            Self::Throughput => submit::throughput(scratch),
            Self::Hash => verify::hashing(scratch),
            Self::Verify => verify::evidence_alone(scratch),
            Self::Audit => audit::audit(scratch),
            Self::Witness => cosign::cosigning(scratch, beside),
            Self::Transition => transition::transition(),
            Self::IndexCosigners => index_cosigners::latency(scratch),
            Self::Receipts => submit::receipts(scratch),
            Self::Peers => peers::peers(scratch),
        }
    }
}
