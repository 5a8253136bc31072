//! Somebody who has the log's key signs a tree whose index is wrong, and brings it to whoever cosigns, and to readers.

use crate::fault::Fault;
use crate::log_node;
use crate::model::{Kept, broken};
use crate::readers::Read;
use crate::request::{Call, InFlight};
use crate::world::World;
use crate::wrong_index::{Lie, Signed, sign};
use std::fmt::Write as _;
use stele_spec::merkle::{prove_consistency, root_at};
use stele_spec::misbehaviour::{KnownKeys, Misbehaviour};
use stele_spec::note::{NoteSignature, SignedNote};
use stele_spec::text::to_base64;

impl World {
    /// Signs a tree with a wrong index that goes on from what an index cosigner has cosigned, and brings it: to index cosigners always, to the
    /// witnesses as well where `asks_witnesses`.
    pub(crate) fn deceive(&mut self, lie: Lie, asks_witnesses: bool) -> Kept {
        let running: Vec<usize> = (self.plan.witnesses..self.witnesses.len())
            .filter(|cosigner| self.witnesses[*cosigner].is_running())
            .collect();
        if running.is_empty() {
            return Ok(());
        }
        let Some(base) = self.model.last_of(self.random.pick(&running)) else { return Ok(()) };
        let before = self.model.entries(base).unwrap_or_default().to_vec();
        let Some(signed) = sign(lie, &before, &mut self.random) else { return Ok(()) };
        self.counts.fault(Fault::WrongIndex);
        self.note(format!("a wrong index, {lie:?}, in a tree of {} after {}", signed.head.0, base.0));
        if asks_witnesses {
            // From here on witnesses may hold what the log did not sign.
            self.model.forget_chain();
        }
        self.model.lied(signed.head, signed.tree.clone(), signed.entries.clone());
        let mut lines = Vec::new();
        for cosigner in running {
            lines.extend(self.bring(cosigner, &signed)?);
        }
        if asks_witnesses {
            for witness in 0..self.plan.witnesses {
                lines.extend(self.offer(witness, &signed));
            }
        }
        self.show(&signed, lines)
    }

    /// Brings the steps to an index cosigner, which refuses the first.
    fn bring(&mut self, cosigner: usize, signed: &Signed) -> Result<Vec<NoteSignature>, crate::model::Violation> {
        let mut lines = Vec::new();
        for (number, step) in signed.steps.iter().enumerate() {
            if self.random.percent(self.plan.trouble) {
                self.in_flight.push(InFlight { witness: cosigner, is_step: true, body: step.clone() });
            }
            let Some(response) = self.deliver(cosigner, Call::Step(step)) else { continue };
            self.note(format!("witness {cosigner}: step {number} of a wrong index, {}", response.status));
            if matches!(response.status, 200 | 202) {
                return broken("an index cosigner cosigns no wrong index", format!("step {number}: {response:?}"));
            }
            if number == 0 && response.status == 422 && signed.convicts {
                self.counts.event("wrong indexes convicted", 1);
                self.check_evidence(cosigner)?;
            }
            lines.extend(lines_of(&response.body));
        }
        Ok(lines)
    }

    /// What an index cosigner keeps of a wrong index convicts the log, by the verifier that anyone has. A disk that failed may have nothing.
    pub(crate) fn check_evidence(&mut self, cosigner: usize) -> Kept {
        let node = &self.witnesses[cosigner];
        let (files, disk) = (node.evidence(), &node.state_disk);
        let has_failed = disk.is_off() || disk.has_failed() || disk.is_full();
        let keys = KnownKeys::new([log_node::signer().verifier()]);
        for file in &files {
            let checked = Misbehaviour::parse(file).map_err(|error| error.to_string());
            let checked = checked.and_then(|found| found.check(&keys).map_err(|error| error.to_string()));
            if let Err(why) = checked
                && !has_failed
            {
                return broken("what an index cosigner keeps convicts the log", why);
            }
        }
        if files.is_empty() && !has_failed {
            return broken("what an index cosigner keeps convicts the log", "it keeps nothing");
        }
        Ok(())
    }

    /// Offers the tree to a witness: it knows nothing of an index.
    fn offer(&mut self, witness: usize, signed: &Signed) -> Vec<NoteSignature> {
        let (old, size) = (self.model.last_of(witness).map_or(0, |head| head.0), signed.head.0);
        let Ok(proof) = prove_consistency(&signed.tree, old.min(size), size) else { return Vec::new() };
        let mut body = format!("old {}\n", old.min(size));
        proof.path().iter().for_each(|hash| _ = writeln!(body, "{}", to_base64(hash.as_bytes())));
        let _ = write!(body, "\n{}", signed.note);
        let response = self.deliver(witness, Call::Add(body.as_bytes()));
        response.filter(|response| response.status == 200).map_or_else(Vec::new, |response| lines_of(&response.body))
    }

    /// Shows it to the readers, with every line that it has: none of them believes it.
    fn show(&mut self, signed: &Signed, lines: Vec<NoteSignature>) -> Kept {
        let all = signed.note.signatures().iter().cloned().chain(lines).collect();
        let Ok(note) = SignedNote::new(signed.note.text().to_owned(), all) else { return Ok(()) };
        for reader in 0..self.readers.len() {
            let read = self.readers[reader].see(&note.to_bytes(), &self.policy);
            if let Read::Accepted(head) = read {
                self.model.accepted(head)?;
            }
            let Some((subject, proof)) = &signed.proof else { continue };
            let Some(shown) = with_note(proof, &note) else { continue };
            let read = self.readers[reader].believe(&shown, &self.policy, subject, &self.model, false)?;
            self.note(format!("reader {reader} is shown a wrong index: {}", matches!(read, Read::Refused(_))));
            self.counts.event("wrong name proofs shown", 1);
        }
        debug_assert_eq!(
            root_at(&signed.tree, signed.head.0).ok(),
            Some(signed.head.1),
            "the tree is the one of the head"
        );
        Ok(())
    }
}

/// The same name proof under the note with other signatures.
fn with_note(proof: &stele_spec::nameproof::NameProof, note: &SignedNote) -> Option<Vec<u8>> {
    let text = proof.to_string();
    let (head, _) = text.split_once(proof.checkpoint().text())?;
    Some(format!("{head}{note}").into_bytes())
}

/// Signature lines of an answer.
fn lines_of(body: &str) -> Vec<NoteSignature> {
    body.split_inclusive('\n').filter_map(|line| NoteSignature::parse_line(line).ok()).collect()
}
