//! `stele supersede`: another release replaces one.

use stele_explain::Failure;
use stele_publish::form::{FormWriter, Subject};
use stele_publish::form_header::FormHeader;
use stele_publish::issue::StatementRequest;
use stele_spec::statement::Kind;

use crate::Output;
use crate::args::SupersedeArgs;
use crate::issue;

pub(crate) fn run(args: SupersedeArgs) -> Result<Output, Failure> {
    let mut request = StatementRequest::new(Kind::Supersede, args.say.release.as_deref(), None)?;
    let by = args.by.as_deref().map(Subject::read).transpose()?;
    request.value("by", by.map(|by| by.to_value()), "--by");
    request.text("reason", args.reason.as_deref(), "--reason");
    if args.say.draft { issue::draft(request, &args.say, write) } else { issue::issue(request, &args.say) }
}

fn write(sheet: &mut FormWriter, head: &FormHeader) {
    head.write(sheet, "A newer release replaces one, which stays what it was");
    head.release(sheet);
    sheet.comment("What replaces it: the coordinate of a release in this log, whoever published it.");
    sheet.ask("by", "the coordinate of the newer release");
    sheet.comment("Why, for everybody to read.");
    sheet.ask("reason", "why it is replaced, and what those who use it should do");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issue::completes;
    use stele_spec::statement::Supersede;

    #[test]
    fn a_completed_form_is_a_statement() {
        let newer = "acme.example/tiny@1.1.0#base";
        completes::<Supersede>(Kind::Supersede, write, &[("the coordinate of the newer release", newer)]);
    }
}
