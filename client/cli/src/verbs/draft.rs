//! `stele draft`: a `release.toml` to complete.

use stele_explain::Failure;
use stele_explain::printable::one_line;
use stele_publish::draft::{self, Names};
use stele_terminal::volume::note;
use stele_verify::folder::DRAFT;

use crate::Output;
use crate::args::DraftArgs;
use crate::draft_file;

pub(crate) fn run(args: DraftArgs) -> Result<Output, Failure> {
    let facts = draft::facts(&args.folder)?;
    let names =
        Names { publisher: args.publisher, model: args.model, version: args.model_version, variant: args.variant };
    let text = draft::release_toml(&names, &facts);
    for said in &facts.notes {
        note(&format!("note: {}\n", one_line(said)));
    }
    let target = args.output.unwrap_or_else(|| args.folder.join(DRAFT));
    let next = format!("stele publish {} --key FILE --policy FILE", args.folder.display());
    draft_file::write_draft(text, &target, &next, &facts.notes)
}
