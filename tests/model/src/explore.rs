//! Every state that a model can reach, by Stateright; the shortest way to one in which a promise is broken.

use stateright::{Checker as _, Expectation, HasDiscoveries, Model};
use std::hash::Hash;

/// A model whose steps can be told.
pub trait Told: Model {
    /// What a step did.
    fn tell(&self, before: &Self::State, step: &Self::Action, after: &Self::State) -> String;
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explored {
    /// Different states that were reached: all there are, unless a promise was broken.
    pub states: usize,
    /// Steps to the state that is furthest away.
    pub depth: usize,
    /// The promise that was broken, with the steps to it.
    pub broken: Option<Broken>,
    /// What the model should be able to do and never did: a model that does nothing breaks nothing.
    pub unreached: Vec<&'static str>,
}

/// A counterexample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Which promise.
    pub promise: &'static str,
    /// How.
    pub steps: Vec<String>,
}

/// Explores all states, nearest first, until a promise is broken; then again nearer, until the way to it is a shortest one.
pub fn explore<M>(model: M) -> Explored
where
    M: Told + Clone + Send + Sync + 'static,
    M::State: Clone + PartialEq + Hash + Send + Sync + 'static,
    M::Action: Clone + PartialEq + Send + Sync + 'static,
{
    let mut found = explore_below(&model, None);
    // The checker goes on for a while after a discovery, and keeps the last one.
    while let Some(steps) = found.broken.as_ref().map(|broken| broken.steps.len()) {
        let nearer = explore_below(&model, Some(steps));
        if nearer.broken.is_none() {
            break;
        }
        found = nearer;
    }
    found
}

/// Explores the states that are fewer steps away, or all.
fn explore_below<M>(model: &M, steps: Option<usize>) -> Explored
where
    M: Told + Clone + Send + Sync + 'static,
    M::State: Clone + PartialEq + Hash + Send + Sync + 'static,
    M::Action: Clone + PartialEq + Send + Sync + 'static,
{
    let properties = model.properties();
    // One thread: what is found is the same each time.
    let builder = model.clone().checker().finish_when(HasDiscoveries::AnyFailures);
    // The checker counts states of a way, and looks at those below a limit.
    let builder = steps.into_iter().fold(builder, |builder, steps| builder.target_max_depth(steps + 1));
    let checker = builder.spawn_bfs().join();
    let mut found = checker.discoveries();
    let (mut broken, mut unreached) = (Vec::new(), Vec::new());
    for property in properties {
        match (property.expectation, found.remove(property.name)) {
            (Expectation::Sometimes, None) => unreached.push(property.name),
            (Expectation::Always | Expectation::Eventually, Some(path)) => {
                let path = path.into_vec();
                let after = path.iter().skip(1).map(|(state, _)| state);
                let steps = path
                    .iter()
                    .zip(after)
                    .filter_map(|((before, step), after)| Some(model.tell(before, step.as_ref()?, after)));
                broken.push(Broken { promise: property.name, steps: steps.collect() });
            }
            _ => {}
        }
    }
    let broken = broken.into_iter().min_by_key(|broken| broken.steps.len());
    Explored { states: checker.unique_state_count(), depth: checker.max_depth().saturating_sub(1), broken, unreached }
}

/// Counts the states of a model once more, by a search that keeps whole states where the checker keeps a hash of 64 bits.
pub fn count<M>(model: &M) -> usize
where
    M: Model,
    M::State: Clone + Eq + Hash,
{
    let mut known: std::collections::HashSet<M::State> = model.init_states().into_iter().collect();
    let mut next: Vec<M::State> = known.iter().cloned().collect();
    while let Some(state) = next.pop() {
        for reached in model.next_states(&state) {
            if known.insert(reached.clone()) {
                next.push(reached);
            }
        }
    }
    known.len()
}
