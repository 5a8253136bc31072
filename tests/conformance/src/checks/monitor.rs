//! M1 to M4: what a witness shows to monitors.

use stele_spec::checkpoint::{Checkpoint, Origin, verify_log_signature};
use stele_spec::cosignature::verify_cosignature;
use stele_spec::hash::Digest;
use stele_spec::note::{NoteSignature, SignedNote};

use crate::ledger::Lines;
use crate::logs::{Branch, Role};
use crate::suite::Suite;
use stele_probe::door::Reply;
use stele_probe::failure::Step;

pub(super) fn all(suite: &mut Suite<'_>) -> Step {
    let log = suite.log(Role::Main)?;
    let own = log.signer().verifier();
    let stranger = log.other_key(11).verifier();
    let unknown = NoteSignature { name: own.name().clone(), hash: stranger.hash(), bytes: vec![11; 64] };
    let request = suite.growth(Role::Main, 1)?.and(&[unknown.to_string()]);
    let (reply, mut lines) = suite.send_for_lines(Role::Main, &request)?;
    if reply.status() != 200 {
        let request = suite.growth(Role::Main, 1)?;
        (_, lines) = suite.send_for_lines(Role::Main, &request)?;
    }
    let page = page(suite, request.checkpoint.origin());
    suite.tell("M2", "a log that was cosigned", &page, page.status() == 200);
    if page.status() != 200 {
        suite.skip(&["M1", "M2b", "M3", "M4"], "there is no monitoring page");
        return Ok(());
    }
    never_cosigned(suite)?;
    let wrong = problem(suite, &request.checkpoint, &page, &lines)?;
    suite.found("M2b", wrong);
    let note = SignedNote::parse(page.body()).ok();
    let newest = note.as_ref().is_some_and(|note| note.text() == request.checkpoint.to_string());
    suite.tell("M3", "the page", &page, newest);
    let kept = note.is_some_and(|note| note.signatures().contains(&unknown));
    suite.found("M4", kept.then(|| "a line of an unknown key".to_owned()));
    Ok(())
}

fn page(suite: &Suite<'_>, origin: &Origin) -> Reply {
    suite.target.monitoring.get(&format!("/{}/checkpoint", origin.digest()))
}

/// Whether a line is on the page of a checkpoint.
pub(super) fn kept(suite: &Suite<'_>, checkpoint: &Checkpoint, line: &NoteSignature) -> Step<bool> {
    let page = page(suite, checkpoint.origin());
    Ok(page.status() == 200 && SignedNote::parse(page.body()).is_ok_and(|note| note.signatures().contains(line)))
}

fn never_cosigned(suite: &mut Suite<'_>) -> Step {
    let never = suite.log(Role::Never)?.origin().digest();
    let stranger = suite.log(Role::Stranger)?.origin().digest();
    let main = suite.log(Role::Main)?.origin().digest().to_string().to_uppercase();
    // A witness that was taken in about it has cosigned it.
    let never = if suite.log(Role::Never)?.cosigned { Digest::of(b"nothing") } else { never };
    for (what, hash) in [
        ("known", never.to_string()),
        ("unknown", stranger.to_string()),
        ("no hash of an origin", Digest::of(b"").to_string()),
        ("in upper case", main),
    ] {
        let reply = suite.target.monitoring.get(&format!("/{hash}/checkpoint"));
        suite.tell("M1", what, &reply, reply.status() == 404);
    }
    Ok(())
}

/// What is wrong with a page of a log whose newest checkpoint was cosigned with these lines.
fn problem(suite: &mut Suite<'_>, newest: &Checkpoint, page: &Reply, lines: &Lines) -> Step<Option<String>> {
    let note = match SignedNote::parse(page.body()) {
        Ok(note) => note,
        Err(error) => return Ok(Some(error.to_string())),
    };
    let log = suite.log(Role::Main)?;
    let head = match verify_log_signature(&note, &log.signer().verifier()) {
        Ok(head) => head,
        Err(error) => return Ok(Some(error.to_string())),
    };
    if head.size() > newest.size() || head.root() != log.root(Branch::Honest, head.size())? {
        return Ok(Some(format!("a tree head of size {} that is none of the log's", head.size())));
    }
    let mut own = 0;
    for line in note.signatures() {
        for key in suite.target.keys.iter().filter(|key| key.is_meant_by(line)) {
            if let Err(error) = verify_cosignature(note.text(), line, key) {
                return Ok(Some(format!("the line of {}: {error}", key.name())));
            }
            own += 1;
        }
    }
    if own == 0 {
        return Ok(Some("no line of a named key".to_owned()));
    }
    let all = note.text() != newest.to_string() || lines.verified.iter().all(|line| note.signatures().contains(line));
    Ok((!all).then(|| "not every line that add-checkpoint gave".to_owned()))
}
