//! The rules of an auditor, on any statement and on the files that rules read.

use stele_spec::finding::{Entries, Findings, code_in_config, compare_license_text};
use stele_spec::hash::Digest;
use stele_spec::manifest::Manifest;
use stele_spec::statement::{SignedStatement, Statement};

/// A log whose every entry is this statement.
struct Same<'a>(&'a Statement);

impl Entries for Same<'_> {
    fn statement(&self, _: u64) -> Option<Statement> {
        Some(self.0.clone())
    }

    fn manifest(&self, _: &Digest) -> Option<Manifest> {
        None
    }
}

/// One input.
pub fn run(data: &[u8]) {
    for name in ["config.json", "model_index.json", "modules.json"] {
        if let Ok(path) = name.parse() {
            let _ = code_in_config(&path, data, |_| true);
        }
    }
    let _ = compare_license_text("MIT OR Apache-2.0", data);
    let signed = SignedStatement::parse(data).map(|signed| signed.statement().clone());
    if let Ok(statement) = signed.or_else(|_| Statement::from_payload(data)) {
        let mut auditor = Findings::default();
        for position in 0..3 {
            assert!(auditor.observe(position, &statement, None, &Same(&statement)).is_sorted());
        }
    }
}
