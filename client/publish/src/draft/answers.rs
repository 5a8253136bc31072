//! Decisions that were made before: in an earlier release, in the publisher's own file, by a preset that was named.
//!
//! The first source that answers a field counts, in that order. Only what the files of the folder leave open is asked of
//! sources; what an earlier release says against the files is a question for the person, with both sides in it.

use stele_spec::name::Coordinate;
use stele_spec::statement::Relation;
use toml::{Table, Value};

use crate::form::{Answer, AnsweredBy, DECIDE};

/// One source of answers.
#[derive(Debug, Clone)]
pub struct Source {
    /// What it is called in the draft.
    pub name: String,
    /// Its kind.
    pub by: AnsweredBy,
    /// Its answers, in the form of a release.
    pub table: Table,
}

/// An earlier release, as a source.
#[derive(Debug, Clone)]
pub struct Old {
    /// Its answers.
    pub source: Source,
    /// What it is, as far as it says so.
    pub coordinate: Option<Coordinate>,
    /// The paths of its files; none where they are not known.
    pub files: Option<Vec<String>>,
}

/// All sources, in the order in which they count.
#[derive(Debug, Clone, Default)]
pub struct Answers {
    /// The earlier release.
    pub old: Option<Old>,
    /// The publisher's answers.
    pub defaults: Option<Source>,
    /// The presets, in the order in which they were named.
    pub presets: Vec<Source>,
    /// The release that a preset names as the parent, how the model came of it, and which preset.
    pub parent: Option<PresetParent>,
}

/// A parent that a preset names.
#[derive(Debug, Clone)]
pub struct PresetParent {
    /// Which release.
    pub coordinate: Coordinate,
    /// How the model came of it; nothing where the folder contradicts what the preset says of that.
    pub relation: Option<Relation>,
    /// What the preset is called.
    pub source: Source,
}

impl Answers {
    /// The sources that answer, in their order.
    pub(super) fn sources(&self) -> impl Iterator<Item = &Source> {
        self.old.iter().map(|old| &old.source).chain(&self.defaults).chain(&self.presets)
    }

    /// The first answer to a field.
    pub(super) fn find(&self, path: &str) -> Option<Answer> {
        self.sources().find_map(|source| source.answer(path))
    }

    /// The first answer that is a text, and one that a test lets stand.
    pub(super) fn find_text(&self, path: &str, stands: impl Fn(&str) -> bool) -> Option<Answer> {
        self.sources()
            .filter_map(|source| source.answer(path))
            .find(|answer| answer.value.as_str().is_some_and(&stands))
    }

    /// What the earlier release says in a field.
    pub(super) fn of_old(&self, path: &str) -> Option<Answer> {
        self.old.as_ref()?.source.answer(path)
    }

    /// The preset that names a parent.
    pub(super) fn preset_parent(&self) -> Option<&Source> {
        self.parent.as_ref().map(|parent| &parent.source)
    }

    /// The name of the earlier release.
    pub(super) fn old_name(&self) -> &str {
        self.old.as_ref().map_or("", |old| old.source.name.as_str())
    }
}

impl Source {
    /// Its answer to a field. What it leaves to decide is none.
    pub(super) fn answer(&self, path: &str) -> Option<Answer> {
        let mut at: Option<&Value> = None;
        for name in path.split('.') {
            at = match at {
                None => self.table.get(name),
                Some(value) => value.as_table()?.get(name),
            };
            at?;
        }
        let value = at.filter(|value| !is_open(value))?;
        Some(self.says(value.clone()))
    }

    /// A value, as an answer of this source.
    pub(super) fn says(&self, value: Value) -> Answer {
        Answer { value, from: self.name.clone(), by: self.by }
    }
}

/// Whether something in a value is still to be decided.
fn is_open(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains(DECIDE),
        Value::Array(items) => items.iter().any(is_open),
        Value::Table(fields) => fields.iter().any(|(_, value)| is_open(value)),
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => false,
    }
}
