//! Approvals: signatures of further keys over a statement, which the key on its envelope signs with them.
//!
//! They stand in the payload, so that nobody can take one away or add one: RFC 9052 would have several signers in COSE_Sign, and a SCITT
//! signed statement is a COSE_Sign1. An approval covers everything but the approvals, its kind and its time among it: it is good for
//! this statement and no other.

use serde::{Deserialize, Serialize};

use super::FieldError;
use super::field::Problems;
use crate::hash::{Digest, KeyId};
use crate::key::Signature;
use crate::text::hex_exact;

/// The most approvals of one statement: as many as a name has keys.
const MAX_APPROVALS: usize = 16;

/// The first line of what an approving key signs.
const APPROVAL: &str = "stele/key-approval@v1";

/// A further key's signature over the same statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// Which key.
    pub kid: KeyId,
    /// Its 64 bytes, in lower-case hex.
    #[serde(serialize_with = "write_signature", deserialize_with = "read_signature")]
    pub signature: Signature,
}

/// What an approving key signs, of what is named by a digest.
pub fn approved_bytes(digest: Digest) -> Vec<u8> {
    format!("{APPROVAL}\n{digest}\n").into_bytes()
}

/// Adds the signature of a key to a list; of each key one, in the order of their ids.
pub(super) fn take(approvals: &mut Vec<Approval>, kid: KeyId, signature: Signature) {
    approvals.retain(|approval| approval.kid != kid);
    approvals.push(Approval { kid, signature });
    approvals.sort_by_key(|approval| approval.kid);
}

/// Everything that is wrong with a list of approvals by itself: too many, a key twice, out of order.
pub(super) fn check(approvals: &[Approval], problems: &mut Problems) {
    problems.at_most("approvals", approvals, MAX_APPROVALS);
    problems.different("approvals", approvals.iter().map(|approval| approval.kid));
    if !approvals.is_sorted_by_key(|approval| approval.kid) {
        problems.unexpected("approvals", "approvals are in the order of their kids");
    }
}

/// The same, as a list.
pub(super) fn problems(approvals: &[Approval]) -> Vec<FieldError> {
    let mut problems = Problems::default();
    check(approvals, &mut problems);
    problems.into_vec()
}

fn write_signature<S: serde::Serializer>(signature: &Signature, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&hex::encode(signature.as_bytes()))
}

fn read_signature<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Signature, D::Error> {
    hex_exact(&String::deserialize(deserializer)?)
        .map(|bytes: [u8; 64]| Signature::from_bytes(bytes))
        .map_err(serde::de::Error::custom)
}
