//! What is between logs and witnesses: requests that are lost, come late, come twice, or whose answer is lost.

use crate::fault::Fault;
use crate::model::{Kept, broken, head_of};
use crate::request::{Call, InFlight};
use crate::world::World;
use stele_log_core::contract::cosigner::{Cosigner, Unreachable, WitnessResponse};

/// What is between a log and a witness.
struct Exchange<'a> {
    world: &'a mut World,
    log: usize,
    witness: usize,
}

impl Cosigner for Exchange<'_> {
    fn add_checkpoint(&mut self, body: &[u8]) -> Result<WitnessResponse, Unreachable> {
        self.world.exchange(self.log, self.witness, Call::Add(body))
    }

    fn add_transition(&mut self, body: &[u8]) -> Result<WitnessResponse, Unreachable> {
        self.world.exchange(self.log, self.witness, Call::Step(body))
    }

    fn newest_checkpoint(&mut self) -> Result<WitnessResponse, Unreachable> {
        self.world.exchange(self.log, self.witness, Call::Newest)
    }
}

impl World {
    /// Lets an address of a log ask its witness; whether there was something to ask.
    pub fn ask(&mut self, log: usize, address: usize) -> bool {
        let Some(process) = &mut self.logs[log].process else { return false };
        let Some(slot) = process.endpoints.get_mut(address) else { return false };
        let witness = slot.witness;
        let Some(request) = slot.request.take() else { return false };
        let Some(mut endpoint) = slot.endpoint.take() else { return false };
        let answers = endpoint.answers(&request, &mut Exchange { world: self, log, witness });
        if let Some(process) = &mut self.logs[log].process {
            process.endpoints[address].endpoint = Some(endpoint);
            process.hear(answers);
        }
        true
    }

    /// A request arrives at a witness.
    pub fn deliver(&mut self, witness: usize, call: Call<'_>) -> Option<WitnessResponse> {
        let answered = match call {
            Call::Add(body) => self.witnesses[witness].add_checkpoint(body),
            Call::Step(body) => self.witnesses[witness].add_transition(body),
            Call::Newest => self.witnesses[witness].newest_checkpoint(),
        };
        self.counts.event("requests to witnesses", 1);
        if let Some((note, time)) = &answered.cosigned
            && let Some(head) = head_of(note)
        {
            self.note(format!("witness {witness}: cosigned {} at {time}", head.0));
            self.counts.event("cosignatures", 1);
            if self.witnesses[witness].is_index() {
                self.counts.event("cosignatures of index cosigners", 1);
            }
            let kept = self.model.cosigned(witness, head, *time);
            self.remember(kept);
        }
        if answered.convicts {
            let kept = self.convicted(witness);
            self.remember(kept);
        }
        answered.response
    }

    /// An index cosigner says that the log's own entries convict it.
    fn convicted(&mut self, witness: usize) -> Kept {
        self.note(format!("witness {witness}: convicts the log"));
        if self.model.has_lied() {
            return self.check_evidence(witness);
        }
        broken("nobody is convicted who signed no wrong index", format!("witness {witness}"))
    }

    /// A request that was delayed arrives; its sender has given up.
    pub fn deliver_late(&mut self, index: usize) {
        let InFlight { witness, is_step, body } = self.in_flight.swap_remove(index);
        let response = self.deliver(witness, if is_step { Call::Step(&body) } else { Call::Add(&body) });
        self.note(format!("witness {witness}: a late request, {:?}", response.map(|response| response.status)));
    }

    fn exchange(&mut self, log: usize, witness: usize, call: Call<'_>) -> Result<WitnessResponse, Unreachable> {
        let unreachable = |why| Err(Unreachable { why, detail: String::new() });
        if self.partitioned.contains(&(log, witness)) {
            return unreachable("it cannot be reached");
        }
        let trouble = self.plan.trouble;
        // A request of somebody else, or an older one, comes first.
        if self.random.percent(trouble) && !self.in_flight.is_empty() {
            let index = self.random.index(self.in_flight.len());
            self.deliver_late(index);
        }
        if self.random.percent(trouble) && self.happens(Fault::Loss) {
            return unreachable("it cannot be reached");
        }
        if let Call::Add(body) | Call::Step(body) = call {
            let later = || InFlight { witness, is_step: matches!(call, Call::Step(_)), body: body.to_vec() };
            if self.random.percent(trouble) && self.happens(Fault::Delay) {
                self.in_flight.push(later());
                return unreachable("it took too long");
            }
            if self.random.percent(trouble) && self.happens(Fault::Duplicate) {
                self.in_flight.push(later());
            }
        }
        let answer = self.deliver(witness, call);
        if self.random.percent(trouble) && self.happens(Fault::HalfOpen) {
            return unreachable("it took too long");
        }
        answer.map_or_else(|| unreachable("it cannot be reached"), Ok)
    }
}
