//! Why a form is not signed.

use stele_explain::{Exit, Explain, explain};

/// Why a form is not signed.
#[derive(Debug, thiserror::Error)]
pub enum FormError {
    /// Not TOML, or a field of another shape.
    #[error("{place}{}: {message}", .line.map(|line| format!(":{line}")).unwrap_or_default())]
    Toml {
        /// The file, or the option.
        place: String,
        /// The line, from 1.
        line: Option<usize>,
        /// What is wrong.
        message: String,
    },
    /// Something is still to be decided.
    #[error("{} {} open in {place}", .open.len(), if .open.len() == 1 { "decision is" } else { "decisions are" })]
    Undecided {
        /// The file.
        place: String,
        /// Line numbers and lines.
        open: Vec<(usize, String)>,
    },
    /// Fields that do not go together.
    #[error("{place} does not describe a statement: {} {}", .problems.len(), if .problems.len() == 1 { "problem" } else { "problems" })]
    Fields {
        /// The file.
        place: String,
        /// All of them.
        problems: Vec<String>,
    },
    /// The file and an option say different things.
    #[error("{option} and {place} do not agree about {field}")]
    SaidTwice {
        /// The file.
        place: String,
        /// The field.
        field: String,
        /// The option.
        option: &'static str,
        /// What the file says.
        said: String,
        /// What the option says.
        given: String,
    },
    /// A document is here, with other bytes than the form says.
    #[error("{field}: {file} is not the document that the form names")]
    DocumentDiffers {
        /// The field.
        field: String,
        /// The file.
        file: String,
        /// What the form says.
        expected: String,
        /// What the file is.
        found: String,
    },
    /// Nothing says what the statement is about.
    #[error("nothing says {what}")]
    Missing {
        /// What is not said.
        what: &'static str,
        /// How to say it.
        hint: &'static str,
    },
}

impl Explain for FormError {
    explain! {
        Self::Toml { message, .. } if message.contains("expected a field") || message.contains("unknown") =>
            Exit::BadInput, "form-invalid", hint: "fields are never ignored: correct the name or remove the line";
        Self::Toml { .. } => Exit::BadInput, "form-invalid", hint: "correct it and run the command again; nothing has been sent";
        Self::Undecided { open, .. } => Exit::BadInput, "form-undecided",
            hint: "replace each value that begins with DECIDE by your decision; the comment above it says what is asked",
            facts: open.iter().map(|(number, line)| ("open", format!("line {number}: {line}"))).collect();
        Self::Fields { problems, .. } => Exit::BadInput, "form-fields",
            hint: "correct it and run the command again; nothing has been sent",
            facts: problems.iter().map(|problem| ("problem", problem.clone())).collect();
        Self::SaidTwice { said, given, .. } => Exit::Usage, "said-twice", hint: "give it once: as the option, or in the form",
            "expected": said, "found": given;
        Self::DocumentDiffers { expected, found, .. } => Exit::BadInput, "document-differs",
            hint: "remove sha256 to take the digest of the file, or move the file away",
            "expected": expected, "found": found;
        Self::Missing { hint, .. } => Exit::Usage, "form-incomplete", hint: *hint;
    }
}
