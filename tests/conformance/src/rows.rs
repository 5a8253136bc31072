//! What is asked of a witness. An ID that witness/README.md has too means the same thing there; a letter after it is another aspect.

use stele_probe::row::Level::{May, Must, Should};
use stele_probe::row::{Row, Table};

/// c2sp.org/tlog-witness.
pub const TABLE: Table = Table::new("witness", "c2sp.org/tlog-witness", ROWS);

const ADD: &str = "add-checkpoint";
const TREE: &str = "sign-subtree";
const MONITOR: &str = "Monitor Retrieval";
const HTTP: &str = "HTTP Interface";
const COSIGNATURE: &str = "tlog-cosignature, Format";
const NOT_SAID: &str = "not specified";

const ROWS: &[Row] = &[
    // The specification says what a request has to be, and of most rows not with which status another one is refused.
    Row::new("A1", Must, ADD, "the body does not begin with `old <size>`", "refused (4xx)"),
    Row::new("A2", Must, ADD, "the old size has a sign, a leading zero, a space, or 2^64", "refused (4xx)"),
    Row::new("A3", Must, ADD, "a proof line is not base64 of 32 bytes", "refused (4xx)"),
    Row::new("A3b", May, "RFC 4648 §3.5", "a proof line whose unused bits are set", "refused (4xx)"),
    Row::new("A4", Should, ADD, "64 proof lines", "refused with 400"),
    Row::new("A4b", Must, ADD, "63 proof lines that prove nothing", "read, and refused with 422"),
    Row::new("A5", Must, ADD, "no empty line after the proof", "refused (4xx)"),
    Row::new("A6", Must, ADD, "what follows is not a signed checkpoint", "refused (4xx)"),
    Row::new("A6b", Must, ADD, "every line ends with CR LF", "refused (4xx)"),
    Row::new("A6c", Must, ADD, "something after the last signature line, or no newline after it", "refused (4xx)"),
    Row::new("A7", May, NOT_SAID, "a body of 2 MiB", "refused, or not read to its end"),
    Row::new("A7b", Should, ADD, "sixteen ML-DSA-44 lines of unknown keys, 52 KiB", "200"),
    Row::new("A8", May, NOT_SAID, "GET, PUT or DELETE instead of POST", "405, 501 or 404"),
    Row::new("A9", Should, NOT_SAID, "any of A1 to A6", "the status is 400"),
    Row::new("B1", Must, ADD, "the origin is unknown, whoever signed", "404"),
    Row::new("C1", Must, ADD, "no line of a trusted key of that origin", "403"),
    Row::new("C2", Must, ADD, "the only line of a trusted key does not verify", "403"),
    Row::new(
        "C2b",
        Must,
        ADD,
        "a line of a trusted key does not verify, before or after a good one",
        "403, or 400 as two lines of one key",
    ),
    Row::new("C3", Must, ADD, "lines of unknown keys, also under the log's and the witness's names", "ignored: 200"),
    Row::new(
        "C3b",
        Must,
        ADD,
        "a forged line under the witness's own name and key ID",
        "ignored: 200, and later requests too",
    ),
    Row::new("C4", Should, NOT_SAID, "the log's line twice (C2SP pull request 327)", "refused (4xx)"),
    Row::new("D1", Must, ADD, "the old size, the one cosigned last, is above the checkpoint's", "400"),
    Row::new("O1", Should, ADD, "no trusted line, and sizes that are wrong too", "403 before 400 and 409"),
    Row::new(
        "O2",
        Should,
        ADD,
        "an old size above the checkpoint's that was not cosigned last either",
        "400 before 409",
    ),
    Row::new("O3", Should, ADD, "an old size that is not the last, and a proof that does not hold", "409 before 422"),
    Row::new("E1", Must, ADD, "the old size is not the one cosigned last", "409"),
    Row::new("E1b", Must, ADD, "the same", "`Content-Type: text/x.tlog.size`"),
    Row::new("E1c", Must, ADD, "the same", "the size cosigned last and a newline, nothing else"),
    Row::new("E2", Must, ADD, "the same before the first cosignature", "409 with the size 0"),
    Row::new("F1", Must, ADD, "size 0 with another root than the empty tree's", "422"),
    Row::new("F2", Must, ADD, "a proof from old size 0", "422"),
    Row::new("F3", Must, ADD, "a proof that is empty, short, long, or has a hash changed", "422"),
    Row::new("F4", Must, ADD, "the size cosigned last, with another root", "422"),
    Row::new("F5", Should, "RFC 6962 §2.1.2", "a proof between equal sizes", "422"),
    Row::new("F6", Must, ADD, "a proof that holds, from another root than the one cosigned last", "422"),
    Row::new("F7", Must, ADD, "the honest history goes on after these", "200"),
    Row::new("G1", Must, ADD, "the first checkpoint of a log, without a proof", "200"),
    Row::new("G2", Must, ADD, "growth with valid proofs, through many sizes", "200"),
    Row::new("G3", Must, ADD, "the same checkpoint again", "200"),
    Row::new("G3b", Should, COSIGNATURE, "the same, more than a second later", "a later time"),
    Row::new("G4", Must, ADD, "the empty tree", "200"),
    Row::new("G5", Must, "tlog-checkpoint, Note text", "a checkpoint with extension lines", "200"),
    Row::new("G6", Should, ADD, "any of these", "a line of each of the keys that were named"),
    Row::new("G6b", Should, ADD, "any of these", "an ML-DSA-44 line among them"),
    Row::new("G7", May, ADD, "a log that signs with ML-DSA-44, if it is configured", "200"),
    Row::new("G8", Must, ADD, "any answer 200", "signature lines and nothing else"),
    Row::new(
        "G9",
        Must,
        ADD,
        "any answer 200",
        "a line of a named key, and each such line verifies over the whole tree",
    ),
    Row::new("G10", Must, ADD, "any answer 200", "the time is not 0"),
    Row::new("G11", Should, COSIGNATURE, "answers for one log, in turn", "the time does not go back"),
    Row::new("G12", Should, COSIGNATURE, "any answer 200", "the time is this machine's within five minutes"),
    Row::new("K1", Should, HTTP, "two requests on one connection", "both are answered"),
    Row::new("K2", Should, HTTP, "a request after a refused one on the same connection", "both are answered"),
    Row::new(
        "P2",
        Must,
        ADD,
        "16 requests of two histories at once, for a log without one",
        "one 200; every later answer agrees with it",
    ),
    Row::new(
        "P2b",
        Must,
        ADD,
        "16 requests from one size to several at once",
        "one 200; the size is the one that it gave",
    ),
    Row::new(
        "M1",
        Must,
        MONITOR,
        "GET /<origin hash>/checkpoint of a log that was never cosigned or is unknown",
        "404",
    ),
    Row::new("M2", Should, MONITOR, "the same of a log that was cosigned", "200"),
    Row::new(
        "M2b",
        Must,
        MONITOR,
        "the same",
        "its checkpoint, with the log's line and the witness's, all of which verify",
    ),
    Row::new("M3", May, MONITOR, "the same, just after a cosignature", "the checkpoint of that cosignature"),
    Row::new(
        "M4",
        May,
        NOT_SAID,
        "the same, when unknown keys have signed too",
        "only lines that the witness has verified or made",
    ),
    Row::new("H1", Must, TREE, "the body is not range, hash, proof, empty line and checkpoint", "400"),
    Row::new("H2", Must, TREE, "the range is no subtree, or ends beyond the checkpoint", "400"),
    Row::new("H3", Must, TREE, "the origin is unknown", "404"),
    Row::new("H4", Must, TREE, "no cosignature of the witness on the checkpoint, or a forged one", "403"),
    Row::new("H5", Must, TREE, "the proof does not verify", "422"),
    Row::new("H6", Must, TREE, "all of it holds", "200, lines that verify over the part with the time 0"),
];
