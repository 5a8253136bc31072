//! The form of an evaluation by somebody else, completed as a person might.

/// The text with every decision made.
pub fn complete(form: &str) -> String {
    let mut text = form.to_owned();
    for (what, answer) in [
        ("a short name, such as cyber-bare", "removal"),
        ("a domain", "safeguard-removal"),
        ("one of the configurations above", "bare-weights"),
        ("what is counted, such as attack success rate", "attack success rate"),
        ("the result in decimal, such as 0.94", "0.94"),
        ("who ran it", "Bureau"),
        ("the day of it, such as 2026-06-29", "2026-06-29"),
        ("what follows from it", "Treat it as unguarded."),
        ("the file with the full results", "results.json"),
        ("on which data", "removal-suite"),
        ("which revision of it; or delete the line", "2"),
    ] {
        text = text.replace(&format!("DECIDE: {what}"), answer);
    }
    text
}
