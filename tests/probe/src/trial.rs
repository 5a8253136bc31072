//! Whether a suite sees what it is for: servers with one fault each are judged.

use std::fmt::Debug;
use std::thread;

use crate::failure::{Failure, Step};
use crate::report::Report;
use crate::row::Table;

/// Judges a server with each of these faults, all at once, and says of which the deviations are others than the rows beside it.
pub fn misjudged<F: Copy + Debug + Sync>(
    table: &Table,
    faults: &[(F, &[&'static str])],
    judge: impl Fn(F) -> Step<Report> + Sync,
) -> Step<String> {
    let reports = thread::scope(|scope| {
        let threads: Vec<_> = faults.iter().map(|(fault, _)| scope.spawn(|| judge(*fault))).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| Err(Failure::new("the judge panicked"))))
            .collect::<Vec<_>>()
    });
    let mut wrong = String::new();
    for ((fault, expected), report) in faults.iter().zip(reports) {
        let report = report.map_err(|failure| Failure::new(format!("{fault:?}: {failure}")))?;
        let mut expected = expected.to_vec();
        table.sort(&mut expected);
        if report.with("deviation") != expected {
            wrong.push_str(&format!("{fault:?}: expected {expected:?}: {report}\n"));
        }
    }
    Ok(wrong)
}
