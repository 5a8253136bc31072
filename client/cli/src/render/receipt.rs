//! What a COSE receipt says, and a statement that carries some. Nothing is verified.

use serde_json::{Value, json};
use stele_spec::receipt::{ForeignReceipt, Receipt, TransparentStatement, issuer};

use super::page::{Page, printable};

/// A receipt, of a log of this project or of another service.
pub(crate) fn page(bytes: &[u8]) -> (Page, Value) {
    let mut page = Page::titled("a COSE receipt (RFC 9942)");
    let json = match (Receipt::parse(bytes), ForeignReceipt::parse(bytes)) {
        (Ok(receipt), _) => {
            page.row("log", &receipt.origin());
            page.row("entry", &receipt.index());
            page.row("tree size", &receipt.size());
            page.row("key id", &receipt.kid());
            page.row(
                "signed",
                &format!(
                    "{} signature lines in its checkpoint, the log's among them",
                    receipt.proof().checkpoint().signatures().len()
                ),
            );
            json!({
                "kind": "receipt", "origin": receipt.origin(), "issuer": issuer(receipt.origin()), "subject": receipt.origin(),
                "entry": receipt.index(), "tree_size": receipt.size(), "cose_key_id": receipt.kid().to_string(),
            })
        }
        (Err(_), Ok(foreign)) => {
            page.row("of", &"another service: no witness is in it");
            page.maybe("issuer", foreign.issuer().map(printable).as_ref());
            page.maybe("subject", foreign.subject().map(printable).as_ref());
            page.row("entry", &format!("{}, which is not signed", foreign.index()));
            page.row("tree size", &format!("{}, which is not signed", foreign.size()));
            json!({
                "kind": "receipt", "origin": null, "issuer": foreign.issuer(), "subject": foreign.subject(),
                "entry": foreign.index(), "tree_size": foreign.size(), "cose_key_id": foreign.kid().map(hex),
            })
        }
        (Err(error), Err(_)) => {
            page.row("not read", &error);
            json!({ "error": error.to_string() })
        }
    };
    (page, json)
}

/// A transparent statement: the page of its statement, and its receipts.
pub(crate) fn transparent_page(found: &TransparentStatement, statement: (Page, Value)) -> (Page, Value) {
    let (mut shown, statement) = (Page::titled("a transparent statement (RFC 9943)"), statement);
    shown.0.push_str(&statement.0.0);
    let receipts: Vec<Value> = found
        .receipts()
        .iter()
        .enumerate()
        .map(|(number, bytes)| {
            shown.section(&format!("receipt {number}"));
            let (inner, json) = page(bytes);
            shown.0.push_str(&inner.0);
            json
        })
        .collect();
    (shown, json!({ "kind": "transparent-statement", "statement": statement.1, "receipts": receipts }))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
