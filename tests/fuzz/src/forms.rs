//! What people write and others hand them: forms of statements, proposals that wait for further keys. The first byte picks which.

use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use stele_publish::form::Form;
use stele_publish::key_proposal::Proposal as KeyProposal;
use stele_publish::problems::Problems;
use stele_publish::release_file::ReleaseFile;
use stele_publish::statement_proposal::StatementProposal;

fn file(bytes: &[u8]) -> Option<PathBuf> {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    let path = PATH.get_or_init(|| PathBuf::from(format!("/dev/shm/stele-fuzz-{}", std::process::id())));
    fs::write(path, bytes).ok()?;
    Some(path.clone())
}

/// One input.
pub fn run(data: &[u8]) {
    let Some((which, bytes)) = data.split_first() else { return };
    match which % 4 {
        0 => {
            let Some(path) = file(bytes) else { return };
            let _ = ReleaseFile::read(&path, &mut Problems::default());
        }
        1 => {
            let Some(path) = file(bytes) else { return };
            let Ok((form, open)) = Form::read_open(&path, "a form") else { return };
            assert_eq!(Form::read(&path, "a form").is_ok(), open.is_none());
            let _ = form.into_table();
        }
        2 => {
            let Ok(proposal) = KeyProposal::parse(bytes) else { return };
            // What was read says the same when it is written.
            let text = proposal.format().expect("a proposal that was read can be written");
            let again = KeyProposal::parse(text.as_bytes()).expect("and read again");
            assert_eq!(again.format().ok(), Some(text));
        }
        _ => {
            let Ok(proposal) = StatementProposal::parse(bytes) else { return };
            let text = proposal.format().expect("a proposal that was read can be written");
            let again = StatementProposal::parse(text.as_bytes()).expect("and read again");
            assert_eq!(again.format().ok(), Some(text));
        }
    }
}
