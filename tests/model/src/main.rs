//! Explores every case and prints the table.

use std::process::ExitCode;
use stele_model::cases::CASES;
use stele_model::table::{explore_all, render};

fn main() -> ExitCode {
    let explored = explore_all();
    print!("{}", render(&explored));
    let mut is_as_said = true;
    for (case, found) in CASES.iter().zip(&explored) {
        let broken = found.broken.as_ref().map(|broken| broken.promise);
        if broken != case.breaks || (broken.is_none() && !found.unreached.is_empty()) {
            eprintln!(
                "{}, {}: expected {:?}, found {broken:?}; never reached: {:?}",
                case.model, case.what, case.breaks, found.unreached
            );
            is_as_said = false;
        }
    }
    if is_as_said { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
