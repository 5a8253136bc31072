//! What it was measured on, and whether it was quiet: no names of hosts, no paths.

use std::fs;
use std::thread;

use serde_json::{Value, json};

/// The features of the processor that change these figures.
const FEATURES: [&str; 5] = ["sha_ni", "avx2", "avx512ifma", "vaes", "bmi2"];

/// A machine.
#[derive(Clone, Debug)]
pub struct Machine {
    /// What it calls its processor.
    pub processor: String,
    /// How many threads run at once.
    pub cores: usize,
    /// Those of the features that it has.
    pub features: Vec<&'static str>,
    /// Runnable threads on average over the minute before; above a core's worth the figures are worth little.
    pub load: f64,
}

impl Machine {
    /// This machine, now. What the system does not tell stays empty.
    pub fn here() -> Self {
        let about = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let field = |name: &str| {
            let line = about.lines().find(|line| line.starts_with(name));
            line.and_then(|line| line.split_once(": ")).map_or("", |(_, value)| value)
        };
        let known: Vec<&str> = field("flags").split(' ').collect();
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        Self {
            processor: field("model name").to_owned(),
            cores: cores(),
            features: FEATURES.into_iter().filter(|feature| known.contains(feature)).collect(),
            load: load.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or_default(),
        }
    }

    /// One line for people.
    pub fn line(&self) -> String {
        let Self { processor, cores, features, load } = self;
        let processor = if processor.is_empty() { "an unnamed processor" } else { processor };
        format!("{cores} cores of {processor} ({}); load before the runs {load:.2}", features.join(", "))
    }

    /// The same data for programs.
    pub fn json(&self) -> Value {
        let Self { processor, cores, features, load } = self;
        json!({ "processor": processor, "cores": cores, "features": features, "load_before": load })
    }
}

/// How many threads run at once.
pub fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}
