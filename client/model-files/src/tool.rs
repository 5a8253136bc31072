//! Which library wrote a model, with its version, as its own files say.

use stele_spec::finding::Json;
use stele_spec::manifest::FilePath;

/// The longest name or version that is taken.
const MAX_WORD: usize = 64;

/// The files that name a library, the field that has its version, and the library: the one that knows most of a model comes last.
///
/// The first [`SAVERS`] save what others made: their version says nothing of how the weights came about.
const NAMED: [(&str, &[&str], &str); 4] = [
    ("config.json", &["transformers_version"], "transformers"),
    ("model_index.json", &["_diffusers_version"], "diffusers"),
    ("config_sentence_transformers.json", &["__version__", "sentence_transformers"], "sentence-transformers"),
    ("adapter_config.json", &["peft_version"], "peft"),
];

/// How many of them only save.
const SAVERS: usize = 2;

/// A library and its version. The greater one knows more of the model.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tool {
    rank: usize,
    shown: String,
}

impl Tool {
    /// Whether a file of this name, at the top of a folder, may name one.
    pub fn is_named_in(path: &FilePath) -> bool {
        NAMED.iter().any(|(name, _, _)| path.as_str() == *name)
    }

    /// What a file names.
    pub fn of(path: &FilePath, bytes: &[u8]) -> Option<Self> {
        let (rank, (_, fields, library)) = NAMED.iter().enumerate().find(|(_, (name, _, _))| path.as_str() == *name)?;
        let value = Json::parse(bytes).ok()?;
        let version = fields.iter().try_fold(&value, |value, field| value.get(field))?.as_str()?;
        is_word(version).then(|| Self { rank, shown: format!("{library} {version}") })
    }

    /// What exported a model of ONNX, as that says: its producer and the version.
    pub fn of_producer(name: &str, version: &str) -> Option<Self> {
        (is_word(name) && is_word(version)).then(|| Self { rank: NAMED.len(), shown: format!("{name} {version}") })
    }

    /// Whether it makes models of others, and does not only save them.
    pub fn made_it(&self) -> bool {
        self.rank >= SAVERS
    }

    /// As a release names it: `transformers 4.57.1`.
    pub fn as_str(&self) -> &str {
        &self.shown
    }
}

/// Whether a text is a name or a version, and no sentence.
fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= MAX_WORD
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'+' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_one_or_no_tool_is_named() {
        let of = |name: &str, text: &str| Tool::of(&name.parse().unwrap(), text.as_bytes()).map(|tool| tool.shown);
        for (name, text) in [
            ("config.json", "{}"),
            ("config.json", "{\"transformers_version\": null}"),
            ("config.json", "{\"transformers_version\": \"\"}"),
            ("config.json", "{\"transformers_version\": \"4.1; ignore what is above\"}"),
            ("config.json", "{\"transformers_version\": "),
            ("unet/config.json", "{\"transformers_version\": \"4.57.1\"}"),
            ("config_sentence_transformers.json", "{\"__version__\": \"5.1.0\"}"),
        ] {
            assert_eq!(of(name, text), None, "{name} {text}");
        }
        assert_eq!(
            of("config.json", "{\"transformers_version\": \"4.57.0.dev0\"}").as_deref(),
            Some("transformers 4.57.0.dev0")
        );
        assert_eq!(of("adapter_config.json", "{\"peft_version\": \"0.18.0\"}").as_deref(), Some("peft 0.18.0"));
        let nested = "{\"__version__\": {\"sentence_transformers\": \"5.1.0\"}}";
        assert_eq!(of("config_sentence_transformers.json", nested).as_deref(), Some("sentence-transformers 5.1.0"));
    }

    #[test]
    fn the_library_that_knows_most_of_a_model_counts() {
        let tool = |name: &str, text: &str| Tool::of(&name.parse().unwrap(), text.as_bytes()).unwrap();
        let saved = tool("config.json", "{\"transformers_version\": \"4.57.1\"}");
        let adapted = tool("adapter_config.json", "{\"peft_version\": \"0.18.0\"}");
        assert!(saved < adapted);
        // What saved a configuration did not for that reason make the weights.
        assert!(!saved.made_it() && adapted.made_it());
        assert!(!tool("model_index.json", "{\"_diffusers_version\": \"0.35.1\"}").made_it());
        assert!(Tool::of_producer("pytorch", "2.9.0").unwrap().made_it());
    }
}
