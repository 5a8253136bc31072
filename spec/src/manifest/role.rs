//! What a file of a release is for.

use super::{FilePath, role_table};
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
    /// The role that a file has by its name, from the table of the chapter: a guess about files that no record names yet.
    ///
    /// The role of a file of a release is the one that its manifest records. The table grows, and never changes that.
    pub fn of_path(path: &FilePath) -> Self {
        role_table::of_path(path)
    }

    /// Whether a file is what training leaves behind, by its name: the state of optimizers and of random numbers.
    pub fn is_training_state(path: &FilePath) -> bool {
        role_table::is_training_state(&path.file_name().to_ascii_lowercase())
    }

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
}
