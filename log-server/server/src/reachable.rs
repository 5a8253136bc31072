//! Which witnesses of a policy this log can ask, and whether they can ever be enough.

use stele_explain::{Exit, Explain, explain};
use stele_log_core::log_keys::LogKeys;
use stele_spec::policy::{FaultTolerance, MAX_COSIGNATURES, Policy, Quorum, Witness};

/// A quorum that can never be met.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unmeetable {
    /// More cosignatures than a checkpoint carries.
    #[error("the quorum can never be met: expected at most {MAX_COSIGNATURES} cosignatures, found at least {least}")]
    TooMany {
        /// The least number that is enough.
        least: usize,
    },
    /// Those that the log can ask are too few.
    #[error("the quorum can never be met: expected witnesses that this log can ask, found {}", .left_out.join(", "))]
    TooFew {
        /// Each witness that cannot be asked, and why.
        left_out: Vec<String>,
    },
}

impl Explain for Unmeetable {
    explain! {
        Self::TooMany { .. } => Exit::WrongPolicy, "quorum-unmeetable", hint: "lower the threshold of a group";
        Self::TooFew { .. } => Exit::WrongPolicy, "quorum-unmeetable",
            hint: "give each `witness` line the address at which the witness is reached, or lower the threshold of a group";
    }
}

/// Quorums that may have no witness in common.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a log in a bucket asks for quorums that have a witness in common: expected more than half of {of} witnesses, found {needed}"
)]
pub struct Disjoint {
    /// The least number that meets the quorum.
    pub needed: usize,
    /// Of how many.
    pub of: usize,
}

impl Explain for Disjoint {
    explain! {
        Self { .. } => Exit::WrongPolicy, "quorum-disjoint",
            hint: "raise the threshold of the group that the quorum names: should the store lose what was signed last, the witnesses alone can tell";
    }
}

/// Whether any two quorums have a witness in common, so that one of those that are asked at a start has seen what was published last. Where groups make
/// the least number a poor measure, more is asked for than would do.
pub fn intersects(policy: &Policy) -> Result<(), Disjoint> {
    let FaultTolerance { of, needed, .. } = FaultTolerance::by_witness(policy);
    match needed {
        Some(needed) if 2 * needed <= of => Err(Disjoint { needed, of }),
        _ => Ok(()),
    }
}

/// Whether the witnesses that this log can ask may meet the quorum.
pub fn check(policy: &Policy, log: &LogKeys) -> Result<(), Unmeetable> {
    let least = policy.quorum().least();
    if least > MAX_COSIGNATURES {
        return Err(Unmeetable::TooMany { least });
    }
    let why = |index: usize| policy.witnesses().get(index).and_then(|witness| unreachable(witness, log));
    if policy.quorum().is_met(&|index| why(index).is_none()) {
        return Ok(());
    }
    let mut indices = Vec::new();
    members(policy.quorum(), &mut indices);
    let named = |index: &usize| Some(format!("{}: {}", policy.witnesses().get(*index)?.name, why(*index)?));
    Err(Unmeetable::TooFew { left_out: indices.iter().filter_map(named).collect() })
}

/// Why a log with these keys cannot count a witness; `None` where it can.
pub fn unreachable(witness: &Witness, log: &LogKeys) -> Option<&'static str> {
    if log.iter().any(|key| witness.key.same_key(key)) {
        return Some("its key is the log's own");
    }
    match &witness.url {
        None => Some("no address"),
        Some(url) if is_address(url) => None,
        Some(_) => Some("its address is none of http:// or https://"),
    }
}

/// Whether a text is an address to ask: a scheme that is spoken here, and a host.
pub fn is_address(url: &str) -> bool {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['/', ':']))
}

fn members(quorum: &Quorum, into: &mut Vec<usize>) {
    match quorum {
        Quorum::None => {}
        Quorum::Witness(index) => into.push(*index),
        Quorum::Group { members: inner, .. } => inner.iter().for_each(|member| members(member, into)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stele_log_core::samples::{policy, signer};
    use stele_spec::note::{KeyType, SignerKey};

    fn witness(number: u8, url: &str) -> String {
        let key = SignerKey::new(format!("w{number}.example").parse().unwrap(), KeyType::Cosigner, [number + 1; 32]);
        format!("witness w{number} {} {url}\n", key.verifier())
    }

    #[test]
    fn a_quorum_that_can_never_be_met_is_named_with_those_who_cannot_be_asked() {
        let said = |lines: String| check(&policy(&lines), &signer().keys()).map_err(|error| error.to_string());
        for address in ["", "ftp://w0.example", "w0.example:7461", "http://", "https:///x"] {
            let refused = said(witness(0, address) + "quorum w0\n").unwrap_err();
            assert!(refused.contains("w0: "), "{address}: {refused}");
        }
        let two = |first: &str, second: &str| witness(0, first) + &witness(1, second);
        let refused = said(two("", "https://w1.example") + "group g all w0 w1\nquorum g\n").unwrap_err();
        assert!(refused.contains("w0: no address") && !refused.contains("w1"), "{refused}");
        let many: String = (0..100).map(|number| witness(number, "https://w.example")).collect();
        let names: Vec<String> = (0..100).map(|number| format!("w{number}")).collect();
        let refused = said(many + &format!("group g all {}\nquorum g\n", names.join(" "))).unwrap_err();
        assert!(refused.contains("found at least 100"), "{refused}");

        assert_eq!(said(two("", "https://w1.example") + "group g any w0 w1\nquorum g\n"), Ok(()));
        assert_eq!(said("quorum none\n".into()), Ok(()));
    }
}
