//! A change of keys that waits for signatures: a small TOML file that key holders hand on to each other.
//!
//! It is meant to be read: what stands in it is what is signed. So it has one spelling, the one that we write, and a file
//! that was edited is refused rather than signed. Nothing in it is secret, and nothing in it is verified by reading it.

use std::path::Path;

use serde::{Deserialize, Serialize};
use stele_durable as durable;
use stele_explain::{Exit, Explain, Failure, explain};
use stele_spec::bundle::MAX_BUNDLE;
use stele_spec::canonical;
use stele_spec::hash::KeyId;
use stele_spec::key::PublicKey;
use stele_spec::statement::{Action, MAX_STATEMENT, PublisherClaim, Statement};

use crate::error;
use crate::signer::Signer;

/// How a proposal begins.
const HEADER: &str = "# A change of a publisher's keys that waits for signatures. Do not edit it: what stands here is what is signed.\n\
                      # Read it:    stele show FILE\n\
                      # Approve it: stele keys approve FILE --key YOUR.pem\n\
                      # The last:   stele keys submit FILE --key YOUR.pem\n\n";
/// The largest file: a statement in text.
const MAX_PROPOSAL: u64 = 4 * MAX_STATEMENT as u64;

/// A change of keys, and how many keys sign it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proposal {
    /// How many keys must sign: the threshold of the newest key statement, or the claim's own. The log decides.
    pub needed: u64,
    /// The statement, with the approvals that it has.
    pub statement: PublisherClaim,
}

impl Proposal {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let bytes = error::read(path, MAX_PROPOSAL, "a proposal, as `stele keys` writes it")?;
        Self::parse(&bytes)
            .map_err(|problem| ProposalError::Malformed { path: path.display().to_string(), problem }.into())
    }

    /// The proposal in a file, if it begins as one.
    pub fn of_file(path: &Path) -> Result<Option<Self>, Failure> {
        let begins = durable::read_file(path, MAX_BUNDLE as u64)?.unwrap_or_default();
        if begins.starts_with(HEADER.as_bytes()) { Self::read(path).map(Some) } else { Ok(None) }
    }

    /// Reads the one spelling of a proposal, and checks the fields of its statement.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|_| "not UTF-8".to_owned())?;
        if !Self::looks_like(text) {
            return Err("it does not begin as a proposal does".to_owned());
        }
        let proposal: Self = toml::from_str(text).map_err(|error| error.message().to_owned())?;
        if let Err(error) = proposal.statement.check() {
            return Err(error.to_string());
        }
        let payload = canonical::to_bytes(&proposal.statement).map_err(|error| error.to_string())?;
        if payload.len() > MAX_STATEMENT {
            return Err(format!("expected a statement of at most {MAX_STATEMENT} bytes, found {}", payload.len()));
        }
        if proposal.format()? != text {
            return Err(
                "it was edited, or changed on its way: its text is not the one that `stele keys` writes".to_owned()
            );
        }
        Ok(proposal)
    }

    /// Whether a text begins as a proposal.
    pub fn looks_like(text: &str) -> bool {
        text.starts_with(HEADER)
    }

    /// The text: `format(parse(x)) == x`.
    pub fn format(&self) -> Result<String, String> {
        Ok(format!("{HEADER}{}", toml::to_string(self).map_err(|error| error.to_string())?))
    }

    /// Signs it with one more key. The keys of a claim are in the claim; those of a change the log knows.
    pub fn approve(&mut self, key: &Signer) -> Result<(), Failure> {
        self.check_listed(key.key_id())?;
        let mut statement = Statement::Publisher(self.statement.clone());
        key.approve(&mut statement)?;
        self.statement.approvals = statement.approvals().to_vec();
        Ok(())
    }

    /// The statement for the last signer, without the approval of that key: the signer of the envelope counts once.
    pub fn signed_by(&self, signer: &PublicKey) -> Result<PublisherClaim, ProposalError> {
        let kid = signer.key_id();
        self.check_listed(kid)?;
        let mut statement = self.statement.clone();
        statement.approvals.retain(|approval| approval.kid != kid);
        Ok(statement)
    }

    fn check_listed(&self, kid: KeyId) -> Result<(), ProposalError> {
        if self.statement.action != Action::Claim || self.statement.key(&kid).is_some() {
            return Ok(());
        }
        let listed = self.statement.keys.iter().map(|key| key.kid).collect();
        Err(ProposalError::NotListed { kid, listed })
    }
}

/// Why a proposal is not signed.
#[derive(Debug, thiserror::Error)]
pub enum ProposalError {
    /// Not a proposal as it was written.
    #[error("{path} is not a proposal: {problem}")]
    Malformed {
        /// The file.
        path: String,
        /// What is wrong.
        problem: String,
    },
    /// The key is none of the claim's.
    #[error("key {kid} is not one of the keys of this claim")]
    NotListed {
        /// The key.
        kid: KeyId,
        /// Those of the claim.
        listed: Vec<KeyId>,
    },
}

impl Explain for ProposalError {
    explain! {
        Self::Malformed { .. } => Exit::BadInput, "proposal-malformed",
            hint: "get the file again, attached and not pasted as text; nothing was signed";
        Self::NotListed { kid, listed } => Exit::BadSignature, "key-not-held", hint: "sign with a key that the claim lists",
            "expected": listed.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "), "found": kid;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use stele_spec::key::SecretKey;
    use stele_spec::statement::{Prose, PublisherKey};

    fn key(seed: u8) -> SecretKey {
        SecretKey::from_seed([seed; 32])
    }

    fn claim(reason: Option<&str>) -> Proposal {
        let keys = [key(1).public(), key(2).public(), key(3).public()];
        let mut statement =
            PublisherClaim::new("acme.example".parse().unwrap(), "2026-06-25T09:30:00Z".parse().unwrap(), &keys);
        statement.threshold = 2;
        statement.reason = reason.map(|reason| reason.parse().unwrap());
        Proposal { needed: 2, statement }
    }

    #[test]
    fn what_was_edited_is_refused_even_where_it_means_the_same() {
        let text = claim(None).format().unwrap();
        for (from, to) in [
            ("needed = 2", "needed  = 2"),
            ("needed = 2", "needed = 2 # two"),
            ("threshold = 2", "threshold = 4"),
            ("threshold = 2", "threshold = 2\nextra = 1"),
            ("# Read it:", "# Ignore it:"),
        ] {
            let edited = text.replace(from, to);
            assert_ne!(edited, text);
            assert!(Proposal::parse(edited.as_bytes()).is_err(), "{to}");
        }
        assert!(Proposal::parse(text.trim_end().as_bytes()).is_err());
        assert!(Proposal::parse(&text.as_bytes()[1..]).is_err());
        assert_eq!(Proposal::parse(text.as_bytes()), Ok(claim(None)));
    }

    #[test]
    fn approvals_are_kept_in_the_file_and_nobody_signs_twice() {
        let mut proposal = claim(None);
        assert_eq!(proposal.approve(&key(9).into()).unwrap_err().as_explain().code(), "key-not-held");
        for seed in [3, 1, 3] {
            proposal.approve(&key(seed).into()).unwrap();
            proposal = Proposal::parse(proposal.format().unwrap().as_bytes()).unwrap();
        }
        assert_eq!(proposal.statement.approvals.len(), 2);
        let signed = proposal.signed_by(&key(1).public()).unwrap();
        assert_eq!(signed.approvals.len(), 1);
        let keys = [key(3).public()];
        let known = |kid: &KeyId| keys.iter().find(|key| key.key_id() == *kid).copied();
        assert_eq!(PublisherKey::from(keys[0]).kid, signed.approvals[0].kid);
        assert!(Statement::Publisher(signed).verify_approvals(known).is_ok());
    }

    proptest! {
        #[test]
        fn any_reason_is_read_as_it_was_written(reason: String, needed in 1_u64..17) {
            let mut proposal = claim(reason.parse::<Prose>().is_ok().then_some(reason.as_str()));
            proposal.needed = needed;
            let text = proposal.format().unwrap();
            let parsed = Proposal::parse(text.as_bytes()).unwrap();
            prop_assert_eq!(parsed.format().unwrap(), text);
            prop_assert_eq!(parsed, proposal);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            if let Ok(text) = std::str::from_utf8(&bytes) {
                let _ = Proposal::parse(format!("{HEADER}{text}").as_bytes());
            }
            prop_assert!(Proposal::parse(&bytes).is_err() || bytes.starts_with(HEADER.as_bytes()));
        }
    }
}
