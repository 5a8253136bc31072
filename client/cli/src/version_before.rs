//! What a release changes beside the version of the same model before it.

use serde_json::{Value, json};
use stele_explain::Failure;
use stele_log_client::proven_entries::ProvenEntries;
use stele_spec::manifest::Manifest;
use stele_spec::name::Coordinate;
use stele_spec::statement::Release;
use stele_spec::status::History;

use crate::render::difference::{self, Change};
use crate::render::page::Page;

/// How many changes a person is shown.
const LISTED: usize = 50;

/// A release beside the version before.
#[derive(Debug)]
pub(crate) struct VersionBefore {
    /// The version before.
    coordinate: Coordinate,
    /// Its entry.
    entry: u64,
    /// Whether the files were compared: the log has the manifest of the version before.
    files_compared: bool,
    /// Each field and file that differs.
    changes: Vec<Change>,
}

impl VersionBefore {
    /// Compares with the version before as that stands now, and the files of both where the log has them; nothing where it has no other version.
    pub(crate) fn of(
        record: &mut ProvenEntries,
        release: &Release,
        manifest: &Manifest,
    ) -> Result<Option<Self>, Failure> {
        let Some(found) = record.version_before(&release.coordinate())? else { return Ok(None) };
        let Some(coordinate) = found.statement().coordinate() else { return Ok(None) };
        let about = record.about(&coordinate)?;
        let history = History::fold(&coordinate, about.iter().map(|logged| (logged.position(), logged.statement())));
        let Some(before) = history.current() else { return Ok(None) };
        // What the log lost or damaged of another release is no reason to stop this one.
        let files = record.manifest(before.manifest).ok().flatten();
        let after = with_files(release, files.as_ref().map(|_| manifest));
        Ok(Some(Self {
            changes: difference::between(&with_files(before, files.as_ref()), &after),
            files_compared: files.is_some(),
            entry: found.position(),
            coordinate,
        }))
    }

    /// For a person.
    pub(crate) fn rows(&self, page: &mut Page) {
        page.section(&format!("beside {}, entry {}", self.coordinate, self.entry));
        for change in self.changes.iter().take(LISTED) {
            page.0.push_str(&change.lines());
        }
        if self.changes.len() > LISTED {
            page.row("", &format!("and {} more: --json has all", self.changes.len() - LISTED));
        }
        if !self.files_compared {
            page.row("", &"the files were not compared: the log does not give the manifest of that release");
        }
    }

    /// For a program.
    pub(crate) fn json(&self) -> Value {
        json!({
            "coordinate": self.coordinate.to_string(),
            "entry": self.entry,
            "manifests_compared": self.files_compared,
            "changes": self.changes.iter().map(Change::json).collect::<Vec<_>>(),
        })
    }
}

/// The fields of a release, and its files beside them.
fn with_files(release: &Release, files: Option<&Manifest>) -> Value {
    let mut value = json!(release);
    if let (Value::Object(fields), Some(files)) = (&mut value, files) {
        fields.insert("files".into(), json!(files.files()));
    }
    value
}
