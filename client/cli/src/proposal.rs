//! A statement that waits for further keys: its page, and what is to be done with it.

use std::path::{Path, PathBuf};

use serde_json::json;
use stele_explain::{Exit, Explain, Failure, explain};
use stele_publish::key_proposal::Proposal;
use stele_publish::statement_proposal::StatementProposal;
use stele_spec::hash::KeyId;

use crate::Output;
use crate::render::page::Page;
use crate::render::statement;
use crate::schema;

/// The proposal of a statement in a file.
pub(crate) fn of_statement(file: &Path) -> Result<StatementProposal, Failure> {
    StatementProposal::read(file).map_err(|failure| match Proposal::of_file(file) {
        Ok(Some(_)) => {
            OtherVerb { path: file.to_owned(), what: "a change of keys", verbs: "keys approve` and `stele keys submit" }
                .into()
        }
        _ => failure,
    })
}

/// The proposal of a change of keys in a file.
pub(crate) fn of_keys(file: &Path) -> Result<Proposal, Failure> {
    Proposal::read(file).map_err(|failure| match StatementProposal::of_file(file) {
        Ok(Some(_)) => OtherVerb {
            path: file.to_owned(),
            what: "a statement about a release",
            verbs: "approve` and `stele submit",
        }
        .into(),
        _ => failure,
    })
}

/// A proposal that another pair of verbs takes.
#[derive(Debug, thiserror::Error)]
#[error("{} proposes {what}", .path.display())]
struct OtherVerb {
    path: PathBuf,
    what: &'static str,
    verbs: &'static str,
}

impl Explain for OtherVerb {
    explain! {
        Self { verbs, .. } => Exit::BadInput, "proposal-of-another-kind", hint: format!("it is for `stele {verbs}`; nothing was signed");
    }
}

/// What is known of the approvals in a proposal.
#[derive(Debug, Default)]
pub(crate) enum Approvals {
    /// Nothing but what the file says.
    #[default]
    Unchecked,
    /// They were held against the keys of the name: all hold but these.
    Checked {
        /// Of keys that the name does not have now, or whose signature is of something else.
        unheld: Vec<KeyId>,
    },
}

impl Approvals {
    /// Those that do not hold.
    pub(crate) fn unheld(&self) -> &[KeyId] {
        match self {
            Self::Unchecked => &[],
            Self::Checked { unheld } => unheld,
        }
    }

    /// This key has approved it just now, in the place of what the file had of it.
    pub(crate) fn renew(&mut self, kid: &KeyId) {
        if let Self::Checked { unheld } = self {
            unheld.retain(|known| known != kid);
        }
    }

    fn line(&self, kid: &KeyId) -> String {
        match self {
            Self::Unchecked => format!("{kid}, as the file says"),
            Self::Checked { unheld } if unheld.contains(kid) => {
                format!("NOT {kid}: its signature is of another text, or the name does not have this key now")
            }
            Self::Checked { .. } => format!("{kid}, which holds"),
        }
    }
}

/// Writes a proposal.
pub(crate) fn propose(proposal: &StatementProposal, file: &Path) -> Result<Output, Failure> {
    proposal.create(file)?;
    let approvals = Approvals::default();
    let mut page = page(proposal, &approvals)?;
    let next = next(proposal, file, &approvals)?;
    page.0.push_str(&format!("\nwrote {}; nothing was sent\n{next}", file.display()));
    output(proposal, file, page)
}

/// Everything that is signed: the statement, each file of a release, and who has approved it.
pub(crate) fn page(proposal: &StatementProposal, known: &Approvals) -> Result<Page, Failure> {
    let statement = proposal.statement();
    let mut page = Page(statement::unsigned(statement));
    if let Some(manifest) = proposal.manifest() {
        page.section("Files");
        for file in manifest.files() {
            page.row(file.role.as_str(), &format!("{} ({} bytes)\n{}", file.path, file.size, file.sha256));
        }
    }
    page.section("Signatures");
    page.row("needed", &format!("{}, of the keys of {}", proposal.needed(), statement.publisher()));
    page.row(
        "approved by",
        &match statement.approvals() {
            [] => "nobody yet".to_owned(),
            approvals => approvals.iter().map(|approval| known.line(&approval.kid)).collect::<Vec<_>>().join("\n"),
        },
    );
    page.row("digest", &proposal.digest()?);
    Ok(page)
}

/// The commands that come next.
pub(crate) fn next(proposal: &StatementProposal, file: &Path, known: &Approvals) -> Result<String, Failure> {
    let have = proposal.statement().approvals().len().saturating_sub(known.unheld().len()) as u64;
    let needed = proposal.needed();
    let with = format!("{} --key FILE --digest {}", file.display(), proposal.digest()?);
    // The last one signs the envelope: its approval is not needed, and not counted twice.
    let more = match needed.saturating_sub(have + 1) {
        0 => String::new(),
        more => format!("{more} more: stele approve {with}\n"),
    };
    Ok(format!("{more}the last: stele submit {with}\n"))
}

/// The page and the document.
pub(crate) fn output(proposal: &StatementProposal, file: &Path, page: Page) -> Result<Output, Failure> {
    let json = json!({
        "schema": schema::PROPOSAL.name(),
        "proposal": file.display().to_string(),
        "digest": proposal.digest()?,
        "approvals": proposal.statement().approvals().len(),
        "needed": proposal.needed(),
        "files": proposal.manifest().map(stele_spec::manifest::Manifest::files).unwrap_or_default(),
        "statement": proposal.statement(),
    });
    Ok(Output { text: page.0, json, failure: None })
}
