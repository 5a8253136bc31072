//! What a file of a release is for.

use super::path::FilePath;
use crate::canonical::vocabulary;

vocabulary! {
    /// What a file of a release is for. It decides what `weights.digest` covers, so it is part of the record.
    pub enum Role {
        /// Learned parameters.
        Weights = "weights",
        /// Which shard holds which tensor.
        WeightsIndex = "weights-index",
        /// Architecture and its numbers.
        Config = "config",
        /// Vocabulary and merges.
        Tokenizer = "tokenizer",
        /// How messages become one text.
        ChatTemplate = "chat-template",
        /// Defaults of sampling.
        GenerationConfig = "generation-config",
        /// A system prompt that travels.
        SystemPrompt = "system-prompt",
        /// A safety classifier that travels.
        Classifier = "classifier",
        /// Programs.
        Code = "code",
        /// The text of a licence.
        Licence = "licence",
        /// The model card.
        ModelCard = "model-card",
        /// Results, and what they were got with.
        Evaluation = "evaluation",
        /// Safety documents.
        Safety = "safety",
        /// Anything else.
        Other = "other",
    }
}

impl Role {
    /// Whether a program that loads a model may read a file of this role: to add or change one changes what is run.
    pub const fn is_loaded(self) -> bool {
        matches!(
            self,
            Self::Weights
                | Self::WeightsIndex
                | Self::Config
                | Self::Tokenizer
                | Self::ChatTemplate
                | Self::GenerationConfig
                | Self::SystemPrompt
                | Self::Classifier
                | Self::Code
        )
    }

    /// Whether a file of this role and path is there for people to read: a card, a report, a picture. Of a file without a role its ending says so, and a text of words
    /// may be a vocabulary.
    pub fn is_document(self, path: &FilePath) -> bool {
        let ending = || path.file_name().rsplit_once('.').map_or("", |(_, ending)| ending).to_ascii_lowercase();
        match self {
            Self::ModelCard | Self::Evaluation | Self::Safety => true,
            Self::Other => DOCUMENTS.contains(&ending().as_str()),
            _ => false,
        }
    }
}

/// Endings of documents and pictures.
const DOCUMENTS: [&str; 15] = [
    "avif",
    "bib",
    "cff",
    "gif",
    "gitattributes",
    "gitignore",
    "htm",
    "html",
    "jpeg",
    "jpg",
    "md",
    "pdf",
    "png",
    "svg",
    "webp",
];
