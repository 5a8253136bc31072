//! The document that says, in a file, whether the command was started.

use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use serde_json::Value;
use stele_explain::{Exit, Explain, Failure, explain};
use stele_terminal::finish::document;

use crate::schema;

/// The file, open since before anything was mounted.
#[derive(Debug)]
pub(super) struct ReportFile(Option<(PathBuf, File)>);

impl ReportFile {
    /// Empty: what an earlier run wrote says nothing of this one.
    pub(super) fn create(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path else { return Ok(Self(None)) };
        match File::create(path) {
            Ok(file) => Ok(Self(Some((path.to_owned(), file)))),
            Err(source) => Err(Unwritten { path: path.to_owned(), source }.into()),
        }
    }

    /// Replaces what it says.
    pub(super) fn write(&mut self, fields: &Value, failure: Option<&Failure>) -> Result<(), Failure> {
        let Some((path, file)) = &mut self.0 else { return Ok(()) };
        let text = format!("{}\n", document(schema::RUN, fields.clone(), failure.map(Failure::as_explain)));
        // A pipe has no length.
        let write = |file: &mut File| -> io::Result<()> {
            if file.metadata()?.is_file() {
                file.rewind()?;
                file.set_len(0)?;
            }
            file.write_all(text.as_bytes())
        };
        write(file).map_err(|source| Unwritten { path: path.clone(), source }.into())
    }
}

#[derive(Debug, thiserror::Error)]
#[error("cannot write the report {}", .path.display())]
struct Unwritten {
    path: PathBuf,
    #[source]
    source: io::Error,
}

impl Explain for Unwritten {
    explain! { Self { .. } => Exit::Io, "report-unwritten", hint: "name a file that can be written with --report"; }
}
