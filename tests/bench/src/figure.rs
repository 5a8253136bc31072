//! A measured figure with its runs and its aim, as Markdown and JSON.

use serde_json::{Value, json};

/// What was measured, once a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// What it is, as a cell of a table.
    pub what: String,
    /// `ms`, `per second`...
    pub unit: &'static str,
    /// The figure of each run.
    pub runs: Vec<f64>,
    /// What it should be.
    pub aim: Option<Aim>,
}

/// What a figure should be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Aim {
    /// Below this.
    Below(f64),
    /// This or more.
    AtLeast(f64),
}

impl Figure {
    /// A figure without an aim.
    pub fn new(what: impl Into<String>, unit: &'static str, runs: Vec<f64>) -> Self {
        Self { what: what.into(), unit, runs, aim: None }
    }

    /// The same with an aim.
    pub fn with_aim(self, aim: Aim) -> Self {
        Self { aim: Some(aim), ..self }
    }

    /// The median of the runs.
    pub fn median(&self) -> f64 {
        quantile(&self.runs, 0.5)
    }

    /// Whether the median is as it should be; `None` without an aim.
    pub fn is_met(&self) -> Option<bool> {
        self.aim.map(|aim| match aim {
            Aim::Below(limit) => self.median() < limit,
            Aim::AtLeast(limit) => self.median() >= limit,
        })
    }

    /// A row of [`table`].
    fn row(&self) -> String {
        let Self { what, unit, .. } = self;
        let (least, most) = (quantile(&self.runs, 0.0), quantile(&self.runs, 1.0));
        let aim = match self.aim {
            None => String::new(),
            Some(aim) => {
                let verdict = if self.is_met() == Some(true) { "met" } else { "missed" };
                match aim {
                    Aim::Below(limit) => format!("below {}: {verdict}", number(limit)),
                    Aim::AtLeast(limit) => format!("at least {}: {verdict}", number(limit)),
                }
            }
        };
        let (median, least, most) = (number(self.median()), number(least), number(most));
        format!("| {what} | {median} {unit} | {least} to {most} | {aim} |\n")
    }

    /// The same data for programs.
    pub fn json(&self) -> Value {
        let aim = self.aim.map(|aim| match aim {
            Aim::Below(limit) => json!({ "below": limit }),
            Aim::AtLeast(limit) => json!({ "at_least": limit }),
        });
        json!({
            "what": self.what, "unit": self.unit, "median": self.median(), "runs": self.runs,
            "aim": aim, "met": self.is_met(),
        })
    }
}

/// The figures as a Markdown table.
pub fn table(figures: &[Figure]) -> String {
    let rows: String = figures.iter().map(Figure::row).collect();
    format!("| what | median | least and most of the runs | aim |\n|---|---|---|---|\n{rows}")
}

/// The value below which a share of the samples lies (nearest rank); 0 of no samples.
pub fn quantile(samples: &[f64], share: f64) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1).min(sorted.len().saturating_sub(1))).copied().unwrap_or_default()
}

/// Three digits that matter.
fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 0.1 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_a_sample_that_was_measured() {
        let samples: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        for (share, expected) in [(0.0, 1.0), (0.5, 50.0), (0.95, 95.0), (0.99, 99.0), (1.0, 100.0)] {
            assert_eq!(quantile(&samples, share), expected, "{share}");
        }
        assert_eq!(quantile(&[3.0, 1.0, 2.0], 0.5), 2.0);
        assert_eq!(quantile(&[], 0.5), 0.0);
    }

    #[test]
    fn a_missed_aim_is_said() {
        let figure = Figure::new("a", "ms", vec![3.0, 9.0, 5.0]);
        assert_eq!(figure.is_met(), None);
        assert!(
            table(&[figure.clone().with_aim(Aim::Below(5.0))])
                .ends_with("| a | 5.00 ms | 3.00 to 9.00 | below 5.00: missed |\n")
        );
        assert_eq!(figure.with_aim(Aim::AtLeast(5.0)).is_met(), Some(true));
    }
}
