//! A trust policy: no panic, and the quorum can be met by all of its witnesses.

/// One input.
pub fn run(data: &[u8]) {
    if let Ok(policy) = stele_spec::policy::Policy::parse(data) {
        assert!(policy.quorum().is_met(&|_| true));
        assert!(policy.quorum().least() <= policy.witnesses().len());
    }
}
