//! Whom a verb asks, whom it believes, and where it remembers: what the verbs that ask a log have in common.

use stele_spec::policy::Policy;

use crate::asked_log::{AskedLog, LogAddress, MAX_VERDICT_WAIT};
use crate::cli::Asking;
use crate::error::Failure;
use crate::index_end::Incomplete;
use crate::memory::Memory;
use crate::policy_file;

/// A policy, a log with an address, and a memory.
#[derive(Debug)]
pub(crate) struct Asked {
    /// Whom to believe.
    pub(crate) policy: Policy,
    /// What is remembered.
    pub(crate) memory: Memory,
    address: LogAddress,
}

impl Asked {
    /// By the arguments of a verb. The time that the log has for all answers begins here.
    pub(crate) fn by(args: &Asking) -> Result<Self, Failure> {
        let loaded = policy_file::load(args.trust.policy.as_deref())?;
        let address = LogAddress::new(policy_file::log_url(&args.trust, Some(&loaded))?)
            .accepting(Incomplete::by(args.trust.accept_incomplete_answer))
            .within(MAX_VERDICT_WAIT);
        Ok(Self { policy: loaded.policy, memory: Memory::open(args.no_state), address })
    }

    /// The log under its newest head.
    pub(crate) fn log(&self) -> Result<AskedLog<'_>, Failure> {
        self.address.ask(&self.policy, &self.memory)
    }
}
