//! Results of evaluations in the form of the Hugging Face Hub: `.eval_results/*.yaml`, a list of entries with a dataset and a value.

use std::fmt;

use stele_spec::finding::decoded;
use stele_spec::manifest::FilePath;

use crate::yaml::{NotYaml, Yaml};

/// The most results that are read of one file.
const MAX_RESULTS: usize = 100;
/// The most characters of a text that are kept.
const MAX_CHARS: usize = 300;

/// One result.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EvaluationResult {
    /// `dataset.id`, as `cais/hle`.
    pub dataset: String,
    /// `dataset.task_id`.
    pub task: Option<String>,
    /// `dataset.revision`.
    pub revision: Option<String>,
    /// `value`, as it is written.
    pub value: Option<String>,
    /// `date`, its day.
    pub date: Option<String>,
    /// `source.name`, or who is named there.
    pub source: Option<String>,
    /// `source.url`.
    pub url: Option<String>,
    /// `notes`.
    pub notes: Option<String>,
}

/// Why results are not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnreadResults {
    /// It is not YAML.
    NotYaml(NotYaml),
    /// It is no list of entries with a dataset.
    NotResults,
}

impl fmt::Display for UnreadResults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotYaml(why) => write!(f, "its results are not read: expected YAML, found {why}"),
            Self::NotResults => {
                f.write_str("its results are not read: expected a list of entries with dataset.id and value")
            }
        }
    }
}

/// Whether a file is of this form, by its name.
pub fn is_result(path: &FilePath) -> bool {
    let name = path.as_str();
    name.starts_with(".eval_results/") && (name.ends_with(".yaml") || name.ends_with(".yml"))
}

/// The results of a file, the first of them if there are many.
pub fn results(bytes: &[u8]) -> Result<Vec<EvaluationResult>, UnreadResults> {
    let read = Yaml::parse(&decoded(bytes).text).map_err(UnreadResults::NotYaml)?;
    let Yaml::List(entries) = read else { return Err(UnreadResults::NotResults) };
    entries.iter().take(MAX_RESULTS).map(|entry| result(entry).ok_or(UnreadResults::NotResults)).collect()
}

fn result(entry: &Yaml) -> Option<EvaluationResult> {
    let dataset = entry.get("dataset")?;
    let source = entry.get("source").unwrap_or(&Yaml::Null);
    let named = ["name", "org", "user"].iter().find_map(|field| written(source.get(field)));
    Some(EvaluationResult {
        dataset: written(dataset.get("id"))?,
        task: written(dataset.get("task_id")),
        revision: written(dataset.get("revision")),
        value: written(entry.get("value")),
        date: written(entry.get("date")).and_then(|date| date.get(..10).map(str::to_owned)),
        source: named,
        url: written(source.get("url")),
        notes: written(entry.get("notes")),
    })
}

/// A text, a number or a time as it is written.
fn written(value: Option<&Yaml>) -> Option<String> {
    match value? {
        Yaml::Text(text) | Yaml::Number(text) | Yaml::Time(text) if !text.trim().is_empty() => {
            Some(text.trim().chars().take(MAX_CHARS).collect())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_list_of_results_is_said() {
        for text in ["", "a: b", "- a", "- value: 1", "- dataset: x", "- dataset: {task_id: x}\n  value: 1", "- ["] {
            assert!(results(text.as_bytes()).is_err(), "{text}");
        }
        let many = "- {dataset: {id: a/b}, value: 1}\n".repeat(MAX_RESULTS + 50);
        assert_eq!(results(many.as_bytes()).unwrap().len(), MAX_RESULTS);
    }

    #[test]
    fn an_entry_says_dataset_value_day_and_source() {
        let text = "- dataset:\n    id: cais/hle\n    task_id: default\n    revision: 5503434d\n  value: 20.90\n  date: \"2025-01-15T10:30:00Z\"\n  \
                    source:\n    url: https://acme.example/hle\n    name: CAIS HLE\n    org: cais\n  notes: no-tools\n";
        let expected = EvaluationResult {
            dataset: "cais/hle".to_owned(),
            task: Some("default".to_owned()),
            revision: Some("5503434d".to_owned()),
            value: Some("20.90".to_owned()),
            date: Some("2025-01-15".to_owned()),
            source: Some("CAIS HLE".to_owned()),
            url: Some("https://acme.example/hle".to_owned()),
            notes: Some("no-tools".to_owned()),
        };
        assert_eq!(results(text.as_bytes()), Ok(vec![expected]));
        assert!(is_result(&".eval_results/hle.yaml".parse().unwrap()));
        assert!(!is_result(&"eval/hle.yaml".parse().unwrap()));
    }
}
