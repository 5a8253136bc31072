//! What the rules across statements remember, from the rows on disk.

use stele_spec::finding::{Counts, Findings, Known, Memory, Reported, Table};
use stele_spec::hash::Digest;

use crate::store::{Changes, Snapshot, StoreError, key, to_json};

impl Memory for Snapshot {
    type Error = StoreError;

    fn release(&self, number: usize) -> Result<Option<Known>, StoreError> {
        self.json(&row(b'R', number))
    }

    fn incident(&self, number: usize) -> Result<Option<Reported>, StoreError> {
        self.json(&row(b'I', number))
    }

    fn number(&self, table: Table, digest: &Digest) -> Result<Option<usize>, StoreError> {
        let number = Self::number(self, &key(tag(table), digest.as_bytes()))?;
        Ok(number.and_then(|number| usize::try_from(number).ok()))
    }
}

/// Where the rules were.
pub(crate) fn open(rows: &Snapshot) -> Result<Findings, StoreError> {
    Ok(Findings::begin(rows.json::<Counts>(&key(b'm', "findings"))?.unwrap_or_default()))
}

/// Sets everything down that the rules hold, and lets go of it.
pub(crate) fn set_down(findings: &mut Findings, changes: &mut Changes) -> Result<(), StoreError> {
    changes.insert(key(b'm', "findings"), to_json(&findings.counts())?);
    for (number, known) in findings.releases() {
        changes.insert(row(b'R', number), to_json(known)?);
    }
    for (number, reported) in findings.incidents() {
        changes.insert(row(b'I', number), to_json(reported)?);
    }
    for (table, digest, number) in findings.numbers() {
        changes.insert(key(tag(table), digest.as_bytes()), (number as u64).to_be_bytes().to_vec());
    }
    *findings = Findings::begin(findings.counts());
    Ok(())
}

fn row(tag: u8, number: usize) -> Vec<u8> {
    key(tag, (number as u64).to_be_bytes())
}

fn tag(table: Table) -> u8 {
    match table {
        Table::Name => b'N',
        Table::Weights => b'W',
        Table::File => b'F',
        Table::Incident => b'J',
    }
}
