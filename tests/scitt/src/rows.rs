//! What is asked of a transparency service.

use stele_probe::row::Level::{May, Must, Should};
use stele_probe::row::{Row, Table};

/// The SCITT Reference APIs as their draft was in May 2026, with RFC 9942 (receipts) and RFC 9943 (architecture).
pub const TABLE: Table = Table::new("service", "draft-ietf-scitt-scrapi (2026-05), RFC 9942, RFC 9943", ROWS);

/// The rows that a receipt alone is judged by: C1 to C9.
pub const RECEIPTS: Table = Table::new("receipt", "RFC 9942, RFC 9943", ROWS.split_at(12).1.split_at(9).0);

const KEYS: &str = "Transparency Service Keys";
const KEY: &str = "Individual Transparency Service Key";
const REGISTER: &str = "Register Signed Statement";
const RESOLVE: &str = "Resolve Receipt";
const RESOURCES: &str = "Resources";
const CHECKS: &str = "RFC 9943, Mandatory Registration Checks";
const SIGNED: &str = "RFC 9943, Signed Statements";
const USAGE: &str = "RFC 9942, Usage";
const INCLUSION: &str = "RFC 9942, Receipt of Inclusion";
const NOT_SAID: &str = "not specified";

const ROWS: &[Row] = &[
    Row::new("K1", Must, KEYS, "GET /.well-known/scitt-keys", "200, `application/cbor`"),
    Row::new("K2", Must, KEYS, "the same", "a COSE_KeySet: an array of one COSE_Key or more"),
    Row::new("K3", Should, KEY, "each key in it", "a kid that is its thumbprint (RFC 9679)"),
    Row::new("K4", Must, KEY, "GET /.well-known/scitt-keys/<kid> of each", "200, `application/cbor`, that COSE_Key"),
    Row::new("K5", Must, KEY, "the same of a kid that no key has", "404"),
    Row::new(
        "R1",
        Must,
        REGISTER,
        "POST /entries of a signed statement",
        "its receipt, or a Location where it will be",
    ),
    Row::new("R1b", Should, REGISTER, "the same", "201 with the receipt, 303 with the Location alone"),
    Row::new("R2", Should, REGISTER, "any receipt", "`application/cose` or `application/scitt-receipt+cose`"),
    Row::new("R3", Must, RESOLVE, "GET of that Location, for as long as it is answered 302", "200 with the receipt"),
    Row::new("R4", Must, RESOLVE, "the same once more", "a receipt of the same statement"),
    Row::new("R5", Should, "Replay Attacks", "the same statement once more", "registered: a receipt of it"),
    Row::new(
        "R6",
        Must,
        "RFC 9943, Registration of Signed Statements",
        "a statement with something in its unprotected header",
        "refused, or logged with an empty one",
    ),
    Row::new("C1", Must, USAGE, "a receipt", "a COSE_Sign1 with the tag 18"),
    Row::new("C2", Must, INCLUSION, "its protected header", "alg (1), an integer"),
    Row::new("C3", Must, INCLUSION, "its protected header", "vds (395), an integer"),
    Row::new("C4", Must, SIGNED, "its protected header", "CWT claims (15) with iss (1) and sub (2), both text"),
    Row::new("C5", Must, SIGNED, "its protected header", "kid (4), where there is neither x5t nor x5chain"),
    Row::new("C6", Must, KEYS, "its kid", "that of a key of /.well-known/scitt-keys"),
    Row::new(
        "C7",
        Must,
        INCLUSION,
        "its unprotected header",
        "vdp (396) with one inclusion proof or more: size, index below it, path",
    ),
    Row::new("C8", Should, "RFC 9942, Profiles", "its payload", "detached (nil)"),
    Row::new("C9", Must, INCLUSION, "its path, from the statement", "a root that the key of this kid has signed"),
    Row::new("E1", Must, RESOURCES, "POST /entries of what is no CBOR", "refused (4xx or 5xx)"),
    Row::new("E2", Must, CHECKS, "a statement whose payload was changed after it was signed", "refused (4xx or 5xx)"),
    Row::new("E3", Must, CHECKS, "one whose signature was changed", "refused (4xx or 5xx)"),
    Row::new("E4", Must, CHECKS, "one whose protected header was changed", "refused (4xx or 5xx)"),
    Row::new("E5", Must, REGISTER, "one whose payload is detached and not to be had", "refused (4xx or 5xx)"),
    Row::new("E6", Must, SIGNED, "one that is signed well and has no CWT claims", "refused (4xx or 5xx)"),
    Row::new("E7", Must, REGISTER, "one of an algorithm that nobody has", "refused (4xx or 5xx)"),
    Row::new("E8", May, NOT_SAID, "a body of 2 MiB that is no statement", "refused (4xx), or not read to its end"),
    Row::new("E9", May, "RFC 9110 §15.5.16", "a statement as application/json", "415"),
    Row::new("L1", Should, RESOLVE, "GET /entries/<id> of an entry that is not there", "refused (4xx)"),
    Row::new("P1", Must, RESOURCES, "any of these refusals", "`application/concise-problem-details+cbor`"),
    Row::new("P2", Must, RESOURCES, "the same", "a map with a title (-1) and a detail (-2), both text"),
    Row::new(
        "N1",
        May,
        "RFC 9943, Media Types",
        "a receipt, asked for as application/scitt-receipt+cose",
        "in that type",
    ),
    Row::new("N2", Should, REGISTER, "a statement, with `Accept: */*`", "as with application/cose: a receipt"),
    Row::new("N3", Must, RESOURCES, "a refusal, with `Accept: */*`", "a problem, as above"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_is_judged_by_the_rows_that_are_about_it() {
        let of_receipts: Vec<_> = ROWS.iter().filter(|row| row.id.starts_with('C')).copied().collect();
        assert_eq!(RECEIPTS.rows, of_receipts);
    }
}
