//! What this log lets in: the operator's rule for claims, and then [`stele_spec::registration`], by which auditors judge it.
//!
//! | a statement | is refused with | when |
//! |---|---|---|
//! | claim | `claim-not-allowed` | the operator's list has no such name, or not this key |
//! | any | the codes of registration | registration refuses it |

use crate::refusal::AdmissionRefusal;
use crate::rules::{Claims, Registration};
use stele_spec::hash::LeafHash;
use stele_spec::registration::{self, Signers, Verdict, View};
use stele_spec::statement::{Action, SignedStatement, Statement};

/// Everything but the signatures, against the log as `view` shows it.
pub fn admit(
    leaf: &LeafHash,
    signed: &SignedStatement,
    view: &impl View,
    rules: &Registration,
) -> Result<Verdict, AdmissionRefusal> {
    let verdict = registration::admit(leaf, signed, view)?;
    if verdict == Verdict::New {
        allow(signed, rules)?;
    }
    Ok(verdict)
}

/// The keys that must have signed, if the statement may be logged as far as they go.
pub fn signers(signed: &SignedStatement, view: &impl View, rules: &Registration) -> Result<Signers, AdmissionRefusal> {
    let signers = registration::signers(signed, view)?;
    allow(signed, rules)?;
    Ok(signers)
}

/// Verifies the signatures under the keys that [`signers`] gave.
pub fn authenticate(signed: &SignedStatement, keys: &Signers) -> Result<(), AdmissionRefusal> {
    Ok(registration::authenticate(signed, keys)?)
}

fn allow(signed: &SignedStatement, rules: &Registration) -> Result<(), AdmissionRefusal> {
    let Statement::Publisher(claim) = signed.statement() else { return Ok(()) };
    let (publisher, kid) = (&claim.publisher.name, signed.kid());
    let allowed = match rules.claims {
        Claims::Open => true,
        Claims::AllowList => rules.allowed.get(publisher).is_some_and(|keys| keys.is_empty() || keys.contains(&kid)),
    };
    if claim.action != Action::Claim || allowed {
        return Ok(());
    }
    Err(AdmissionRefusal::ClaimNotAllowed { publisher: publisher.clone(), kid })
}

#[cfg(test)]
mod tests;
