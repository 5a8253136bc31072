//! What a file of a release is for.

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
}
