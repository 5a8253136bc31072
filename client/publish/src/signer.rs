//! The key that signs, wherever it is: in this process, or in an ssh-agent that keeps it to itself.

use stele_explain::Failure;
use stele_spec::hash::KeyId;
use stele_spec::key::{PublicKey, SecretKey, Signature};
use stele_spec::statement::{PublisherClaim, SignedStatement, Statement, StatementError, UnsignedStatement};
use stele_ssh_agent::AgentKey;

use crate::publish_error::PublishError;

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

    /// Approves a claim or a change of keys that another key signs.
    pub fn approve(&self, statement: &mut PublisherClaim) -> Result<(), Failure> {
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
