//! A statement and those who approve it: what their keys sign, and whether they did.

use super::{Approval, Statement, VerifyError, approval, approved_bytes};
use crate::canonical::CanonicalError;
use crate::hash::{Digest, KeyId};
use crate::key::{PublicKey, SecretKey, Signature};

impl Statement {
    /// The same, approved by nobody.
    #[must_use]
    pub fn without_approvals(&self) -> Self {
        let mut plain = self.clone();
        plain.approvals_mut().clear();
        plain
    }

    /// The same, without the approval of one key.
    #[must_use]
    pub fn without_approval(&self, kid: &KeyId) -> Self {
        let mut other = self.clone();
        other.approvals_mut().retain(|approval| approval.kid != *kid);
        other
    }

    /// Names what is approved: the SHA-256 of the payload without approvals.
    pub fn approved_digest(&self) -> Result<Digest, CanonicalError> {
        Ok(Digest::of(&self.without_approvals().payload()?))
    }

    /// What approvals were used for, if there are any and nothing else keeps them from being used again: a change of keys names the key
    /// statement before it.
    pub fn used_approvals(&self) -> Option<Digest> {
        match self {
            Self::Publisher(_) => None,
            _ if self.approvals().is_empty() => None,
            _ => self.approved_digest().ok(),
        }
    }

    /// What an approving key signs: `"stele/key-approval@v1\n" || hex(SHA-256(payload without approvals)) || "\n"`.
    pub fn approved_bytes(&self) -> Result<Vec<u8>, CanonicalError> {
        Ok(approved_bytes(self.approved_digest()?))
    }

    /// Approves the statement with one more key. Nothing else of it may change after that.
    pub fn approve(&mut self, key: &SecretKey) -> Result<(), CanonicalError> {
        let signature = key.sign(&self.approved_bytes()?);
        self.take_approval(key.public().key_id(), signature);
        Ok(())
    }

    /// Takes the signature of a key over [`Statement::approved_bytes`], which the caller has verified; of each key one.
    pub fn take_approval(&mut self, kid: KeyId, signature: Signature) {
        approval::take(self.approvals_mut(), kid, signature);
    }

    /// Verifies every approval, strictly, under the keys that a lookup gives.
    pub fn verify_approvals(&self, key: impl Fn(&KeyId) -> Option<PublicKey>) -> Result<(), VerifyError> {
        let Some(first) = self.approvals().first() else { return Ok(()) };
        let bytes = self.approved_bytes().map_err(|_| VerifyError::BadSignature { kid: first.kid })?;
        for Approval { kid, signature } in self.approvals() {
            let good = key(kid).is_some_and(|key| key.verify(&bytes, signature).is_ok());
            if !good {
                return Err(VerifyError::BadSignature { kid: *kid });
            }
        }
        Ok(())
    }
}
