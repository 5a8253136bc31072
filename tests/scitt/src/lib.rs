#![doc = include_str!("../README.md")]

pub mod item;
pub mod keys;
pub mod receipt;
pub mod rows;
pub mod statement;
pub mod suite;
pub mod tree;
pub mod wrong;

pub use suite::run;

use stele_probe::failure::{Failure, Step};
use stele_probe::report::Report;

/// Judges a receipt in a file.
pub fn judge_receipt(name: &str, receipt: &[u8], statement: &item::Sign1, keys: &[u8]) -> Step<Report> {
    let mut report = Report::new(&rows::RECEIPTS, name.to_owned());
    let keys = item::parse(keys).and_then(|keys| match keys {
        one @ ciborium::Value::Map(_) => Some(vec![keys::CoseKey::new(one)?]),
        set => keys::CoseKey::set(set),
    });
    let keys = keys.ok_or_else(|| Failure::new("the keys are neither a COSE_Key nor a COSE_KeySet"))?;
    let outcome = receipt::judge(receipt, statement, &keys, &mut report);
    report.tell("C9", outcome);
    Ok(report)
}
