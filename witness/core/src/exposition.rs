//! The lines of a Prometheus text, under the one prefix of a witness's metrics.

use std::fmt::Write as _;

/// Begins a family: its help and its type.
pub fn family(text: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(text, "# HELP stele_witness_{name} {help}\n# TYPE stele_witness_{name} {kind}");
}

/// One value. What stands in a label cannot end its line.
pub fn line(text: &mut String, name: &str, labels: &[(&str, &str)], value: u64) {
    let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
    let _ = writeln!(text, "stele_witness_{name}{{{}}} {value}", labels.join(","));
}

fn escaped(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
