//! What stands at the beginning of a form, whatever its kind.

use stele_spec::name::{Coordinate, Publisher};
use stele_spec::statement::Kind;

use crate::form::FormWriter;

/// What stands at the beginning of a form.
pub struct FormHeader {
    /// The kind.
    kind: Kind,
    /// What it is about, if that is known.
    coordinate: Option<Coordinate>,
    /// Who speaks, if that is known and not the release's publisher.
    speaker: Option<Publisher>,
}

impl FormHeader {
    /// The header of a form for a release and a speaker, as far as they are known.
    pub fn new(kind: Kind, coordinate: Option<Coordinate>, speaker: Option<Publisher>) -> Self {
        Self { kind, coordinate, speaker }
    }

    /// Writes it: what the form is for, and which release.
    pub fn write(&self, sheet: &mut FormWriter, what: &str) {
        sheet.comment(&format!("{what}, for `stele {} --form FILE --key FILE`.", verb(self.kind)));
        sheet.comment("Every value that begins with DECIDE is yours to replace: it is refused while one is left.");
        sheet.comment(
            "Not written here: issued_at (written in before it is sent), the entry of the release and its weights",
        );
        sheet.comment("digest (looked up in the log, and proven). A document beside this file needs only its name.");
        sheet.blank();
    }

    /// The line that names the release.
    pub fn release(&self, sheet: &mut FormWriter) {
        sheet.comment("Which release: publisher/model@version#variant.");
        match &self.coordinate {
            Some(coordinate) => sheet.text("release", &coordinate.to_string(), ""),
            None => sheet.decide("release", "its coordinate"),
        }
    }

    /// What it is about, if that is known.
    pub fn coordinate(&self) -> Option<&Coordinate> {
        self.coordinate.as_ref()
    }

    /// The section that names a speaker who is not the release's publisher.
    pub fn speaker(&self, sheet: &mut FormWriter) {
        sheet.section("publisher");
        sheet.comment("Who speaks: a name that your key holds in this log.");
        match &self.speaker {
            Some(speaker) => sheet.text("name", speaker.as_str(), ""),
            None => sheet.decide("name", "your name, such as watch.example"),
        }
    }
}

/// The verb that says a kind.
pub fn verb(kind: Kind) -> &'static str {
    match kind {
        Kind::Evaluation => "evaluate",
        Kind::Observation => "observe",
        Kind::Publisher => "keys",
        Kind::Release => "publish",
        kind => kind.as_str(),
    }
}
