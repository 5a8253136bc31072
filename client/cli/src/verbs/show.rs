//! `stele show`: a page to read, of a file here or of a release in the log.

use std::path::Path;

use serde_json::{Value, json};
use stele_clock::{Clock as _, SystemClock};
use stele_explain::Failure;
use stele_explain::printable::one_line;
use stele_log_client::age;
use stele_log_client::release_status::ReleaseStatus;
use stele_model_files::examine::ComputedClaims;
use stele_publish::key_proposal::Proposal;
use stele_publish::statement_proposal::StatementProposal;
use stele_spec::statement::Statement;
use stele_spec::status::{Event, What};

use crate::Output;
use crate::args::ShowArgs;
use crate::loaded_statement::LoadedStatement;
use crate::log_args::LogContext;
use crate::policy_file;
use crate::proposal;
use crate::render::computed_claims;
use crate::render::lifecycle;
use crate::render::page::Page;
use crate::render::statement;
use crate::subject::Subject;

pub(crate) fn run(args: ShowArgs) -> Result<Output, Failure> {
    let loaded = match Subject::parse(&args.what)? {
        Subject::File(file) => {
            if let Some(proposal) = Proposal::of_file(&file)? {
                return Ok(waiting(&proposal));
            }
            if let Some(proposal) = StatementProposal::of_file(&file)? {
                return proposed(&proposal);
            }
            return of_file(&file, &args);
        }
        subject => {
            let asked = LogContext::by(&args.asking)?;
            let log = asked.log()?;
            let mut loaded = subject.load(Some(&log))?;
            loaded.ask_for_keys(&log)?;
            loaded
        }
    };
    Ok(Output { text: text(&loaded), json: document(&loaded), failure: None })
}

/// A statement of a file. Under a policy that was named its proof has to hold: of a statement that is no release nothing else says so offline.
fn of_file(file: &Path, args: &ShowArgs) -> Result<Output, Failure> {
    let Some(named) = args.asking.trust.policy.as_deref() else {
        let loaded = LoadedStatement::file(file)?;
        return Ok(Output { text: text(&loaded), json: document(&loaded), failure: None });
    };
    let policy = policy_file::load(Some(named))?.policy;
    let (loaded, entry) = LoadedStatement::file_under(file, &policy, args.asking.no_state)?;
    let mut page = Page(text(&loaded));
    if let Some(entry) = entry {
        page.section("Proven");
        page.row("entry", &format!("{} of log {}", entry.position(), entry.head().value().origin()));
        page.witnesses(entry.head(), &policy);
    }
    Ok(Output { text: page.0, json: document(&loaded), failure: None })
}

/// A change of keys that is not signed by all.
fn waiting(proposal: &Proposal) -> Output {
    let text =
        format!("{}\nNobody has checked its signatures: `stele keys submit` does.\n", statement::of_proposal(proposal));
    let json = json!({ "verified": false, "needed": proposal.needed, "statement": proposal.statement });
    Output { text, json, failure: None }
}

/// A statement about a release that is not signed by all.
fn proposed(proposal: &StatementProposal) -> Result<Output, Failure> {
    let mut page = proposal::page(proposal, &proposal::Approvals::default())?;
    page.0.push_str("\nNobody has checked its signatures: `stele submit` does.\n");
    let json = json!({ "verified": false, "needed": proposal.needed(), "statement": proposal.statement() });
    Ok(Output { text: page.0, json, failure: None })
}

/// What stands before everything else: that the publisher took the release back, or that a critical incident of it is open.
fn headline(loaded: &LoadedStatement) -> String {
    let known = loaded.release_status.as_ref().and_then(|release_status| release_status.history.withdrawal());
    let critical =
        loaded.release_status.as_ref().and_then(|release_status| lifecycle::critical(&release_status.history));
    let in_file = loaded.said.iter().find_map(|signed| match signed.statement() {
        Statement::Withdraw(withdraw) => Some(withdraw),
        _ => None,
    });
    match (known, in_file) {
        (None, _) if let Some(critical) = critical => format!("{critical}\n\n"),
        (Some((entry, withdraw)), _) => {
            format!("WITHDRAWN at entry {entry}: {}\n\n", one_line(&withdraw.reason.to_string()))
        }
        (None, Some(withdraw)) if loaded.release_status.is_none() => format!(
            "WITHDRAWN, says a statement in this file that was not verified (--policy does): {}\n\n",
            one_line(&withdraw.reason.to_string())
        ),
        _ => String::new(),
    }
}

fn text(loaded: &LoadedStatement) -> String {
    headline(loaded) + &page(loaded)
}

fn page(loaded: &LoadedStatement) -> String {
    // What amendments changed is shown as it stands; below it is said from what.
    let mut page = Page(match (&loaded.release_status, loaded.release()) {
        (Some(_), Some(release)) => statement::of_release(release, &format!("key {}", loaded.signed.kid())),
        _ => statement::of(&loaded.signed),
    });
    if let Some(release) = loaded.release() {
        page.section("Computed from the record");
        computed_claims::rows(
            &ComputedClaims::of_record(loaded.position, release, loaded.manifest.as_ref()),
            &mut page,
        );
    }
    match (&loaded.release_status, loaded.position) {
        (Some(release_status), _) => {
            page.section("What became of it");
            lifecycle::rows(&mut page, release_status);
            page.section("As of");
            page.row("status", &age::status(release_status, SystemClock.unix_seconds()));
            page.0.push_str(&format!("\n{} That it is true, nobody has verified.\n", stands(release_status)));
        }
        (None, Some(position)) => {
            if let Some(revoked) = &loaded.revoked {
                page.section("What became of it");
                page.row("key revoked", &format!("entry {position}: {}", revoked.text()));
            }
            page.0.push_str(&format!("\nThis is entry {position} of the log. That it is true, nobody has verified.\n"));
        }
        (None, None) => {
            if !loaded.said.is_empty() {
                page.section("Said of it since, by this file");
                for signed in &loaded.said {
                    if let Statement::Publisher(change) = signed.statement() {
                        let reason = change.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
                        page.row(
                            "key revoked",
                            &one_line(&format!("on {}, the key that signed it{reason}", change.issued_at)),
                        );
                        continue;
                    }
                    page.row(&signed.statement().kind().to_string(), &format!("on {}", signed.statement().issued_at()));
                }
            }
            page.0.push_str(
                "\nIt is shown as it was signed. Nothing here has been verified: --policy proves that it is in a log, and of a release what was said of it since, as far as the file has it; \
                 `stele verify` does more.\n",
            );
        }
    }
    page.0
}

/// Which release the page shows.
fn stands(release_status: &ReleaseStatus) -> String {
    let amended = |event: &&Event| matches!(event.what, What::Amended { .. } | What::Moved { .. });
    let entries: Vec<String> =
        release_status.history.events().iter().filter(amended).map(|event| event.position.to_string()).collect();
    match (entries.as_slice(), release_status.history.release()) {
        ([], _) | (_, None) => {
            "The page is the release as it was signed, and nothing in it was changed since.".to_owned()
        }
        (_, Some((released, _))) => format!(
            "The page is the release as it stands, changed by {}; `stele show entry:{released}` shows it as it was signed.",
            entries.iter().map(|entry| format!("entry {entry}")).collect::<Vec<_>>().join(", ")
        ),
    }
}

fn document(loaded: &LoadedStatement) -> Value {
    let statement = loaded.statement();
    let (revoked_at, reason) = lifecycle::revocation_json(loaded.revoked.clone());
    let mut json = json!({
        "key_id": loaded.signed.kid(),
        "key_revoked_at_entry": revoked_at,
        "key_revocation_reason": reason,
        "further": loaded.said.iter().map(|signed| signed.statement()).collect::<Vec<_>>(),
        "verified": loaded.position.is_some(),
        "statement": statement,
    });
    let Some(fields) = json.as_object_mut() else { return json };
    if let Some(coordinate) = statement.coordinate() {
        fields.insert("coordinate".into(), coordinate.to_string().into());
    }
    if let Some(position) = loaded.position {
        fields.insert("entry".into(), position.into());
    }
    if let Some(release) = loaded.release() {
        let examination = ComputedClaims::of_record(loaded.position, release, loaded.manifest.as_ref());
        fields.insert("computed".into(), examination.json());
    }
    if let Some(release_status) = &loaded.release_status {
        fields.insert("lifecycle".into(), lifecycle::json(release_status));
        fields.insert("current".into(), json!(loaded.release()));
    }
    json
}
