//! The vocabularies whose words stand in errors about fields.

use crate::canonical::vocabulary;

vocabulary! {
    /// Which kind of object a variant is.
    pub enum Artifact {
        /// Pre-trained.
        Base = "base",
        /// Trained to follow instructions.
        Instruct = "instruct",
        /// Trained on the outputs of another.
        Distilled = "distilled",
        /// Another with fewer bits.
        Quantized = "quantized",
        /// A change to another, useless without it.
        Adapter = "adapter",
        /// Made of the weights of others.
        Merge = "merge",
        /// From the middle of training.
        Checkpoint = "checkpoint",
        /// What a service runs.
        HostedService = "hosted-service",
    }
}

vocabulary! {
    /// By which definition.
    pub enum Basis {
        /// The Open Source AI Definition 1.0.
        Osaid10 = "OSAID-1.0",
        /// The Model Openness Framework 1.0.
        Mof10 = "MOF-1.0",
        /// By none.
        None = "none",
    }
}

vocabulary! {
    /// The parts of which a release says whether it includes them.
    pub enum ComponentId {
        /// Training, validation and testing data.
        Datasets = "datasets",
        /// Code that cleans and prepares data.
        DataPreprocessingCode = "data-preprocessing-code",
        /// Code of the architecture.
        ModelArchitecture = "model-architecture",
        /// The final parameters.
        ModelParametersFinal = "model-parameters-final",
        /// Parameters from the middle of training.
        ModelParametersIntermediate = "model-parameters-intermediate",
        /// Training configuration, optimizer states.
        ModelMetadata = "model-metadata",
        /// Code that trains, validates and tests.
        TrainingCode = "training-code",
        /// Code that runs the model.
        InferenceCode = "inference-code",
        /// Code that evaluates it.
        EvaluationCode = "evaluation-code",
        /// Data that it is evaluated on.
        EvaluationData = "evaluation-data",
        /// What came out.
        EvaluationResults = "evaluation-results",
        /// Libraries and tools used.
        SupportingLibraries = "supporting-libraries",
        /// The model card.
        ModelCard = "model-card",
        /// The data card.
        DataCard = "data-card",
        /// The technical report.
        TechnicalReport = "technical-report",
        /// The research paper.
        ResearchPaper = "research-paper",
        /// Examples of what it says.
        SampleModelOutputs = "sample-model-outputs",
        /// Data of post-training: preferences, demonstrations.
        PostTrainingData = "post-training-data",
        /// Logs of training.
        TrainingLogs = "training-logs",
        /// Classifiers that look at what goes in and comes out.
        SafetyClassifiers = "safety-classifiers",
        /// The system prompts it is meant to run with.
        SystemPrompts = "system-prompts",
        /// What may be done with it.
        UsagePolicy = "usage-policy",
    }
}

vocabulary! {
    /// What was run.
    pub enum Configuration {
        /// The weights alone.
        BareWeights = "bare-weights",
        /// The weights with their chat template.
        WithTemplate = "with-template",
        /// With the safeguards that the evaluation names.
        WithSafeguards = "with-safeguards",
        /// As a service runs it.
        Hosted = "hosted",
    }
}

vocabulary! {
    /// The dangerous capabilities of which every release speaks.
    pub enum DangerousDomain {
        /// Attacks on computers.
        CyberAbuse = "cyber-abuse",
        /// Help with biological harm.
        BiologicalAssistance = "biological-assistance",
        /// Deceit for gain.
        Fraud = "fraud",
        /// Passing for somebody else.
        Impersonation = "impersonation",
        /// Help with weapons.
        Weaponization = "weaponization",
        /// Watching people.
        Surveillance = "surveillance",
        /// An agent that acts by itself, misused.
        AutonomousAgentMisuse = "autonomous-agent-misuse",
        /// How easily safeguards are removed.
        SafeguardRemoval = "safeguard-removal",
    }
}

vocabulary! {
    /// The kinds of hosts.
    pub enum HostType {
        /// Hugging Face.
        Huggingface = "huggingface",
        /// ModelScope.
        Modelscope = "modelscope",
        /// Any git repository.
        Git = "git",
        /// An OCI registry.
        Oci = "oci",
        /// The library of Ollama.
        Ollama = "ollama",
        /// Kaggle.
        Kaggle = "kaggle",
        /// Files at a web address.
        Https = "https",
        /// An S3-compatible bucket.
        S3 = "s3",
        /// BitTorrent.
        Torrent = "torrent",
        /// Anything else.
        Other = "other",
    }
}
