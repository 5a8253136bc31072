//! H1 to H6: `sign-subtree`, which a witness need not offer.

use stele_spec::checkpoint::Subtree;
use stele_spec::cosignature::verify_subtree;
use stele_spec::merkle::{prove_subtree, subtree_root};
use stele_spec::note::NoteSignature;
use stele_spec::text::to_base64;

use super::trust::head;
use crate::logs::{Branch, Role};
use crate::suite::Suite;
use stele_probe::door::Reply;
use stele_probe::failure::{During, Step};

const ROWS: [&str; 6] = ["H1", "H2", "H3", "H4", "H5", "H6"];

/// A request in its parts.
#[derive(Clone)]
struct Part {
    range: String,
    hash: String,
    proof: Vec<String>,
    note: String,
}

/// What is done to a request, in words.
type Change = (&'static str, fn(Part) -> Part);

impl Part {
    fn to_text(&self) -> String {
        let proof: String = self.proof.iter().map(|line| format!("{line}\n")).collect();
        format!("{}\n{}\n{proof}\n{}", self.range, self.hash, self.note)
    }
}

pub(super) fn all(suite: &mut Suite<'_>) -> Step {
    // Large enough for the part below, whatever the log has come to.
    let by = 20_u64.saturating_sub(suite.log(Role::Main)?.size).max(1);
    let request = suite.growth(Role::Main, by)?;
    let (_, lines) = suite.send_for_lines(Role::Main, &request)?;
    let size = request.checkpoint.size();
    let (start, end) = (8, 13);
    let tree = suite.log(Role::Main)?.tree(Branch::Honest, size)?;
    let root = subtree_root(tree, start, end).during("hashing a part")?;
    let proof = prove_subtree(tree, start, end, size).during("proving a part")?;
    let good = Part {
        range: format!("subtree {start} {end}"),
        hash: to_base64(root.as_bytes()),
        proof: proof.path().iter().map(|hash| to_base64(hash.as_bytes())).collect(),
        note: with_lines(&request.checkpoint.to_string(), &lines.verified),
    };
    let reply = ask(suite, &good.to_text());
    if [404, 405, 501].contains(&reply.status()) {
        suite.skip(&ROWS, &format!("not offered: {reply}"));
        return Ok(());
    }
    let subtree = Subtree { origin: request.checkpoint.origin().clone(), start, end, hash: root };
    let wrong = problem(suite, &reply, &subtree);
    suite.found("H6", wrong);
    malformed(suite, &good);
    no_subtrees(suite, &good, size)?;
    whose(suite, &good, &lines.verified)?;
    for (what, hash) in [("another part", [7; 32]), ("the whole tree's root", *request.checkpoint.root().as_bytes())] {
        let reply = ask(suite, &Part { hash: to_base64(&hash), ..good.clone() }.to_text());
        suite.tell("H5", what, &reply, reply.status() == 422);
    }
    let reply = ask(suite, &Part { proof: Vec::new(), ..good }.to_text());
    suite.tell("H5", "no proof", &reply, reply.status() == 422);
    Ok(())
}

fn ask(suite: &Suite<'_>, body: &str) -> Reply {
    suite.target.submission.post("/sign-subtree", body.as_bytes())
}

fn with_lines(text: &str, lines: &[NoteSignature]) -> String {
    let lines: String = lines.iter().map(ToString::to_string).collect();
    format!("{text}\n{lines}")
}

fn problem(suite: &Suite<'_>, reply: &Reply, subtree: &Subtree) -> Option<String> {
    if reply.status() != 200 {
        return Some(reply.to_string());
    }
    let lines = String::from_utf8_lossy(reply.body());
    let mut verified = 0;
    for line in lines.split_inclusive('\n') {
        let Ok(line) = NoteSignature::parse_line(line) else { return Some(format!("no signature line: {line:?}")) };
        let Some(key) = suite.target.keys.iter().find(|key| key.is_meant_by(&line)) else { continue };
        match verify_subtree(subtree, &line, key) {
            Ok(()) => verified += 1,
            Err(error) => return Some(error.to_string()),
        }
    }
    (verified == 0).then(|| "no line of a named key".to_owned())
}

fn malformed(suite: &mut Suite<'_>, good: &Part) {
    let changes: [Change; 5] = [
        ("another first word", |part| Part { range: part.range.replace("subtree", "part"), ..part }),
        ("a leading zero", |part| Part { range: part.range.replace(" 8 ", " 08 "), ..part }),
        ("no end", |part| Part { range: "subtree 8".to_owned(), ..part }),
        ("a hash of 31 bytes", |part| Part { hash: to_base64(&[7; 31]), ..part }),
        ("no checkpoint", |part| Part { note: String::new(), ..part }),
    ];
    for (what, change) in changes {
        let reply = ask(suite, &change(good.clone()).to_text());
        suite.tell("H1", what, &reply, reply.status() == 400);
    }
}

fn no_subtrees(suite: &mut Suite<'_>, good: &Part, size: u64) -> Step {
    for (what, start, end) in [
        ("it is empty", 8, 8),
        ("it is turned around", 13, 8),
        ("it does not start at a multiple of its size", 7, 13),
        ("it ends beyond the checkpoint", 0, size + 1),
    ] {
        let reply = ask(suite, &Part { range: format!("subtree {start} {end}"), ..good.clone() }.to_text());
        suite.tell("H2", what, &reply, reply.status() == 400);
    }
    Ok(())
}

fn whose(suite: &mut Suite<'_>, good: &Part, lines: &[NoteSignature]) -> Step {
    let (stranger, _) = head(suite, Role::Stranger, 20)?;
    let reply = ask(suite, &Part { note: with_lines(&stranger.to_string(), lines), ..good.clone() }.to_text());
    suite.tell("H3", "an unknown log", &reply, reply.status() == 404);

    let text = good.note.split_inclusive("\n\n").next().unwrap_or_default().trim_end().to_owned() + "\n";
    let log_line = suite.log(Role::Main)?.line_over(&text);
    let reply = ask(suite, &Part { note: format!("{text}\n{log_line}"), ..good.clone() }.to_text());
    suite.tell("H4", "the log's line alone", &reply, reply.status() == 403);
    let mut forged = lines.to_vec();
    for byte in forged.iter_mut().filter_map(|line| line.bytes.last_mut()) {
        *byte ^= 1;
    }
    let reply = ask(suite, &Part { note: with_lines(&text, &forged), ..good.clone() }.to_text());
    suite.tell("H4", "forged lines", &reply, reply.status() == 403);
    Ok(())
}
