//! `stele man`: the pages of the manual.

use serde_json::json;
use stele_command_line::man_pages::ManArgs;
use stele_explain::Failure;

use crate::args::program;
use crate::output::Output;

pub(crate) fn run(args: &ManArgs) -> Result<Output, Failure> {
    let made = args.run(&program())?;
    let page = args.folder.is_none().then(|| made.text.clone());
    Ok(Output {
        json: json!({ "folder": args.folder, "pages": made.files, "page": page }),
        text: made.text,
        failure: None,
    })
}
