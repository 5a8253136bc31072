//! One run: everything that happens follows from its seed.

use crate::fault::{Counts, Fault};
use crate::model::{Kept, Violation};
use crate::plan::Plan;
use crate::random::Random;
use crate::world::World;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// How many steps a run has where nothing else is asked for.
pub const STEPS: u64 = 100;

/// What of a seed's run is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many steps there are.
    pub steps: u64,
    /// Kinds of fault that do not happen.
    pub without: BTreeSet<Fault>,
    /// Steps that are left out. The others choose as they did.
    pub skipped: BTreeSet<u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { steps: STEPS, without: BTreeSet::new(), skipped: BTreeSet::new() }
    }
}

/// What came of a run.
#[derive(Debug)]
pub struct Outcome {
    /// Its seed.
    pub seed: u64,
    /// How many steps were made.
    pub steps: u64,
    /// The promise that was broken.
    pub violation: Option<Violation>,
    /// What happened.
    pub counts: Counts,
    /// A number over everything that happened, in its order.
    pub digest: u64,
    /// What happened, a line each, where it was asked for.
    pub trace: Vec<String>,
}

/// Makes the run of a seed.
pub fn run(seed: u64, limits: &Limits, is_traced: bool) -> Outcome {
    let mut random = Random::new(seed);
    let plan = Plan::of(seed, &mut random, &limits.without);
    let mut world = World::new(plan, random, is_traced);
    let plan = format!("{:?}", world.plan);
    world.note(plan);
    let mut steps = 0;
    let made = guarded(|| live(&mut world, seed, limits, &mut steps));
    outcome(seed, world, steps, made)
}

/// Makes a scripted run; `script` leads a network that is up.
pub fn script(seed: u64, plan: Plan, is_traced: bool, script: impl FnOnce(&mut World) -> Kept) -> Outcome {
    let mut world = World::new(plan, Random::new(seed), is_traced);
    let made = guarded(|| {
        begin(&mut world)?;
        world.settle()?;
        script(&mut world)?;
        world.check()
    });
    outcome(seed, world, 0, made)
}

fn outcome(seed: u64, mut world: World, steps: u64, made: Kept) -> Outcome {
    if let Err(violation) = &made {
        world.note(format!("BROKEN: {}: {}", violation.promise, violation.seen));
    }
    let digest = world.digest();
    Outcome { seed, steps, violation: made.err(), counts: world.counts.clone(), digest, trace: world.take_trace() }
}

/// What panics breaks a promise.
fn guarded(life: impl FnOnce() -> Kept) -> Kept {
    catch_unwind(AssertUnwindSafe(life)).unwrap_or_else(|panic| {
        let words = panic.downcast_ref::<String>().cloned();
        let seen = words.or_else(|| panic.downcast_ref::<&str>().map(|words| (*words).to_owned())).unwrap_or_default();
        Err(Violation { promise: "nothing panics", seen })
    })
}

fn begin(world: &mut World) -> Kept {
    for witness in 0..world.witnesses.len() {
        world.start_witness(witness);
    }
    world.start_log(0)?;
    world.check()
}

fn live(world: &mut World, seed: u64, limits: &Limits, steps: &mut u64) -> Kept {
    begin(world)?;
    if world.plan.is_settled {
        world.calmly(World::settle)?;
    }
    for number in (0..limits.steps).filter(|number| !limits.skipped.contains(number)) {
        *steps = number + 1;
        world.step(seed, number)?;
    }
    if world.plan.is_mended {
        world.heal()?;
        world.works()?;
    }
    Ok(())
}
