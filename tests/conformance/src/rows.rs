//! What is asked of a witness. An ID that witness/README.md has too means the same thing there; a letter after it is another aspect.

/// How strongly the specification asks (RFC 2119), or that it leaves it open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// A deviation is a violation.
    Must,
    /// A deviation needs a reason.
    Should,
    /// The specification leaves it open; what is expected is what most witnesses do.
    May,
}

impl Level {
    /// As the specification writes it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Must => "MUST",
            Self::Should => "SHOULD",
            Self::May => "MAY",
        }
    }
}

/// One thing that is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its name.
    pub id: &'static str,
    /// How strongly.
    pub level: Level,
    /// The section of c2sp.org/tlog-witness, or of the document that is named.
    pub section: &'static str,
    /// What is sent.
    pub when: &'static str,
    /// What is to come back.
    pub expected: &'static str,
}

const fn row(id: &'static str, level: Level, section: &'static str, when: &'static str, expected: &'static str) -> Row {
    Row { id, level, section, when, expected }
}

const ADD: &str = "add-checkpoint";
const TREE: &str = "sign-subtree";
const MONITOR: &str = "Monitor Retrieval";
const HTTP: &str = "HTTP Interface";
const COSIGNATURE: &str = "tlog-cosignature, Format";
const NOT_SAID: &str = "not specified";

use Level::{May, Must, Should};

/// Every row, in the order of a report.
pub const ROWS: &[Row] = &[
    // The specification says what a request has to be, and of most rows not with which status another one is refused.
    row("A1", Must, ADD, "the body does not begin with `old <size>`", "refused (4xx)"),
    row("A2", Must, ADD, "the old size has a sign, a leading zero, a space, or 2^64", "refused (4xx)"),
    row("A3", Must, ADD, "a proof line is not base64 of 32 bytes", "refused (4xx)"),
    row("A3b", May, "RFC 4648 §3.5", "a proof line whose unused bits are set", "refused (4xx)"),
    row("A4", Should, ADD, "64 proof lines", "refused with 400"),
    row("A4b", Must, ADD, "63 proof lines that prove nothing", "read, and refused with 422"),
    row("A5", Must, ADD, "no empty line after the proof", "refused (4xx)"),
    row("A6", Must, ADD, "what follows is not a signed checkpoint", "refused (4xx)"),
    row("A6b", Must, ADD, "every line ends with CR LF", "refused (4xx)"),
    row("A6c", Must, ADD, "something after the last signature line, or no newline after it", "refused (4xx)"),
    row("A7", May, NOT_SAID, "a body of 2 MiB", "refused, or not read to its end"),
    row("A7b", Should, ADD, "sixteen ML-DSA-44 lines of unknown keys, 52 KiB", "200"),
    row("A8", Must, ADD, "GET, PUT or DELETE instead of POST", "405, 501 or 404"),
    row("A9", Should, NOT_SAID, "any of A1 to A6", "the status is 400"),
    row("B1", Must, ADD, "the origin is unknown, whoever signed", "404"),
    row("C1", Must, ADD, "no line of a trusted key of that origin", "403"),
    row("C2", Must, ADD, "the only line of a trusted key does not verify", "403"),
    row(
        "C2b",
        Must,
        ADD,
        "a line of a trusted key does not verify, before or after a good one",
        "403, or 400 as two lines of one key",
    ),
    row("C3", Must, ADD, "lines of unknown keys, also under the log's and the witness's names", "ignored: 200"),
    row(
        "C3b",
        Must,
        ADD,
        "a forged line under the witness's own name and key ID",
        "ignored: 200, and later requests too",
    ),
    row("C4", Should, NOT_SAID, "the log's line twice (C2SP pull request 327)", "refused (4xx)"),
    row("D1", Must, ADD, "the old size, the one cosigned last, is above the checkpoint's", "400"),
    row("O1", Should, ADD, "no trusted line, and sizes that are wrong too", "403 before 400 and 409"),
    row("O2", Should, ADD, "an old size above the checkpoint's that was not cosigned last either", "400 before 409"),
    row("O3", Should, ADD, "an old size that is not the last, and a proof that does not hold", "409 before 422"),
    row("E1", Must, ADD, "the old size is not the one cosigned last", "409"),
    row("E1b", Must, ADD, "the same", "`Content-Type: text/x.tlog.size`"),
    row("E1c", Must, ADD, "the same", "the size cosigned last and a newline, nothing else"),
    row("E2", Must, ADD, "the same before the first cosignature", "409 with the size 0"),
    row("F1", Must, ADD, "size 0 with another root than the empty tree's", "422"),
    row("F2", Must, ADD, "a proof from old size 0", "422"),
    row("F3", Must, ADD, "a proof that is empty, short, long, or has a hash changed", "422"),
    row("F4", Must, ADD, "the size cosigned last, with another root", "422"),
    row("F5", Should, "RFC 6962 §2.1.2", "a proof between equal sizes", "422"),
    row("F6", Must, ADD, "a proof that holds, from another root than the one cosigned last", "422"),
    row("F7", Must, ADD, "the honest history goes on after these", "200"),
    row("G1", Must, ADD, "the first checkpoint of a log, without a proof", "200"),
    row("G2", Must, ADD, "growth with valid proofs, through many sizes", "200"),
    row("G3", Must, ADD, "the same checkpoint again", "200"),
    row("G3b", Should, COSIGNATURE, "the same, more than a second later", "a later time"),
    row("G4", Must, ADD, "the empty tree", "200"),
    row("G5", Must, "tlog-checkpoint, Note text", "a checkpoint with extension lines", "200"),
    row("G6", Should, ADD, "any of these", "a line of each of the keys that were named"),
    row("G6b", Should, ADD, "any of these", "an ML-DSA-44 line among them"),
    row("G7", May, ADD, "a log that signs with ML-DSA-44, if it is configured", "200"),
    row("G8", Must, ADD, "any answer 200", "signature lines and nothing else"),
    row("G9", Must, ADD, "any answer 200", "a line of a named key, and each such line verifies over the whole tree"),
    row("G10", Must, ADD, "any answer 200", "the time is not 0"),
    row("G11", Should, COSIGNATURE, "answers for one log, in turn", "the time does not go back"),
    row("G12", Should, COSIGNATURE, "any answer 200", "the time is this machine's within five minutes"),
    row("K1", Should, HTTP, "two requests on one connection", "both are answered"),
    row("K2", Should, HTTP, "a request after a refused one on the same connection", "both are answered"),
    row(
        "P2",
        Must,
        ADD,
        "16 requests of two histories at once, for a log without one",
        "one 200; every later answer agrees with it",
    ),
    row("P2b", Must, ADD, "16 requests from one size to several at once", "one 200; the size is the one that it gave"),
    row("M1", Must, MONITOR, "GET /<origin hash>/checkpoint of a log that was never cosigned or is unknown", "404"),
    row("M2", Should, MONITOR, "the same of a log that was cosigned", "200"),
    row("M2b", Must, MONITOR, "the same", "its checkpoint, with the log's line and the witness's, all of which verify"),
    row("M3", May, MONITOR, "the same, just after a cosignature", "the checkpoint of that cosignature"),
    row(
        "M4",
        May,
        NOT_SAID,
        "the same, when unknown keys have signed too",
        "only lines that the witness has verified or made",
    ),
    row("H1", Must, TREE, "the body is not range, hash, proof, empty line and checkpoint", "400"),
    row("H2", Must, TREE, "the range is no subtree, or ends beyond the checkpoint", "400"),
    row("H3", Must, TREE, "the origin is unknown", "404"),
    row("H4", Must, TREE, "no cosignature of the witness on the checkpoint, or a forged one", "403"),
    row("H5", Must, TREE, "the proof does not verify", "422"),
    row("H6", Must, TREE, "all of it holds", "200, lines that verify over the part with the time 0"),
];

/// The row with an ID.
pub fn find(id: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_rows_have_one_name() {
        for (index, row) in ROWS.iter().enumerate() {
            assert_eq!(ROWS.iter().position(|other| other.id == row.id), Some(index), "{}", row.id);
        }
    }

    #[test]
    fn rows_that_the_witness_s_own_table_has_are_in_it() {
        let table = include_str!("../../../witness/README.md");
        for row in ROWS.iter().filter(|row| "ABCDEFGHM".contains(&row.id[..1]) && row.id.len() == 2) {
            let ours = ["A9", "F7", "G8", "G9", "M3", "M4"].contains(&row.id);
            assert_eq!(table.contains(&format!("\n| {} |", row.id)), !ours, "{}", row.id);
        }
    }
}
