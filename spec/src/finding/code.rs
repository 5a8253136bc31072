//! The stable codes of findings: what each means, to which failure mode it belongs, and how much it weighs.

use crate::canonical::vocabulary;

vocabulary! {
    /// The failure modes: the essay's six, and the two that bytes make possible.
    pub enum Mode {
        /// Other bytes under a name.
        SilentSwap = "silent-swap",
        /// What is out is said to be back.
        FalseRecall = "false-recall",
        /// Said to be more open than it is.
        Openwashing = "openwashing",
        /// Tested with what does not travel with it.
        SafetyWrapperEvaporation = "safety-wrapper-evaporation",
        /// Descendants that lose terms and warnings.
        LineageDecay = "lineage-decay",
        /// Scores in the place of tests of misuse.
        BenchmarkSubstitution = "benchmark-substitution",
        /// A name that does not say which object.
        ArtifactAmbiguity = "artifact-ambiguity",
        /// To load it is to run a stranger's program.
        UnsafeLoading = "unsafe-loading",
    }
}

vocabulary! {
    /// How much a finding weighs; the words are SARIF's.
    pub enum Severity {
        /// Worth knowing; often right as it is.
        Note = "note",
        /// Something is missing or does not fit.
        Warning = "warning",
        /// The record contradicts itself, or what it claims does not hold.
        Error = "error",
    }
}

vocabulary! {
    /// The rules. A code never changes its meaning.
    pub enum Code {
        /// One coordinate, two weights.
        WeightsDiffer = "weights-differ",
        /// A host serves other bytes than the record.
        HostDiffers = "host-differs",
        /// A host serves other documents than the record.
        HostDocumentsDiffer = "host-documents-differ",
        /// Copies are out, and the withdrawal says otherwise.
        RecallAfterPublic = "recall-after-public",
        /// A copy was seen, and the withdrawal says otherwise.
        RecallAgainstObservation = "recall-against-observation",
        /// Access goes back behind what is out.
        StageNarrowed = "stage-narrowed",
        /// Narrower terms for copies that are out.
        LicenseNarrowed = "license-narrowed",
        /// Other terms for copies that are out.
        LicenseChanged = "license-changed",
        /// Another policy of use for copies that are out.
        UsePolicyChanged = "use-policy-changed",
        /// Bytes that were never made public are at a host.
        CopyOutside = "copy-outside",
        /// A class of the Model Openness Framework is claimed that is not met.
        OpennessClass = "openness-class",
        /// Open source is claimed, and the Open Source AI Definition is not met.
        OpennessOsaid = "openness-osaid",
        /// Open weights are claimed, and the weights are not included.
        OpennessWeights = "openness-weights",
        /// An open claim, and the weights cannot be had.
        OpennessAccess = "openness-access",
        /// Uses are restricted and openness is claimed.
        OpennessRestricted = "openness-restricted",
        /// The licence forbids uses, and the release says that none is forbidden.
        RestrictionUnsaid = "restriction-unsaid",
        /// A component is said to be at a path that is not among the files.
        ComponentAbsent = "component-absent",
        /// The text of the licence is that of another.
        LicenseTextOther = "license-text-other",
        /// The text of the licence is a changed one.
        LicenseTextModified = "license-text-modified",
        /// The digest of the licence text is not known.
        LicenseTextUnknown = "license-text-unknown",
        /// The model card or a header names another licence.
        LicenseNamedOther = "license-named-other",
        /// An id of a licence is not on the SPDX list.
        LicenseUnlisted = "license-unlisted",
        /// The SPDX list has deprecated an id of a licence.
        LicenseDeprecated = "license-deprecated",
        /// Two paths that some disks take for one.
        PathsCollide = "paths-collide",
        /// A result rests on a safeguard that does not travel.
        SafeguardStays = "safeguard-stays",
        /// The file of a travelling safeguard is not there.
        SafeguardFileMissing = "safeguard-file-missing",
        /// A safeguard is said to travel, and nothing carries it.
        SafeguardWithoutFile = "safeguard-without-file",
        /// The evaluated chat template is not the shipped one.
        TemplateDiffers = "template-differs",
        /// The evaluated chat template is not a file of the release.
        TemplateNotShipped = "template-not-shipped",
        /// The evaluated system prompt is not the shipped one.
        SystemPromptDiffers = "system-prompt-differs",
        /// The evaluated system prompt is not a file of the release.
        SystemPromptNotShipped = "system-prompt-not-shipped",
        /// A parent's licence is not carried on.
        LicenseDropped = "license-dropped",
        /// The files name a parent that the lineage does not have.
        ParentMissing = "parent-missing",
        /// The publisher never had the bytes of a parent.
        ParentUnseen = "parent-unseen",
        /// Looser terms than an ancestor's.
        LicenseLooser = "license-looser",
        /// A parent's policy of use is not carried on.
        UsePolicyDropped = "use-policy-dropped",
        /// A parent's notes about risks are not carried on.
        RiskNotesDropped = "risk-notes-dropped",
        /// A parent's model card is not carried on.
        ModelCardDropped = "model-card-dropped",
        /// An ancestor's incident that is not carried down.
        AncestorIncident = "ancestor-incident",
        /// An ancestor's withdrawal that is not carried down.
        AncestorWithdrawn = "ancestor-withdrawn",
        /// Capabilities are measured and no danger is.
        CapabilityOnly = "capability-only",
        /// Capabilities are measured and some dangers are not.
        DomainsNotEvaluated = "domains-not-evaluated",
        /// What was evaluated is not what is released.
        SubjectDiffers = "subject-differs",
        /// A parent was evaluated, not the release.
        SubjectIsParent = "subject-is-parent",
        /// A number without the revision of its data.
        DatasetUnpinned = "dataset-unpinned",
        /// A number without its results.
        ResultMissing = "result-missing",
        /// A number of nobody.
        EvaluatorUnsaid = "evaluator-unsaid",
        /// Released before it was tested, withdrawn, and out.
        WithdrawnUnevaluated = "withdrawn-unevaluated",
        /// A name says another kind of object.
        KindDiffers = "kind-differs",
        /// The name does not say the kind of object.
        KindUnsaid = "kind-unsaid",
        /// The name says another quantization.
        QuantizationDiffers = "quantization-differs",
        /// The files have a format that is not said.
        FormatDiffers = "format-differs",
        /// A reference that is other bytes tomorrow.
        ReferenceFloating = "reference-floating",
        /// The name is only that of the family.
        FamilyOnly = "family-only",
        /// The same weights file under several coordinates.
        FileInMany = "file-in-many",
        /// A host serves what no entry records.
        UnloggedName = "unlogged-name",
        /// To load the weights is to run a program.
        PickleWeights = "pickle-weights",
        /// A file that runs as a program when it is loaded.
        PickleFile = "pickle-file",
        /// The release ships programs.
        CodeFiles = "code-files",
        /// A configuration names code to be run.
        CodeInConfig = "code-in-config",
        /// A configuration that was not read.
        ConfigUnreadable = "config-unreadable",
    }
}

impl Code {
    /// The failure mode that it belongs to.
    pub const fn mode(self) -> Mode {
        self.entry().0
    }

    /// How much it weighs.
    pub const fn severity(self) -> Severity {
        self.entry().1
    }

    /// The rule, as the chapter says it.
    pub const fn rule(self) -> &'static str {
        self.entry().2
    }

    const fn entry(self) -> (Mode, Severity, &'static str) {
        use Mode::*;
        use Severity::*;
        match self {
            Self::WeightsDiffer => {
                (SilentSwap, Error, "an entry gives a coordinate other weights than the release that bound it")
            }
            Self::HostDiffers => (
                SilentSwap,
                Error,
                "a monitor saw a host serve other weights, configuration, code, licence or prompts for a coordinate than its release records",
            ),
            Self::HostDocumentsDiffer => (
                SilentSwap,
                Warning,
                "a monitor saw a host serve other documents for a coordinate than its release records, and the weights as recorded",
            ),
            Self::RecallAfterPublic => (
                FalseRecall,
                Error,
                "a withdrawal says that copies have limited recipients or never left, and an earlier entry made the release public",
            ),
            Self::RecallAgainstObservation => (
                FalseRecall,
                Error,
                "a withdrawal says that copies have limited recipients or never left, and a monitor saw one at a host",
            ),
            Self::StageNarrowed => (
                FalseRecall,
                Error,
                "access moves below `gated-download` after it was public: no copy comes back by it",
            ),
            Self::LicenseNarrowed => (
                FalseRecall,
                Error,
                "an amendment restricts uses or replaces open terms by others after a public stage; copies that are out keep the old terms",
            ),
            Self::LicenseChanged => (
                FalseRecall,
                Warning,
                "an amendment replaces the licence or its text after a public stage by one that is not narrower",
            ),
            Self::UsePolicyChanged => {
                (FalseRecall, Warning, "an amendment adds or replaces the policy of use after a public stage")
            }
            Self::CopyOutside => {
                (FalseRecall, Warning, "a monitor saw the bytes of a release at a host, and no entry made it public")
            }
            Self::OpennessClass => (
                Openwashing,
                Error,
                "the class of the Model Openness Framework 1.0 that the components and their licences reach is below the one claimed",
            ),
            Self::OpennessOsaid => (
                Openwashing,
                Error,
                "open source is claimed, and the required set of the Open Source AI Definition 1.0 is not complete under open terms",
            ),
            Self::OpennessWeights => {
                (Openwashing, Error, "open weights are claimed, and the final parameters are not wholly included")
            }
            Self::OpennessAccess => (
                Openwashing,
                Warning,
                "an open claim while access is too narrow for it: below `gated-download` for open weights, below `broad` for the others",
            ),
            Self::OpennessRestricted => {
                (Openwashing, Error, "uses are restricted, and open source, an open model or open science is claimed")
            }
            Self::RestrictionUnsaid => {
                (Openwashing, Warning, "a licence that forbids uses by the SPDX list, with `use_restricted = false`")
            }
            Self::ComponentAbsent => (
                Openwashing,
                Warning,
                "a component is said to be included at a path, and the manifest has neither that file nor that folder",
            ),
            Self::LicenseTextOther => {
                (Openwashing, Error, "the licence text is the text of another SPDX licence than those named")
            }
            Self::LicenseTextModified => (
                Openwashing,
                Warning,
                "the licence text differs from that of the SPDX list in more than the matching guidelines allow; only found with the text at hand",
            ),
            Self::LicenseTextUnknown => (
                Openwashing,
                Note,
                "the licence is one whose text does not vary, and the digest is of no known rendering of it: read the text",
            ),
            Self::LicenseNamedOther => (
                Openwashing,
                Warning,
                "the model card, or the header of a model where no card names one, names another licence than the release; only found with the file at hand",
            ),
            Self::LicenseUnlisted => {
                (Openwashing, Warning, "an id of a licence or an exception is not on the SPDX list as it is written")
            }
            Self::LicenseDeprecated => {
                (Openwashing, Note, "the SPDX list has deprecated an id of a licence or an exception")
            }
            Self::PathsCollide => (
                ArtifactAmbiguity,
                Warning,
                "two paths of the manifest are one where a disk ignores case or normalises",
            ),
            Self::SafeguardStays => (
                SafetyWrapperEvaporation,
                Error,
                "a safety or dangerous-capability result was got with a safeguard that does not travel or in a hosted service, and no run of the bare weights speaks of that domain",
            ),
            Self::SafeguardFileMissing => {
                (SafetyWrapperEvaporation, Error, "a safeguard travels in a file that is not in the manifest")
            }
            Self::SafeguardWithoutFile => (
                SafetyWrapperEvaporation,
                Warning,
                "a classifier, system prompt or retrieval constraint is said to travel, and no file is named that carries it",
            ),
            Self::TemplateDiffers => (
                SafetyWrapperEvaporation,
                Error,
                "an evaluation ran with a chat template that is none of the manifest's, which has one",
            ),
            Self::TemplateNotShipped => (
                SafetyWrapperEvaporation,
                Note,
                "an evaluation ran with a chat template, and the manifest has no file with that role; a tokenizer configuration may hold it",
            ),
            Self::SystemPromptDiffers => (
                SafetyWrapperEvaporation,
                Error,
                "an evaluation ran with a system prompt that is none of the manifest's, which has one",
            ),
            Self::SystemPromptNotShipped => (
                SafetyWrapperEvaporation,
                Warning,
                "an evaluation ran with a system prompt, and the manifest has no file with that role",
            ),
            Self::LicenseDropped => (LineageDecay, Warning, "a parent's licence is not carried on"),
            Self::ParentMissing => (
                LineageDecay,
                Error,
                "the files name a base model that the lineage does not have; only found with the files at hand",
            ),
            Self::ParentUnseen => (
                LineageDecay,
                Note,
                "the publisher never had the bytes of a parent: it names no weights, only a listing of a host or a reason",
            ),
            Self::LicenseLooser => (
                LineageDecay,
                Error,
                "an ancestor's terms are restricted, or not open, or copyleft, and the release's are less so",
            ),
            Self::UsePolicyDropped => (
                LineageDecay,
                Warning,
                "a logged parent has a policy of use, and the release has none or says that it does not carry it",
            ),
            Self::RiskNotesDropped => {
                (LineageDecay, Warning, "the notes about risks of a logged parent are not carried on")
            }
            Self::ModelCardDropped => (LineageDecay, Note, "the model card of a logged parent is not carried on"),
            Self::AncestorIncident => (
                LineageDecay,
                Warning,
                "an incident of an ancestor is open or mitigated, and the statement about it does not name the descendant",
            ),
            Self::AncestorWithdrawn => (LineageDecay, Warning, "an ancestor is withdrawn, and the descendant is not"),
            Self::CapabilityOnly => (
                BenchmarkSubstitution,
                Error,
                "there are capability results, and not one dangerous domain is evaluated",
            ),
            Self::DomainsNotEvaluated => (
                BenchmarkSubstitution,
                Warning,
                "there are capability results, and some dangerous domains are not evaluated",
            ),
            Self::SubjectDiffers => (
                BenchmarkSubstitution,
                Error,
                "the subject of an evaluation is neither the weights of the release nor those of a parent",
            ),
            Self::SubjectIsParent => {
                (BenchmarkSubstitution, Warning, "the subject of an evaluation is the weights of a parent")
            }
            Self::DatasetUnpinned => {
                (BenchmarkSubstitution, Warning, "a result does not say the revision of its dataset")
            }
            Self::ResultMissing => {
                (BenchmarkSubstitution, Warning, "the digest of a result is all zeros, or that of no bytes")
            }
            Self::EvaluatorUnsaid => (
                BenchmarkSubstitution,
                Warning,
                "a result does not say who got it: `unknown`, `none`, `n/a` and the like",
            ),
            Self::WithdrawnUnevaluated => (
                BenchmarkSubstitution,
                Error,
                "a release is withdrawn while copies are out, and dangerous domains had no evaluation when it was released",
            ),
            Self::KindDiffers => (
                ArtifactAmbiguity,
                Warning,
                "the variant or a weights file is named as another kind of object than `artifact` says",
            ),
            Self::KindUnsaid => (
                ArtifactAmbiguity,
                Warning,
                "a quantized, adapted or merged artifact, of which neither model nor variant says so",
            ),
            Self::QuantizationDiffers => (
                ArtifactAmbiguity,
                Warning,
                "the variant or a weights file is named with other bits than `quantization` says",
            ),
            Self::FormatDiffers => (
                ArtifactAmbiguity,
                Warning,
                "the variant or a weights file is of a format that `formats` does not have",
            ),
            Self::ReferenceFloating => (
                ArtifactAmbiguity,
                Warning,
                "a version, package URL or host revision that moves: none, a word such as `latest` or `main`, or at `huggingface` and `git` one that is no commit (7 to 64 hex digits)",
            ),
            Self::FamilyOnly => {
                (ArtifactAmbiguity, Note, "the model is named as its family, and nothing says its size")
            }
            Self::FileInMany => (
                ArtifactAmbiguity,
                Warning,
                "a weights file, or the weights as a whole, is in the release of another coordinate already",
            ),
            Self::UnloggedName => (
                ArtifactAmbiguity,
                Warning,
                "a monitor saw a host serve files under a name of which the log has no release",
            ),
            Self::PickleWeights => (
                UnsafeLoading,
                Warning,
                "weights or a classifier in a format of the pickle family: by the content of the file where it is at hand, by its name otherwise",
            ),
            Self::PickleFile => (UnsafeLoading, Note, "another file in a format of the pickle family"),
            Self::CodeFiles => (UnsafeLoading, Warning, "files that are programs, by their role or their name"),
            Self::CodeInConfig => (
                UnsafeLoading,
                Warning,
                "a configuration names code of the release or of another repository to be run when it is loaded; only found with the file at hand",
            ),
            Self::ConfigUnreadable => (
                UnsafeLoading,
                Warning,
                "a configuration that a loader reads, or the header of a model, was not read, or not all of it: it may name code or a base model; only found with the file at hand",
            ),
        }
    }
}
