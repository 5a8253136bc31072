//! Command lines as data: `tests/cli/*.trycmd` hold what is typed and what is printed, word for word.
//!
//! `TRYCMD=overwrite cargo test -p stele-tests --test documents` writes down what is printed now; read the difference.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use stele_harness::binaries::Binary;

#[test]
fn every_transcript_is_what_the_programs_print() {
    let cases = trycmd::TestCases::new();
    for binary in Binary::ALL {
        cases.register_bin(binary.name(), binary.path().unwrap());
    }
    cases.env("COLUMNS", "100").case("../cli/*.trycmd");
    cases.run();
}
