//! What is asked of a mirror.

use stele_probe::row::Level::{May, Must, Should};
use stele_probe::row::{Row, Table};

/// c2sp.org/tlog-mirror.
pub const TABLE: Table = Table::new("mirror", "c2sp.org/tlog-mirror", ROWS);

const CHECKPOINT: &str = "add-checkpoint";
const BODY: &str = "add-entries, Request Body";
const PROCESSING: &str = "add-entries, Processing";
const COPY: &str = "Introduction";
const RETENTION: &str = "Pruning and Retention Policies";

const ROWS: &[Row] = &[
    Row::new("J1", Must, CHECKPOINT, "a checkpoint that continues the pending one", "200"),
    Row::new("J2", Must, CHECKPOINT, "any answer to it", "no line of a key of the mirror"),
    Row::new("J3", Must, PROCESSING, "entries of an unknown log", "404"),
    Row::new("J4", Must, PROCESSING, "entries of a log that has no pending checkpoint", "422"),
    Row::new("J5", Must, PROCESSING, "the upload ends where no checkpoint is known", "409"),
    Row::new("J6", Must, PROCESSING, "the upload starts beyond the next entry", "409"),
    Row::new("J7", Must, PROCESSING, "the upload ends before the mirror's checkpoint", "409"),
    Row::new(
        "J8",
        Must,
        PROCESSING,
        "any answer 409 or 202",
        "`text/x.tlog.mirror-info`: size, next entry, ticket, a line each",
    ),
    Row::new("J9", Should, PROCESSING, "the same", "a size that an upload may end at: where it ended, if that is one"),
    Row::new("J10", Must, PROCESSING, "an entry or a hash is changed, or the entries are another history's", "422"),
    Row::new("J11", Must, PROCESSING, "the body breaks off in its head, or in its first package", "400"),
    Row::new("J12", Must, BODY, "a package with 64 hashes", "refused (4xx)"),
    Row::new(
        "J13",
        Must,
        PROCESSING,
        "the first package alone, or broken off in the second",
        "202, and the next entry after it",
    ),
    Row::new("J14", Must, COPY, "GET of the checkpoint while entries are missing", "none of that size"),
    Row::new("J15", Must, BODY, "the rest, with `Content-Encoding: gzip`", "200"),
    Row::new(
        "J16",
        Must,
        PROCESSING,
        "any answer 200",
        "signature lines, one at least of a key of the mirror that verifies",
    ),
    Row::new("J17", Should, BODY, "any answer", "`Accept-Encoding` with gzip"),
    Row::new("J18", Must, COPY, "GET of the checkpoint just after", "that size, with the log's line and the mirror's"),
    Row::new("J19", Must, COPY, "GET of the tiles and entries of that size", "the tree's"),
    Row::new(
        "J20",
        Must,
        RETENTION,
        "the first entries, where no retention policy is",
        "there: the minimum index is 0",
    ),
    Row::new("J21", Must, PROCESSING, "an empty upload at the mirror's size", "200"),
    Row::new("J22", May, PROCESSING, "the last entry once more", "200: it is skipped"),
    Row::new("J23", Should, PROCESSING, "an upload to the pending checkpoint before the last, with its ticket", "200"),
];
