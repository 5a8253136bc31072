//! One line of the config changed, and every other left as the operator wrote it.

/// The config with `name = value`, or without a line of that name. Such a line stands before the first table.
pub fn with_line(text: &str, name: &str, value: Option<&str>) -> String {
    let is_header = |line: &&str| line.trim_start().starts_with('[');
    let is_ours = |line: &str| line.split('=').next().is_some_and(|word| word.trim() == name);
    let top: Vec<&str> = text.lines().take_while(|line| !is_header(line)).collect();
    let rest: Vec<&str> = text.lines().skip(top.len()).collect();
    let line = value.map(|value| format!("{name} = {value}"));
    let found = top.iter().position(|line| is_ours(line));
    let mut lines: Vec<&str> = top.into_iter().filter(|line| !is_ours(line)).collect();
    if let Some(line) = &line {
        let behind_all = lines.iter().rposition(|line| !line.trim().is_empty()).map_or(0, |last| last + 1);
        lines.insert(found.unwrap_or(behind_all).min(lines.len()), line);
    }
    lines.into_iter().chain(rest).map(|line| format!("{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, FILE};
    use std::path::Path;
    use stele_daemon::config::parse;
    use stele_log_core::rules::Claims;

    #[test]
    fn the_line_comes_and_goes_and_the_rest_stays() {
        let text =
            Config::template(&"log.example".parse().unwrap(), Claims::Open, "127.0.0.1:0", None) + "# frozen = x\n";
        let frozen = with_line(&text, "frozen", Some("true"));
        assert!(parse::<Config>(&frozen, Path::new(FILE)).unwrap().frozen);
        assert_eq!(with_line(&frozen, "frozen", Some("true")), frozen);
        assert_eq!(with_line(&frozen, "frozen", None), text);
    }

    #[test]
    fn a_line_that_is_there_is_replaced_where_it_is() {
        let text = "origin = \"log.example\"\nkey = \"log.key\"\n# why\ndata = \"data\"\n\n[registration]\nkey = 1\n";
        let expected = text.replace("log.key", "log-2.key");
        assert_eq!(with_line(text, "key", Some("\"log-2.key\"")), expected);
    }
}
