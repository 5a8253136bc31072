#![doc = include_str!("../../text/receipt.md")]

mod limits;

mod error;
mod key;
mod problem;

mod items;
mod wire;

mod root_signature;

mod foreign;
mod log_receipt;

mod transparent;

pub use error::{Part, ReceiptError};
pub use foreign::{ForeignReceipt, SignedInclusion};
pub use key::{cose_key, cose_key_set, thumbprint, url_form};
pub use limits::{MAX_HEADERS, MAX_RECEIPT, MAX_RECEIPTS, MAX_TRANSPARENT};
pub use log_receipt::{Receipt, check};
pub use problem::{PROBLEM_MEDIA_TYPE, problem_details};
pub use root_signature::{RootSignature, issuer};
pub use transparent::{ProvenStatement, TransparentStatement};
pub use wire::CHECKPOINT;

/// The media type of a receipt (RFC 9943 §10.3).
pub const MEDIA_TYPE: &str = "application/scitt-receipt+cose";

/// The media type of a signed statement, transparent or not (RFC 9943 §10.3).
pub const STATEMENT_MEDIA_TYPE: &str = "application/scitt-statement+cose";
