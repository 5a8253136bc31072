//! An earlier release as a source of answers: a release that was signed, or a `release.toml`.

use std::path::Path;

use stele_explain::Failure;
use stele_spec::manifest::Manifest;
use stele_spec::statement::Release;
use toml::Table;

use super::answers::{Old, Source};
use crate::error::FileError;
use crate::form::{AnsweredBy, Form};
use crate::problems::Problems;
use crate::short_forms;

impl Old {
    /// Of a release, by the name under which the person gave it.
    pub fn of_release(name: &str, release: &Release, manifest: Option<&Manifest>) -> Result<Self, Failure> {
        let table = Table::try_from(release).map_err(|error| FileError::Malformed {
            path: name.to_owned(),
            what: "a release",
            problem: error.to_string(),
            hint: "name publisher/model@version#variant, its release.stele, or a release.toml",
        })?;
        let files = manifest.map(|manifest| manifest.files().iter().map(|file| file.path.to_string()).collect());
        Ok(Self { source: source(name, table), coordinate: Some(release.coordinate()), files })
    }

    /// Of a `release.toml`. What is still to be decided in it answers nothing; what is wrong with it is refused.
    pub fn of_file(path: &Path) -> Result<Self, Failure> {
        let (mut form, _) = Form::read_open(path, "a release.toml")?;
        let mut problems = Problems::default();
        short_forms::expand(&mut form, &mut problems);
        problems.check()?;
        let text = |at| form.text(at);
        let coordinate = text("publisher.name").zip(text("model.name")).and_then(|(publisher, model)| {
            let (version, variant) = (text("model.version")?, text("model.variant")?);
            format!("{publisher}/{model}@{version}#{variant}").parse().ok()
        });
        Ok(Self { coordinate, files: None, source: source(&path.display().to_string(), form.into_table()) })
    }
}

fn source(name: &str, table: Table) -> Source {
    Source { name: name.to_owned(), by: AnsweredBy::Carried, table }
}
