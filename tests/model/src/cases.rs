//! What is explored: each model with all its rules, and once without each of them.

use crate::explore::{Explored, explore};
use crate::standby::{Compares, Discards, Standby};
use crate::witness::Witness;
use crate::writer::{Bounds, Writer};

/// One exploration.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// Of which model.
    pub model: &'static str,
    /// What is other than with all rules.
    pub what: &'static str,
    /// The promise that breaks then; `None` where nothing does.
    pub breaks: Option<&'static str>,
    run: fn() -> Explored,
}

impl Case {
    /// Explores it.
    pub fn explore(&self) -> Explored {
        (self.run)()
    }
}

/// One process, which nothing kills: what breaks then breaks by itself.
const ALONE: Bounds = Bounds { batches: 2, processes: 1, kills: 0, power: 0, restores: 0 };

/// Two processes on one folder.
const TWO: Bounds = Bounds { batches: 2, processes: 2, kills: 0, power: 0, restores: 0 };

/// All cases, those with all rules first in each model.
pub const CASES: &[Case] = &[
    Case { model: "writer", what: "all rules", breaks: None, run: || explore(Writer::default()) },
    Case {
        model: "writer",
        what: "all rules, the first witness names sizes that it never cosigned",
        breaks: None,
        run: || explore(Writer { first_witness_lies: true, bounds: ALONE, ..Writer::default() }),
    },
    Case {
        model: "writer",
        what: "a batch is not staged before its head is signed",
        breaks: Some("the entries of the signed head are durable"),
        run: || explore(Writer { stages_first: false, ..Writer::default() }),
    },
    Case {
        model: "writer",
        what: "a batch is staged no longer than until its tiles are visible",
        breaks: Some("the entries of the signed head are durable"),
        run: || explore(Writer { settles_after_sync: false, ..Writer::default() }),
    },
    Case {
        model: "writer",
        what: "witnesses see a head before the head store has it",
        breaks: Some("what a witness cosigned is in the head store"),
        run: || explore(Writer { swaps_first: false, ..Writer::default() }),
    },
    Case {
        model: "writer",
        what: "no witness is asked before the first signature",
        breaks: Some("nothing is signed that contradicts what a quorum had cosigned"),
        run: || explore(Writer { asks: 0, ..Writer::default() }),
    },
    Case {
        model: "writer",
        what: "W - q witnesses are asked, one too few",
        breaks: Some("nothing is signed that contradicts what a quorum had cosigned"),
        run: || explore(Writer { asks: 1, ..Writer::default() }),
    },
    Case {
        model: "writer",
        what: "a size that a witness names stops the log, the first witness lies",
        breaks: Some("a log whose folder was never put back is not refused"),
        run: || explore(Writer { wants_proof: false, first_witness_lies: true, bounds: ALONE, ..Writer::default() }),
    },
    Case {
        model: "writer",
        what: "a checkpoint is published without its quorum",
        breaks: Some("a published head has a quorum"),
        run: || explore(Writer { waits_for_quorum: false, ..Writer::default() }),
    },
    Case {
        model: "writer",
        what: "a checkpoint is shown before it is staged",
        breaks: Some("a running log's published head never goes back"),
        run: || explore(Writer { stages_checkpoint: false, ..Writer::default() }),
    },
    Case {
        model: "writer",
        what: "the lock excludes no second process",
        breaks: Some("the entries of the signed head are durable"),
        run: || explore(Writer { excludes: false, bounds: TWO, ..Writer::default() }),
    },
    Case {
        model: "writer",
        what: "the lock excludes no second process, and no start discards",
        breaks: None,
        run: || explore(Writer { excludes: false, discards: false, bounds: TWO, ..Writer::default() }),
    },
    Case {
        model: "writer",
        what: "the same, and the head store does not compare",
        breaks: Some("what a witness cosigned is in the head store"),
        run: || explore(Writer { excludes: false, discards: false, compares: false, bounds: TWO, ..Writer::default() }),
    },
    Case { model: "witness", what: "all rules", breaks: None, run: || explore(Witness::default()) },
    Case {
        model: "witness",
        what: "consistency is not checked",
        breaks: Some("a witness cosigns one history"),
        run: || explore(Witness { checks_consistency: false, ..Witness::default() }),
    },
    Case {
        model: "witness",
        what: "the answer leaves before the record is durable",
        breaks: Some("a witness cosigns one history"),
        run: || explore(Witness { records_first: false, ..Witness::default() }),
    },
    Case {
        model: "witness",
        what: "two requests for one log are decided side by side",
        breaks: Some("a witness cosigns one history"),
        run: || explore(Witness { one_at_a_time: false, kills: 0, ..Witness::default() }),
    },
    Case {
        model: "witness",
        what: "time may go back",
        breaks: Some("a witness never signs an older time"),
        run: || explore(Witness { time_never_back: false, ..Witness::default() }),
    },
    Case {
        model: "witness",
        what: "the mark is written after the state",
        breaks: Some("a witness starts on its own files"),
        run: || explore(Witness { marks_first: false, ..Witness::default() }),
    },
    Case {
        model: "witness",
        what: "a start does not compare state and mark",
        breaks: Some("a witness cosigns one history"),
        run: || explore(Witness { compares_mark: false, ..Witness::default() }),
    },
    Case {
        model: "witness",
        what: "state and mark are put back together",
        breaks: Some("a witness cosigns one history"),
        run: || explore(Witness { keeps_marks_apart: false, ..Witness::default() }),
    },
    Case { model: "standby", what: "all rules", breaks: None, run: || explore(Standby::default()) },
    Case {
        model: "standby",
        what: "all rules, two standbys",
        breaks: None,
        run: || explore(Standby { writers: 3, ..Standby::default() }),
    },
    Case {
        model: "standby",
        what: "all rules, nothing discarded",
        breaks: None,
        run: || explore(Standby { discards: Discards::Nothing, ..Standby::default() }),
    },
    Case {
        model: "standby",
        what: "all staged batches discarded behind the fence",
        breaks: None,
        run: || explore(Standby { discards: Discards::All, ..Standby::default() }),
    },
    Case {
        model: "standby",
        what: "all staged batches discarded behind the fence, two standbys",
        breaks: Some("the entries of the signed head are somewhere"),
        run: || explore(Standby { discards: Discards::All, writers: 3, ..Standby::default() }),
    },
    Case {
        model: "standby",
        what: "no fence, all staged batches discarded",
        breaks: Some("the entries of the signed head are somewhere"),
        run: || explore(Standby { fences: false, discards: Discards::All, ..Standby::default() }),
    },
    Case {
        model: "standby",
        what: "the public checkpoint is replaced whatever it is",
        breaks: Some("the public checkpoint never goes back"),
        run: || explore(Standby { replaces_what_it_saw: false, ..Standby::default() }),
    },
    Case {
        model: "standby",
        what: "records are named by the size of the tree",
        breaks: Some("the lock holds one history"),
        run: || explore(Standby { compares: Compares::Size, fences: false, ..Standby::default() }),
    },
    Case {
        model: "standby",
        what: "the lock forgets once",
        breaks: None,
        run: || explore(Standby { losses: 1, ..Standby::default() }),
    },
    Case {
        model: "standby",
        what: "the lock forgets once, all staged batches discarded behind the fence",
        breaks: Some("the entries of the signed head are somewhere"),
        run: || explore(Standby { losses: 1, discards: Discards::All, ..Standby::default() }),
    },
    Case {
        model: "standby",
        what: "the lock forgets once, an append compares the number alone",
        breaks: Some("the lock holds one history"),
        run: || explore(Standby { losses: 1, compares: Compares::Number, ..Standby::default() }),
    },
    Case {
        model: "standby",
        what: "the lock forgets once, no witness is asked",
        breaks: Some("the public checkpoint never goes back"),
        run: || explore(Standby { losses: 1, asks: false, ..Standby::default() }),
    },
    Case {
        model: "standby",
        what: "the lock forgets once, one witness of three is a quorum",
        breaks: Some("no two histories have a quorum"),
        run: || explore(Standby { losses: 1, quorum: 1, ..Standby::default() }),
    },
];
