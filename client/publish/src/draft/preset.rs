//! Presets: answers that go together for a kind of release. Each stands in the draft, and whoever signs it gives it.
//!
//! A preset says nothing of licences, and nothing of what only a publisher can know: reasons, contacts, tools.

use std::fmt;
use std::str::FromStr;

use stele_spec::name::Coordinate;
use stele_spec::statement::{Artifact, Relation};
use toml::Table;

use super::answers::Source;
use super::facts::Facts;
use crate::form::AnsweredBy;
use crate::short_forms::{ALL_OTHERS, SAME_REASON};

/// The most parameters of a model that the preset for small research calls small.
const MAX_SMALL: u64 = 1_000_000_000;

/// Endings of the architectures of models that write text.
const WRITERS: [&str; 3] = ["ForCausalLM", "ForConditionalGeneration", "LMHeadModel"];

/// A preset, as it is named on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Preset {
    /// A small model, released for research.
    SmallResearch,
    /// A model that gives vectors.
    Embedding,
    /// A quantization of a release of this log.
    QuantizationOf(Coordinate),
    /// An adapter for a release of this log.
    AdapterOf(Coordinate),
}

impl Preset {
    /// The release that it is made of.
    pub fn parent(&self) -> Option<(&Coordinate, Relation)> {
        match self {
            Self::SmallResearch | Self::Embedding => None,
            Self::QuantizationOf(parent) => Some((parent, Relation::Quantized)),
            Self::AdapterOf(parent) => Some((parent, Relation::Adapter)),
        }
    }

    /// Its answers for a folder, and a note where the folder contradicts some of them: those it does not give.
    pub fn answers(&self, facts: &Facts) -> (Source, Option<String>) {
        let against = self.contradicted(facts);
        let why = match self {
            _ if against.is_some() => None,
            Self::SmallResearch => Some(
                "Not evaluated: a small model for research, below the size at which the tests that exist tell anything."
                    .to_owned(),
            ),
            Self::Embedding => {
                Some("Not evaluated: the model gives vectors and writes nothing, so that it cannot be asked.".to_owned())
            }
            Self::QuantizationOf(parent) | Self::AdapterOf(parent) => {
                Some(format!("Not evaluated by itself: {parent}, of which it is made, says what was evaluated."))
            }
        };
        let mut text = format!("[components]\n{ALL_OTHERS} = \"no\"\n");
        if let Some(why) = why {
            text += &format!("[not_evaluated]\n{ALL_OTHERS} = \"{why}\"\n[safety]\nreport = \"{SAME_REASON}\"\n");
        }
        text += match self {
            Self::SmallResearch => {
                "[openness]\nclaim = \"open-weight\"\nbasis = \"none\"\n[access]\nstage = \"open\"\n"
            }
            Self::Embedding => "[openness]\nclaim = \"open-weight\"\nbasis = \"none\"\n",
            Self::QuantizationOf(_) | Self::AdapterOf(_) => "",
        };
        if let (Some((parent, relation)), None) = (self.parent(), &against) {
            let artifact = match relation {
                Relation::Adapter => Artifact::Adapter,
                _ => Artifact::Quantized,
            };
            text += &format!("[model]\nname = \"{}\"\nartifact = \"{artifact}\"\n", parent.model);
        }
        let table: Table = text.parse().unwrap_or_default();
        (Source { name: format!("preset {}", self.name()), by: AnsweredBy::Preset, table }, against)
    }

    /// What in the folder is against it.
    fn contradicted(&self, facts: &Facts) -> Option<String> {
        let writer = || {
            let architecture = facts.config.architecture.as_deref()?;
            WRITERS
                .iter()
                .any(|ending| architecture.ends_with(ending))
                .then(|| format!("config.json says {architecture}"))
        };
        let relation = |fits: &str| {
            let said = facts.card.first("base_model_relation").filter(|said| said != fits)?;
            Some(format!("the model card says base_model_relation {said}"))
        };
        let found = match self {
            Self::SmallResearch => match facts.parameters.known() {
                Some(count) if count > MAX_SMALL => {
                    format!("the files have {count} parameters, and small is up to {MAX_SMALL}")
                }
                // In four bits there are two of them in a byte.
                None if facts.weights_bytes > MAX_SMALL / 2 => format!(
                    "the weights have {} bytes and an unknown number of parameters, and small is up to {MAX_SMALL}",
                    facts.weights_bytes
                ),
                _ => return None,
            },
            Self::Embedding => match facts.card.first("pipeline_tag").as_deref() {
                Some("feature-extraction" | "sentence-similarity" | "text-ranking") => return None,
                Some(tag) => format!("the model card says pipeline_tag {tag}"),
                None => writer()?,
            },
            Self::QuantizationOf(_) => match facts.adapter() {
                Some(path) => format!("{path} says that it is an adapter"),
                None => relation("quantized")?,
            },
            Self::AdapterOf(_) if facts.adapter().is_none() && !facts.weights.is_empty() => {
                "no file says that the weights are those of an adapter".to_owned()
            }
            Self::AdapterOf(_) => relation("adapter")?,
        };
        Some(format!("preset {}: {found}: what it says of that is left to decide", self.name()))
    }

    /// As it is named.
    pub fn name(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SmallResearch => f.write_str("small-research"),
            Self::Embedding => f.write_str("embedding"),
            Self::QuantizationOf(parent) => write!(f, "quantization-of {parent}"),
            Self::AdapterOf(parent) => write!(f, "adapter-of {parent}"),
        }
    }
}

impl FromStr for Preset {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, parent) = match text.split_once([' ', '=']) {
            Some((name, parent)) => (name, Some(parent.trim())),
            None => (text, None),
        };
        let coordinate = || -> Result<Coordinate, String> {
            let parent =
                parent.ok_or_else(|| format!("{name} needs the release: {name} publisher/model@version#variant"))?;
            parent.parse().map_err(|error| format!("{parent}: {error}"))
        };
        match (name, parent) {
            ("small-research", None) => Ok(Self::SmallResearch),
            ("embedding", None) => Ok(Self::Embedding),
            ("quantization-of", _) => coordinate().map(Self::QuantizationOf),
            ("adapter-of", _) => coordinate().map(Self::AdapterOf),
            _ => {
                Err("expected small-research, embedding, quantization-of COORDINATE or adapter-of COORDINATE"
                    .to_owned())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_of_unknown_count_are_small_only_by_their_bytes() {
        let of = |weights_bytes: u64| {
            let facts = Facts { weights_bytes, ..Facts::default() };
            let (answers, against) = Preset::SmallResearch.answers(&facts);
            (answers.table.contains_key("not_evaluated"), against.is_some())
        };
        assert_eq!(of(4_000_000), (true, false));
        assert_eq!(of(140_000_000_000), (false, true));
    }
}
