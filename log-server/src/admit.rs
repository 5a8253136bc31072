//! What the log refuses: a pure function of a statement, of the log before it, and of the operator's rule for claims.
//!
//! | a statement | is refused with | when |
//! |---|---|---|
//! | claim | `claim-not-allowed` | the operator's list has no such name, or not this key |
//! | claim | `name-claimed` | somebody holds the name |
//! | release | `name-unclaimed` | nobody holds the publisher's name |
//! | any | `key-not-held` | its key is not one of the name's |
//! | any | `bad-signature` | the signature is not that key's |
//! | release | `coordinate-bound` | the coordinate is bound to other weights: the silent swap |
//!
//! The same bytes again are no refusal: [`Verdict::Known`].
//!
//! The signature is checked once, by [`authenticate`], before a statement waits for its batch. [`admit`] does not check it
//! again: the keys of a name do not change, so a signature that was good under them stays good.

use crate::config::{Claims, Registration};
use crate::registry::View;
use stele_spec::hash::{Digest, KeyId, LeafHash};
use stele_spec::key::PublicKey;
use stele_spec::name::{Coordinate, Publisher};
use stele_spec::statement::{SignedStatement, Statement, VerifyError};

/// What becomes of a statement that is not refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is logged.
    New,
    /// These very bytes are logged at this position.
    Known(u64),
}

/// Why a statement is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The operator does not let this name, or this key, in.
    #[error("the claim of {publisher} by key {kid} is not on this log's list")]
    ClaimNotAllowed {
        /// The name.
        publisher: Publisher,
        /// The claim's signer.
        kid: KeyId,
    },
    /// The name is held.
    #[error("{publisher} was claimed at entry {position}")]
    NameClaimed {
        /// The name.
        publisher: Publisher,
        /// The position of the claim.
        position: u64,
    },
    /// The name is nobody's.
    #[error("nobody has claimed {publisher} in this log")]
    NameUnclaimed {
        /// The name.
        publisher: Publisher,
    },
    /// The signer does not hold the name.
    #[error("key {kid} does not hold {publisher}")]
    KeyNotHeld {
        /// The name.
        publisher: Publisher,
        /// The statement's signer.
        kid: KeyId,
    },
    /// The signature fails.
    #[error(transparent)]
    Signature(#[from] VerifyError),
    /// The coordinate has other weights.
    #[error(transparent)]
    CoordinateBound(Box<Swap>),
}

/// Other weights under a coordinate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{coordinate} is bound to weights {bound} by entry {position}; this statement says {offered}")]
pub struct Swap {
    /// The coordinate.
    pub coordinate: Coordinate,
    /// The position of the release that bound it.
    pub position: u64,
    /// The weights it is bound to.
    pub bound: Digest,
    /// The weights of the refused statement.
    pub offered: Digest,
}

impl Refusal {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::ClaimNotAllowed { .. } => "claim-not-allowed",
            Self::NameClaimed { .. } => "name-claimed",
            Self::NameUnclaimed { .. } => "name-unclaimed",
            Self::KeyNotHeld { .. } => "key-not-held",
            Self::Signature(error) => error.code(),
            Self::CoordinateBound(_) => "coordinate-bound",
        }
    }

    /// What to do.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::ClaimNotAllowed { .. } => "ask the operator of the log to put the name and the key on its list",
            Self::NameClaimed { .. } => "sign with the keys of that claim, or choose a name of your own",
            Self::NameUnclaimed { .. } => "submit the publisher's claim of the name first",
            Self::KeyNotHeld { .. } => "sign with a key that the publisher's claim lists",
            Self::Signature(_) => "the statement was changed after it was signed, or signed with another key",
            Self::CoordinateBound(_) => "other weights need another version or variant: a coordinate is never rebound",
        }
    }

    /// The entry that stands in the way, if it is one.
    pub fn existing(&self) -> Option<u64> {
        match self {
            Self::NameClaimed { position, .. } => Some(*position),
            Self::CoordinateBound(swap) => Some(swap.position),
            _ => None,
        }
    }
}

/// Everything but the signature, against the log as `view` shows it.
pub fn admit(
    leaf: &LeafHash,
    signed: &SignedStatement,
    view: &impl View,
    rules: &Registration,
) -> Result<Verdict, Refusal> {
    if let Some(position) = view.position_of(leaf) {
        return Ok(Verdict::Known(position));
    }
    signer(signed, view, rules)?;
    if let Statement::Release(release) = signed.statement() {
        let coordinate = release.coordinate();
        let offered = release.weights.digest;
        if let Some(binding) = view.binding(&coordinate).filter(|binding| binding.weights != offered) {
            let (position, bound) = (binding.position, binding.weights);
            return Err(Refusal::CoordinateBound(Box::new(Swap { coordinate, position, bound, offered })));
        }
    }
    Ok(Verdict::New)
}

/// Verifies the signature under a key, which [`signer`] gave.
pub fn authenticate(signed: &SignedStatement, key: &PublicKey) -> Result<(), Refusal> {
    Ok(signed.verify(key)?)
}

/// The key that must have signed: the one of the name's that the statement says.
pub fn signer(signed: &SignedStatement, view: &impl View, rules: &Registration) -> Result<PublicKey, Refusal> {
    let (publisher, kid) = (signed.statement().publisher().clone(), signed.kid());
    match signed.statement() {
        Statement::Publisher(claim) => {
            if let Some(holder) = view.holder(&publisher) {
                return Err(Refusal::NameClaimed { publisher, position: holder.position });
            }
            if !may_claim(rules, &publisher, &kid) {
                return Err(Refusal::ClaimNotAllowed { publisher, kid });
            }
            claim.key(&kid).copied().ok_or(Refusal::KeyNotHeld { publisher, kid })
        }
        Statement::Release(_) => {
            let Some(holder) = view.holder(&publisher) else { return Err(Refusal::NameUnclaimed { publisher }) };
            let key = holder.keys.iter().find(|key| key.key_id() == kid);
            key.copied().ok_or(Refusal::KeyNotHeld { publisher, kid })
        }
    }
}

fn may_claim(rules: &Registration, publisher: &Publisher, kid: &KeyId) -> bool {
    match rules.claims {
        Claims::Open => true,
        Claims::AllowList => rules.allowed.get(publisher).is_some_and(|keys| keys.is_empty() || keys.contains(kid)),
    }
}

#[cfg(test)]
mod tests;
