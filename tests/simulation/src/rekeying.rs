//! A log that changes its key: first it signs with both, and when every witness knows the second, the first is retired.

use crate::fault::Fault;
use crate::log_node::{Keys, second_signer};
use crate::model::Kept;
use crate::world::World;

impl World {
    /// The next thing on that way: a witness learns the second key, or the log's keys change.
    pub(crate) fn change_key(&mut self) -> Kept {
        let second = second_signer().verifier();
        let unaware: Vec<usize> =
            (0..self.witnesses.len()).filter(|witness| !self.witnesses[*witness].knows_second()).collect();
        if !unaware.is_empty() && self.random.percent(70) {
            let witness = self.random.pick(&unaware);
            self.counts.fault(Fault::KeyChanged);
            self.note(format!("witness {witness}: learns the log's second key"));
            self.witnesses[witness].learn(&second);
            let loses_power = self.random.bit();
            self.end_witness(witness, loses_power);
            self.start_witness(witness);
            return Ok(());
        }
        let next = match self.logs[0].keys {
            Keys::First => Keys::Both,
            Keys::Both if unaware.is_empty() && self.is_published_with_both() => Keys::Second,
            Keys::Both | Keys::Second => return Ok(()),
        };
        if self.logs.len() > 1 {
            return Ok(());
        }
        self.counts.fault(Fault::KeyChanged);
        self.note(format!("log 0: signs with {next:?}"));
        self.logs[0].keys = next;
        let loses_power = self.random.bit();
        self.end_log(0, loses_power);
        self.start_log(0)
    }

    /// Whether the newest published head can be read by who knows only the second key.
    fn is_published_with_both(&self) -> bool {
        let published = self.logs[0].process.as_ref().and_then(|process| process.log.published());
        let second = second_signer().verifier();
        published.is_some_and(|head| head.note().signatures().iter().any(|line| second.is_meant_by(line)))
    }
}
