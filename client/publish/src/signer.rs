//! The key that signs, wherever it is: in this process, or in an ssh-agent that keeps it to itself.

use stele_explain::Failure;
use stele_spec::hash::KeyId;
use stele_spec::key::{PublicKey, SecretKey, Signature};
use stele_spec::statement::{SignedStatement, Statement, StatementError, UnsignedStatement};
use stele_ssh_agent::AgentKey;

use crate::publish_error::PublishError;

/// The keys at hand that sign a statement together: the first signs the envelope, the others approve.
#[derive(Debug)]
pub struct Signers {
    first: Signer,
    approvers: Vec<Signer>,
}

impl Signers {
    /// The first key, and those that approve.
    pub const fn new(first: Signer, approvers: Vec<Signer>) -> Self {
        Self { first, approvers }
    }

    /// The key that signs the envelope.
    pub const fn first(&self) -> &Signer {
        &self.first
    }

    /// Every key, the first one first.
    pub fn all(&self) -> impl Iterator<Item = &Signer> {
        core::iter::once(&self.first).chain(&self.approvers)
    }

    /// Checks a statement and signs it with all of them.
    pub fn sign(&self, statement: &Statement) -> Result<SignedStatement, Failure> {
        let mut statement = statement.clone();
        for approver in &self.approvers {
            approver.approve(&mut statement)?;
        }
        self.first.sign(&statement)
    }
}

/// A publisher's key that signs.
#[derive(Debug)]
pub struct Signer {
    public: PublicKey,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Here(SecretKey),
    Agent(AgentKey),
}

impl From<SecretKey> for Signer {
    fn from(key: SecretKey) -> Self {
        Self { public: key.public(), place: Place::Here(key) }
    }
}

impl Signer {
    /// A key that an ssh-agent holds; `public` is what its signatures are verified with.
    pub fn in_agent(public: PublicKey, key: AgentKey) -> Self {
        Self { public, place: Place::Agent(key) }
    }

    /// The public key.
    pub fn public(&self) -> PublicKey {
        self.public
    }

    /// Names the key.
    pub fn key_id(&self) -> KeyId {
        self.public.key_id()
    }

    /// Checks a statement and signs it.
    pub fn sign(&self, statement: &Statement) -> Result<SignedStatement, Failure> {
        let unsigned = UnsignedStatement::new(statement, self.key_id()).map_err(PublishError::Statement)?;
        let signature = self.signature(&unsigned.to_be_signed())?;
        Ok(unsigned.signed(&signature).map_err(PublishError::Statement)?)
    }

    /// Approves a statement that another key signs.
    pub fn approve(&self, statement: &mut Statement) -> Result<(), Failure> {
        let bytes =
            statement.approved_bytes().map_err(|error| PublishError::Statement(StatementError::Payload(error)))?;
        let signature = self.signature(&bytes)?;
        statement.take_approval(self.key_id(), signature);
        Ok(())
    }

    /// A signature. What an agent gives is verified before anything is done with it.
    fn signature(&self, message: &[u8]) -> Result<Signature, Failure> {
        match &self.place {
            Place::Here(key) => Ok(key.sign(message)),
            Place::Agent(key) => {
                let signature = Signature::from_bytes(key.sign(message)?);
                self.public.verify(message, &signature).map_err(|_| key.wrong())?;
                Ok(signature)
            }
        }
    }
}
