//! What a log, or somebody, asks an index cosigner, as its routes answer it: the head of a step first, then all of it.

use crate::witness_node::{Answered, time_of};
use stele_index_cosigner::{IndexCosigner, StepAnswer};
use stele_spec::indexcosigner::{AddTransition, StepHead};
use stele_spec::note::{KeyType, SignerKey};

/// The key of the `number`-th index cosigner.
pub fn key(number: usize) -> SignerKey {
    let name = format!("i{number}.example/index").parse().expect("a name");
    SignerKey::new(name, KeyType::Cosigner, [80 + number as u8; 32])
}

/// `POST add-transition`.
pub(crate) fn add_transition(cosigner: &IndexCosigner, body: &[u8]) -> Answered {
    let head = body.split_first_chunk::<4>().and_then(|(length, rest)| {
        let length = StepHead::length(*length).ok()?;
        rest.split_at_checked(length)
    });
    let Some((head, rest)) = head else { return Answered::with(400, String::new()) };
    let answer = match cosigner.admits(head, rest.len()) {
        Ok(_) => cosigner.add_transition(body),
        Err(refused) => refused,
    };
    let status = answer.status();
    match answer {
        StepAnswer::Cosigned(lines) => {
            let note = AddTransition::parse(body).ok().map(|request| request.note().clone());
            let cosigned = note.zip(time_of(&lines));
            Answered { cosigned, ..Answered::with(status, lines) }
        }
        StepAnswer::Checked(size) | StepAnswer::NotTheLast(size) => Answered::with(status, format!("{size}\n")),
        StepAnswer::Refused(refused) => {
            let convicts = refused.convicts();
            Answered { convicts, ..Answered::with(status, format!("{{\"error\":\"{}\"}}\n", refused.code())) }
        }
        _ => Answered::with(status, String::new()),
    }
}
