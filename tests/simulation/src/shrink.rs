//! A failing run made smaller: fewer steps, fewer kinds of fault, until nothing can be left out.

use crate::fault::Fault;
use crate::run::Limits;
use std::fmt::Write as _;

/// The most runs that are tried.
const TRIES: usize = 600;

/// Leaves out what a failure does not need. `fails` makes the run with other limits, and says whether it breaks the same promise.
pub fn shrink(limits: &Limits, mut fails: impl FnMut(&Limits) -> bool) -> Limits {
    let mut best = limits.clone();
    let mut tries = 0;
    let mut attempt = |tried: Limits, best: &mut Limits| {
        tries += 1;
        let is_smaller = tries <= TRIES && fails(&tried);
        if is_smaller {
            *best = tried;
        }
        is_smaller
    };
    for fault in Fault::ALL {
        let mut tried = best.clone();
        if tried.without.insert(*fault) {
            attempt(tried, &mut best);
        }
    }
    let mut length = best.steps.div_ceil(2).max(1);
    loop {
        let mut has_shrunk = false;
        let mut from = best.steps.saturating_sub(1) / length * length;
        // The last steps first: what comes before them stays as it was.
        loop {
            let mut tried = best.clone();
            tried.skipped.extend(from..(from + length).min(best.steps));
            if tried != best {
                has_shrunk |= attempt(tried, &mut best);
            }
            if from == 0 {
                break;
            }
            from -= length;
        }
        if length == 1 && !has_shrunk {
            return best;
        }
        length = if length == 1 { 1 } else { length / 2 };
    }
}

/// The command line that makes a run again.
pub fn command(seed: u64, limits: &Limits) -> String {
    let mut line = format!("cargo simulate --seed {seed} --steps {}", limits.steps);
    if !limits.without.is_empty() {
        let words: Vec<&str> = limits.without.iter().map(|fault| fault.word()).collect();
        let _ = write!(line, " --without {}", words.join(","));
    }
    if !limits.skipped.is_empty() {
        let _ = write!(line, " --skip {}", ranges(limits));
    }
    line + " --trace"
}

fn ranges(limits: &Limits) -> String {
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for step in &limits.skipped {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == *step => *last = *step,
            _ => ranges.push((*step, *step)),
        }
    }
    let words =
        ranges.iter().map(|(first, last)| if first == last { first.to_string() } else { format!("{first}-{last}") });
    words.collect::<Vec<_>>().join(",")
}

/// Reads steps as [`command`] writes them.
pub fn parse_steps(text: &str) -> Result<Vec<u64>, String> {
    let mut steps = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let number = |word: &str| word.parse::<u64>().map_err(|error| format!("{word:?}: {error}"));
        let (first, last) = (number(first)?, number(last)?);
        if last < first || last - first > 1_000_000 {
            return Err(format!("{part:?} is no range of steps"));
        }
        steps.extend(first..=last);
    }
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_failure_does_not_need_is_left_out_and_the_command_line_says_the_rest() {
        let needed = |limits: &Limits| {
            limits.steps > 40
                && [7, 40].iter().all(|step| !limits.skipped.contains(step))
                && !limits.without.contains(&Fault::Kill)
        };
        let limits = Limits { steps: 120, ..Limits::default() };
        let best = shrink(&limits, needed);
        assert!(needed(&best));
        assert_eq!((0..best.steps).filter(|step| !best.skipped.contains(step)).collect::<Vec<_>>(), [7, 40]);
        assert_eq!(best.without.len(), Fault::ALL.len() - 1);
        let line = command(3, &best);
        assert!(line.starts_with("cargo simulate --seed 3 --steps 120 --without loss,"), "{line}");
        assert!(line.ends_with(" --skip 0-6,8-39,41-119 --trace"), "{line}");
        let steps = parse_steps("0-6,8-39,41-119").unwrap();
        assert_eq!(steps, best.skipped.into_iter().collect::<Vec<_>>());
        assert!(parse_steps("7-6").is_err() && parse_steps("").is_err() && parse_steps("x").is_err());
    }
}
