//! A signed statement with receipts in its unprotected header (RFC 9943 §7).

use super::error::{Part, ReceiptError};
use super::foreign::ForeignReceipt;
use super::items::{Items, Label};
use super::limits::{MAX_RECEIPT, MAX_RECEIPTS, MAX_TRANSPARENT};
use super::log_receipt::{Receipt, check};
use crate::canonical::{Head, Writer};
use crate::policy::{Policy, TrustedCheckpoint};
use crate::proof::Proven;
use crate::statement::SignedStatement;

/// Receipts (RFC 9942).
const RECEIPTS: u64 = 394;

/// A statement and its receipts, as they came: neither its signature nor a receipt is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransparentStatement {
    statement: SignedStatement,
    receipts: Vec<Vec<u8>>,
}

/// A statement that is in a log of the policy, by its receipt. Only [`TransparentStatement::check`] makes one.
///
/// That it is by its publisher is checked by the log and not here: the key history is not in a transparent statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenStatement<'a> {
    entry: Proven<&'a [u8]>,
    head: TrustedCheckpoint,
}

impl ProvenStatement<'_> {
    /// The statement as an entry of the log.
    pub const fn entry(&self) -> &Proven<&[u8]> {
        &self.entry
    }

    /// The checkpoint of its receipt.
    pub const fn head(&self) -> &TrustedCheckpoint {
        &self.head
    }
}

impl TransparentStatement {
    /// Puts one together; none without a receipt, or with more than [`MAX_RECEIPTS`].
    pub fn new(statement: SignedStatement, receipts: Vec<Vec<u8>>) -> Result<Self, ReceiptError> {
        let found = receipts.len() as u64;
        if !(1..=MAX_RECEIPTS).contains(&found) {
            return Err(ReceiptError::Receipts { found });
        }
        match receipts.iter().find(|receipt| receipt.len() > MAX_RECEIPT) {
            Some(receipt) => Err(ReceiptError::TooLong { limit: MAX_RECEIPT, found: receipt.len() }),
            None => Ok(Self { statement, receipts }),
        }
    }

    /// Whether bytes may be one: a `COSE_Sign1` whose unprotected header begins with receipts. [`Self::parse`] says what is wrong with it.
    pub fn looks_like(bytes: &[u8]) -> bool {
        let mut items = Items::new(Part::Statement, bytes);
        items.cose_sign1().is_ok()
            && items.bytes().is_ok()
            && matches!(items.head(), Ok(Head::Map(1..)))
            && matches!(items.head(), Ok(Head::Unsigned(RECEIPTS)))
    }

    /// Reads the one encoding of a transparent statement; each receipt as it came.
    pub fn parse(bytes: &[u8]) -> Result<Self, ReceiptError> {
        if bytes.len() > MAX_TRANSPARENT {
            return Err(ReceiptError::TooLong { limit: MAX_TRANSPARENT, found: bytes.len() });
        }
        let mut items = Items::new(Part::Statement, bytes);
        items.cose_sign1()?;
        let protected = items.bytes()?;
        let mut receipts = Vec::new();
        let mut others = false;
        items.map(|label, items| match label {
            Label::Unsigned(RECEIPTS) => {
                let found = items.array()?;
                if !(1..=MAX_RECEIPTS).contains(&found) {
                    return Err(ReceiptError::Receipts { found });
                }
                (0..found).try_for_each(|_| items.bytes().map(|receipt| receipts.push(receipt.to_vec())))
            }
            _ => {
                others = true;
                items.skip()
            }
        })?;
        let (payload, signature) = (items.bytes()?, items.bytes()?);
        items.end()?;
        let mut statement = Writer::default();
        statement.tag(18);
        statement.array(4);
        statement.bytes(protected);
        statement.map(0);
        statement.bytes(payload);
        statement.bytes(signature);
        let statement = SignedStatement::parse(&statement.into_bytes()).map_err(ReceiptError::NotAStatement)?;
        let read = Self::new(statement, receipts)?;
        if !others && read.to_bytes() == bytes { Ok(read) } else { Err(ReceiptError::NotReproduced) }
    }

    /// The bytes: `to_bytes(parse(x)) == x`.
    pub fn to_bytes(&self) -> Vec<u8> {
        // What stands before the unprotected header and behind it is the statement's own.
        let (before, after) = self.around();
        let mut header = Writer::default();
        header.map(1);
        header.unsigned(RECEIPTS);
        header.array(self.receipts.len() as u64);
        for receipt in &self.receipts {
            header.bytes(receipt);
        }
        [before, &header.into_bytes(), after].concat()
    }

    /// The statement: its bytes are the log's entry.
    pub const fn statement(&self) -> &SignedStatement {
        &self.statement
    }

    /// The receipts.
    pub fn receipts(&self) -> &[Vec<u8>] {
        &self.receipts
    }

    /// Checks the receipts of the logs that the policy knows: at least one, and none of them may fail. Those of others are not judged.
    pub fn check(&self, policy: &Policy) -> Result<ProvenStatement<'_>, ReceiptError> {
        let (mut proven, mut unread) = (None, None);
        for receipt in &self.receipts {
            match Receipt::parse(receipt) {
                Ok(receipt) if is_known(receipt.origin(), policy) => {
                    let entry = check(&receipt, self.statement.bytes(), policy)?;
                    let note = receipt.proof().checkpoint().clone();
                    // The note is that of the head: the proof was checked with it.
                    if let Some(head) = TrustedCheckpoint::of(entry.head().clone(), note) {
                        proven.get_or_insert(ProvenStatement { entry, head });
                    }
                }
                Ok(_) => {}
                // A service of another kind has receipts of its own; one that names a log of the policy must be that log's.
                Err(error) => match ForeignReceipt::parse(receipt) {
                    Ok(foreign) if foreign.subject().is_some_and(|origin| is_known(origin, policy)) => {
                        return Err(error);
                    }
                    Ok(_) => {}
                    Err(_) => _ = unread.get_or_insert(error),
                },
            }
        }
        proven.ok_or_else(|| unread.unwrap_or(ReceiptError::NoKnownLog { receipts: self.receipts.len() }))
    }

    /// The statement's bytes before and behind its empty unprotected header.
    fn around(&self) -> (&[u8], &[u8]) {
        let bytes = self.statement.bytes();
        let mut items = Items::new(Part::Statement, bytes);
        let before = items.cose_sign1().and_then(|()| items.bytes()).map_or(0, |_| items.at());
        let (before, after) = bytes.split_at_checked(before).unwrap_or((bytes, &[]));
        (before, after.get(1..).unwrap_or_default())
    }
}

fn is_known(origin: &str, policy: &Policy) -> bool {
    policy.logs().iter().any(|log| log.key.name().as_str() == origin)
}
