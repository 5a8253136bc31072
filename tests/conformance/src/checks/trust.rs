//! B1 to C4 and O1: who may speak for a log.

use stele_spec::checkpoint::{Checkpoint, sign_checkpoint};
use stele_spec::note::{NoteSignature, SignedNote, SignerKey, VerifierKey};

use super::monitor;
use crate::body::Request;
use crate::logs::{Branch, Role};
use crate::suite::Suite;
use stele_probe::failure::{During, Step};

pub(super) fn all(suite: &mut Suite<'_>) -> Step {
    unknown_origin(suite)?;
    no_trusted_line(suite)?;
    a_line_that_does_not_verify(suite)?;
    unknown_lines(suite)
}

fn unknown_origin(suite: &mut Suite<'_>) -> Step {
    let request = Request::growth(suite.log(Role::Stranger)?, 3)?;
    let reply = suite.send(Role::Stranger, &request)?;
    suite.tell("B1", "signed by its own key", &reply, reply.status() == 404);
    let known = suite.log(Role::Main)?.signer().clone();
    let note = sign_checkpoint(&request.checkpoint, &known).during("signing")?;
    let request = Request::with_note(0, Vec::new(), request.checkpoint, &note);
    let reply = suite.send(Role::Stranger, &request)?;
    suite.tell("B1", "signed by the key of a log that is known", &reply, reply.status() == 404);
    Ok(())
}

fn no_trusted_line(suite: &mut Suite<'_>) -> Step {
    let others = [
        ("another key of the log's name", suite.log(Role::Main)?.other_key(9)),
        ("the key of another log", suite.log(Role::Fork)?.signer().clone()),
    ];
    for (what, key) in others {
        let request = signed_by(suite.growth(Role::Main, 1)?, &key)?;
        let reply = suite.send(Role::Main, &request)?;
        suite.tell("C1", what, &reply, reply.status() == 403);
    }
    // Who is not the log learns nothing about sizes.
    let key = suite.log(Role::Main)?.other_key(9);
    let size = suite.log(Role::Main)?.size;
    for (what, old, new) in
        [("old size above the size", size + 9, size + 1), ("old size not the last", size + 1, size + 2)]
    {
        let request = signed_by(Request::between(suite.log(Role::Main)?, old, new)?, &key)?;
        let reply = suite.send(Role::Main, &request)?;
        suite.tell("O1", what, &reply, reply.status() == 403);
    }
    Ok(())
}

fn signed_by(request: Request, key: &SignerKey) -> Step<Request> {
    let note = sign_checkpoint(&request.checkpoint, key).during("signing")?;
    Ok(Request { note: note.to_string(), ..request })
}

fn a_line_that_does_not_verify(suite: &mut Suite<'_>) -> Step {
    for (id, what) in [("C2", "alone"), ("C2b", "before a good one"), ("C2b", "after a good one")] {
        let request = suite.growth(Role::Main, 1)?;
        let good = suite.log(Role::Main)?.sign(&request.checkpoint)?;
        let mut bad: Vec<NoteSignature> = good.signatures().to_vec();
        for byte in bad.iter_mut().filter_map(|line| line.bytes.first_mut()) {
            *byte ^= 1;
        }
        let lines = match what {
            "alone" => bad,
            "before a good one" => [bad, good.signatures().to_vec()].concat(),
            _ => [good.signatures().to_vec(), bad].concat(),
        };
        let lines: String = lines.iter().map(ToString::to_string).collect();
        let reply = suite.send(Role::Main, &Request { note: format!("{}\n{lines}", good.text()), ..request })?;
        // Beside a good one it is a second line of one key as well, which makes the note malformed.
        let holds = reply.status() == 403 || id == "C2b" && reply.status() == 400;
        suite.tell(id, what, &reply, holds);
    }
    Ok(())
}

fn unknown_lines(suite: &mut Suite<'_>) -> Step {
    let log = suite.log(Role::Main)?;
    let (own, other) = (log.signer().verifier(), log.other_key(9).verifier());
    let strange = |name: &VerifierKey, hash: &VerifierKey, bytes: Vec<u8>| {
        NoteSignature { name: name.name().clone(), hash: hash.hash(), bytes }.to_string()
    };
    let mut lines = vec![
        ("another key of the log's name", strange(&own, &other, vec![7; 64])),
        ("a key of an unknown kind", strange(&own, &other, vec![7; 3])),
    ];
    for key in &suite.target.keys {
        lines.push(("another key of the witness's name", strange(key, &other, vec![7; 72])));
    }
    for (what, line) in lines {
        let request = suite.growth(Role::Main, 1)?.and(&[line]);
        suite.cosigned("C3", Role::Main, what, &request)?;
    }
    let request = suite.growth(Role::Main, 1)?;
    let line = suite.log(Role::Main)?.sign(&request.checkpoint)?.signatures().iter().map(ToString::to_string).collect();
    let request = request.and(&[line]);
    let reply = suite.send(Role::Main, &request)?;
    suite.tell("C4", "twice", &reply, (400..500).contains(&reply.status()));
    Ok(())
}

/// A log can put any bytes under the witness's name. One that keeps the note as it came could not read its own state afterwards.
pub(super) fn forged_under_its_own_name(suite: &mut Suite<'_>) -> Step {
    for key in &suite.target.keys {
        let length = if key.key_type() == stele_spec::note::KeyType::MlDsa { 8 + 2420 } else { 8 + 64 };
        let forged = NoteSignature { name: key.name().clone(), hash: key.hash(), bytes: vec![1; length] };
        let request = suite.growth(Role::Main, 1)?.and(&[forged.to_string()]);
        suite.cosigned("C3b", Role::Main, "the forged line", &request)?;
        let checkpoint = request.checkpoint;
        let wrong = monitor::kept(suite, &checkpoint, &forged)?;
        suite.found("C3b", wrong.then(|| "the forged line is on the monitoring page".to_owned()));
        let request = suite.growth(Role::Main, 1)?;
        suite.cosigned("C3b", Role::Main, "growth after it", &request)?;
    }
    Ok(())
}

/// A checkpoint of a log's honest history, signed.
pub(super) fn head(suite: &mut Suite<'_>, role: Role, size: u64) -> Step<(Checkpoint, SignedNote)> {
    let log = suite.log(role)?;
    let checkpoint = log.checkpoint(Branch::Honest, size)?;
    let note = log.sign(&checkpoint)?;
    Ok((checkpoint, note))
}
