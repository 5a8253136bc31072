//! The table of all cases, as it stands in the chapter.

use crate::cases::CASES;
use crate::explore::Explored;

/// What was explored of each case of [`CASES`], in their order.
pub fn explore_all() -> Vec<Explored> {
    CASES.iter().map(|case| case.explore()).collect()
}

/// The table, and below it the counterexamples.
pub fn render(explored: &[Explored]) -> String {
    let mut table = "| model | rules | states | steps | |\n|---|---|---|---|---|\n".to_owned();
    let mut ways = String::new();
    for (case, found) in CASES.iter().zip(explored) {
        let (model, what) = (case.model, case.what);
        match &found.broken {
            None => {
                let (states, depth) = (found.states, found.depth);
                table += &format!("| {model} | {what} | {states} | {depth} | nothing breaks |\n");
            }
            Some(broken) => {
                let (steps, promise) = (broken.steps.len(), broken.promise);
                table += &format!("| {model} | {what} | | {steps} | broken: {promise} |\n");
                ways += &format!("- {model}, {what}: {}\n", broken.steps.join("; "));
            }
        }
    }
    format!("{table}\n{ways}")
}
