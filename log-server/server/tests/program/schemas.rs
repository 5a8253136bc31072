//! The table of documents in the program is that of `docs/schemas/stele-log`.

use std::collections::BTreeSet;

use stele_schemas::catalogue;

#[test]
fn every_document_of_the_program_has_a_file_and_every_file_a_document() {
    let table: BTreeSet<String> = stele_log::schema::ALL.iter().map(|schema| schema.name().to_owned()).collect();
    assert_eq!(table, catalogue::documents(Some("stele-log")).into_iter().collect());
}
