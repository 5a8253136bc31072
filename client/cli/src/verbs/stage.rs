//! `stele stage`: access to a release moved.

use stele_explain::Failure;
use stele_publish::form::FormWriter;
use stele_publish::form_header::FormHeader;
use stele_publish::issue::StatementRequest;
use stele_spec::statement::{Kind, Stage};

use crate::Output;
use crate::args::StageArgs;
use crate::issue;

pub(crate) fn run(args: StageArgs) -> Result<Output, Failure> {
    let mut request = StatementRequest::new(Kind::Stage, args.say.release.as_deref(), None)?;
    request.text("access.stage", args.to.as_deref(), "--to");
    request.text("access.since", args.since.as_deref(), "--since");
    request.text("reason", args.reason.as_deref(), "--reason");
    request.takes_back = args.after_withdrawal;
    if args.say.draft { issue::draft(request, &args.say, write) } else { issue::issue(request, &args.say) }
}

fn write(sheet: &mut FormWriter, head: &FormHeader) {
    head.write(sheet, "Access to a release moves");
    head.release(sheet);
    sheet.comment("Why, for everybody to read.");
    sheet.ask("reason", "why access moves");
    sheet.section("access");
    sheet.comment(&format!("Who can have the weights from now on: {}.", Stage::TEXTS.join(", ")));
    sheet.comment("From gated-download on copies are out that nobody can call back, whatever the next stage says.");
    sheet.ask("access.stage", "one of the words above");
    sheet.comment("The first day of it.");
    sheet.ask("access.since", "a day, such as 2026-07-01");
    sheet.blank();
    sheet.comment("Where the files can be had at this stage, if that changes; the list replaces the one before.");
    sheet.comments([
        "[[hosts]]",
        "type = \"huggingface\"  # modelscope, git, oci, ollama, kaggle; https, s3, torrent, other need no revision",
        "locator = \"https://huggingface.co/acme/tiny\"",
        "revision = \"DECIDE: the commit\"",
        "gated = false",
        "since = \"2026-07-01\"",
    ]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issue::completes;
    use stele_spec::statement::StageMove;

    #[test]
    fn a_completed_form_is_a_statement() {
        completes::<StageMove>(
            Kind::Stage,
            write,
            &[("one of the words above", "open"), ("a day, such as 2026-07-01", "2026-07-01")],
        );
    }
}
