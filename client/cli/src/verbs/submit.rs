//! `stele submit`: a statement that several keys sign, signed by the last of them and put into the log.

use stele_explain::Failure;
use stele_log_client::api::LogClient;
use stele_log_client::log_url;
use stele_publish::foresight::{self, Earlier};
use stele_publish::receipt;
use stele_publish::register;
use stele_spec::hash::KeyId;
use stele_spec::manifest::Manifest;
use stele_spec::registration::View as _;
use stele_terminal::volume::note;

use crate::Output;
use crate::args::SubmitProposalArgs;
use crate::issue;
use crate::key;
use crate::log_args::{local_state, proven_entries};
use crate::policy_file;
use crate::proposal;
use crate::rehearsal::Rehearsal;

pub(crate) fn run(args: SubmitProposalArgs) -> Result<Output, Failure> {
    let proposal = proposal::of_statement(&args.file)?;
    proposal.check_shown(args.digest)?;
    let key = key::signer(&args.key)?;
    let loaded = policy_file::load(args.said.trust.policy.as_deref())?;
    let url = log_url::log_url(args.said.trust.log.as_deref(), Some(&loaded.policy))?;
    let log = LogClient::new(url, args.said.wait, note);
    let mut record = proven_entries(&log, &loaded.policy, args.said.trust.accept_incomplete_answer)?;
    let plain = proposal.statement().without_approvals();
    record.keys(plain.publisher())?;
    let registry = record.registry();
    let held = |kid: &KeyId| registry.holder(plain.publisher())?.key(kid).copied();
    let (statement, left_out) = proposal.counted(&key.public(), held)?;
    for kid in left_out {
        note(&format!(
            "the approval of {kid} does not count and is left out: {} does not have that key now, or the signature is of something else\n",
            plain.publisher()
        ));
    }
    let output = args.said.output.as_deref().filter(|_| !args.said.dry_run);
    // Submitting it again, by whichever key, finds what is in the log.
    let mut there = None;
    for coordinate in statement.coordinates() {
        let about = record.about(&coordinate)?;
        there = there.or_else(|| about.into_iter().find(|logged| logged.statement().without_approvals() == plain));
    }
    let findings = match (&there, statement.release(), proposal.manifest()) {
        (Some(_), _, _) => Vec::new(),
        (None, Some(release), Some(manifest)) => {
            Earlier::of_release(&mut record, release, manifest)?.foresees(&statement, Some(manifest))
        }
        (None, _, _) => foresight::of_statement(&mut record, &statement, note)?,
    };
    if there.is_none() {
        let signed = key.sign(&statement)?;
        register::check(&mut record, &signed)?;
        receipt::check_place(output)?;
        if !args.said.dry_run {
            let manifest = proposal.manifest().map(Manifest::bytes);
            let expect = args.said.expect.as_deref();
            let logged = match manifest {
                Some(manifest) => register::submit_release(&mut record, &signed, manifest, expect)?,
                None => register::submit(&mut record, &signed, expect)?,
            };
            local_state(false).keep_own(&mut record, &logged)?;
            return issue::render(&logged, &mut record, proposal.manifest(), output, Some(&findings));
        }
    }
    if let (Some(logged), false) = (&there, args.said.dry_run) {
        return issue::render(logged, &mut record, proposal.manifest(), output, None);
    }
    let (rows, changes) = issue::changed(&statement, there.is_none(), &record);
    Rehearsal {
        title: format!("send this {}", statement.kind()),
        statement: &statement,
        output: args.said.output.as_deref(),
        findings: &findings,
        changes,
        earlier: None,
        rows,
        there: there.map(|logged| logged.position()),
    }
    .output()
}
