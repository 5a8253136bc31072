//! Whether the weights of a folder are quantized, and how.

use std::collections::BTreeMap;

use stele_model_files::gguf_file_type::FileType;
use stele_model_files::gguf_models::GgufModel;

use super::facts::Facts;

/// Precisions in which models are trained as well: a configuration of one does not say that it was made of another model.
const TRAINED: [&str; 4] = ["fp8", "mxfp4", "nvfp4", "bitnet"];

/// The answer.
pub(super) enum Quantized {
    /// They are not, as far as files say.
    No,
    /// They are.
    Yes {
        /// How.
        how: String,
        /// What says so.
        from: String,
        /// Whether models are trained in this precision as well.
        may_be_trained: bool,
    },
    /// A person has to say, for this reason.
    Open(String),
}

impl Quantized {
    pub(super) fn of(facts: &Facts) -> Self {
        let types = types(facts);
        if let Some(how) = &facts.config.quantization {
            if !types.is_empty() {
                return Self::Open(format!("config.json says {how}, and there are GGUF files: one object each?"));
            }
            let method = how.split([',', '_', ' ']).next().unwrap_or_default();
            let may_be_trained = TRAINED.contains(&method) && facts.bases.is_empty() && facts.base_paths.is_empty();
            return Self::Yes { how: how.clone(), from: "config.json".to_owned(), may_be_trained };
        }
        if let Some(why) = &facts.unsaid_quantization {
            return Self::Open(why.clone());
        }
        if let Some(why) = several_models(facts) {
            return Self::Open(why);
        }
        let others: Vec<&str> = facts.formats.iter().copied().filter(|format| *format != "gguf").collect();
        let mut kinds = types.iter();
        match (kinds.next(), kinds.next()) {
            (None, _) | (Some((Kind::Full, _)), None) => Self::No,
            (Some(_), None) if !others.is_empty() => {
                Self::Open(format!("there are weights in {} and in GGUF: one object each?", others.join(", ")))
            }
            (Some((Kind::Named(name), path)), None) => {
                Self::Yes { how: name.clone(), from: path.clone(), may_be_trained: false }
            }
            (Some((Kind::Open(why), path)), None) => Self::Open(format!("{path} {why}")),
            (Some((first, _)), Some((second, _))) => {
                let (first, second) = (first.shown(), second.shown());
                Self::Open(format!("the GGUF files are of several kinds, {first} and {second}: one object each?"))
            }
        }
    }
}

/// That the GGUF models are of several kinds, or of several sizes: quantizations of one model have both in common.
fn several_models(facts: &Facts) -> Option<String> {
    let (first, rest) = facts.gguf.split_first()?;
    let differs = |one: Option<String>, other: Option<String>| {
        one.zip(other).filter(|(one, other)| one != other).map(|(one, other)| format!("{one} and {other}"))
    };
    let kind = |model: &GgufModel| model.header().architecture.clone();
    let size = |model: &GgufModel| model.parameters().map(|count| format!("{count} parameters"));
    rest.iter().find_map(|other| {
        let found = differs(kind(first), kind(other)).or_else(|| differs(size(first), size(other)))?;
        Some(format!("{} and {} are of two models, {found}: one object each?", first.path(), other.path()))
    })
}

/// What a GGUF model says.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Full,
    Named(String),
    Open(String),
}

impl Kind {
    fn shown(&self) -> &str {
        match self {
            Self::Full => "not quantized",
            Self::Named(name) => name,
            Self::Open(_) => "one that is not certain",
        }
    }
}

/// The kinds of the GGUF models, each with the first file that says it.
fn types(facts: &Facts) -> BTreeMap<Kind, String> {
    let mut types = BTreeMap::new();
    for model in &facts.gguf {
        let header = model.header();
        let kind = match header.file_type {
            Some(FileType::Full(_)) => Kind::Full,
            Some(FileType::Quantized(name)) => Kind::Named(name.to_owned()),
            Some(FileType::Guessed(name)) => Kind::Open(format!("says {name}, and marks it as a guess")),
            Some(FileType::Unknown(number)) => {
                Kind::Open(format!("has the file type {number}, which has no known name"))
            }
            None if header.has_blocks => {
                Kind::Open("has quantized tensors, and does not say of which type it is".to_owned())
            }
            None => Kind::Full,
        };
        types.entry(kind).or_insert_with(|| model.path().to_string());
    }
    types
}

#[cfg(test)]
mod tests {
    use stele_model_files::gguf::Header;
    use stele_model_files::gguf_models::GgufFile;

    use super::*;

    fn model(path: &str, architecture: &str, parameters: u64) -> GgufFile {
        let mut header = Header::default();
        header.architecture = Some(architecture.to_owned());
        header.parameters = Some(parameters);
        header.file_type = Some(FileType::Quantized("Q4_K_M"));
        GgufFile { path: path.parse().unwrap(), header }
    }

    #[test]
    fn two_models_of_one_type_are_asked_about() {
        let of = |files: [GgufFile; 2]| {
            let facts = Facts { gguf: GgufModel::all(files), ..Facts::default() };
            Quantized::of(&facts)
        };
        let draft = of([model("draft.gguf", "llama", 7), model("target.gguf", "llama", 70)]);
        assert!(matches!(draft, Quantized::Open(why) if why.contains("7 parameters and 70 parameters")));
        let parts = of([model("flux.gguf", "flux", 7), model("t5.gguf", "t5encoder", 7)]);
        assert!(matches!(parts, Quantized::Open(why) if why.contains("flux and t5encoder")));
        let twice = of([model("a/x.gguf", "llama", 7), model("b/x.gguf", "llama", 7)]);
        assert!(matches!(twice, Quantized::Yes { how, .. } if how == "Q4_K_M"));
    }
}
