//! The lines of a form: what is undecided, and where a field is.

use toml::{Table, Value};

/// What a person has to replace.
pub const DECIDE: &str = "DECIDE";

/// The lines that a person has not decided yet: number and text, behind the section that they are in. Comments do not count.
pub fn undecided(text: &str) -> Vec<(usize, String)> {
    let mut section = String::new();
    let mut open = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.starts_with('[') {
            section = format!("{} ", line.split('#').next().unwrap_or_default().trim());
        } else if line.contains(DECIDE) && !line.starts_with('#') {
            open.push((number, format!("{section}{line}").chars().take(200).collect()));
        }
    }
    open
}

/// TOML's own dates become the text that they were written as: `since = 2026-06-25` is as good as with quotes.
pub(super) fn plain_dates(table: &mut Table) {
    fn plain(value: &mut Value) {
        match value {
            Value::Datetime(date) => *value = date.to_string().into(),
            Value::Array(items) => items.iter_mut().for_each(plain),
            Value::Table(table) => table.iter_mut().for_each(|(_, value)| plain(value)),
            _ => {}
        }
    }
    table.iter_mut().for_each(|(_, value)| plain(value));
}

/// The line of an offset, from 1.
pub(super) fn line_at(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

/// The first line that sets the field at a path, by its section and name, or else has it as a comment to complete: good enough to look at,
/// never relied on.
pub(super) fn line_of(text: &str, path: &str) -> Option<usize> {
    let plain: String = path.split('[').next()?.to_owned();
    set_at(text, &plain).or_else(|| in_comment(text, &plain))
}

/// The line of a section that a draft has as a comment, for who needs it: `# [[hosts]]`.
fn in_comment(text: &str, section: &str) -> Option<usize> {
    let is_it = |line: &str| {
        let inner = line.trim().strip_prefix('#').map(|comment| comment.trim().trim_matches(['[', ']']));
        line.contains('[') && inner == Some(section) && !section.is_empty()
    };
    text.lines().position(is_it).map(|at| at + 1)
}

fn set_at(text: &str, plain: &str) -> Option<usize> {
    let (section, name) = plain.rsplit_once('.').unwrap_or(("", plain));
    let mut current = String::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.starts_with('[') {
            current = line.trim_matches(['[', ']']).to_owned();
            if current == plain && !plain.is_empty() {
                return Some(number);
            }
        }
        let key = line.split('=').next().unwrap_or_default().trim().trim_matches('"');
        if current == section && key == name && !name.is_empty() {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_open_is_named_by_its_line_and_comments_are_not_open() {
        let text = "# DECIDE what you want\na = 1\n  b = \"DECIDE: which\" # why\n[c.d] # e\nincluded = \"DECIDE\"\n";
        let named = "[c.d] included = \"DECIDE\"".to_owned();
        assert_eq!(undecided(text), [(3, "b = \"DECIDE: which\" # why".to_owned()), (5, named)]);
    }

    #[test]
    fn a_field_is_found_by_its_section() {
        let text = "x = 1\n[a]\nx = 2\n[a.b]\nx = 3\n[[list]]\nx = 4\n";
        assert_eq!(line_of(text, "x"), Some(1));
        assert_eq!(line_of(text, "a.x"), Some(3));
        assert_eq!(line_of(text, "a.b.x"), Some(5));
        assert_eq!(line_of(text, "list[0].x"), Some(6));
        assert_eq!(line_of(text, "none"), None);
        let commented = "# hosts\n# [[hosts]]\n# type = \"https\"\n[a]\nhosts = 1\n";
        assert_eq!(line_of(commented, "hosts"), Some(2), "what to complete");
        assert_eq!(line_of(&format!("{commented}[[hosts]]\n"), "hosts"), Some(6));
    }

    #[test]
    fn dates_may_stand_without_quotes() {
        let mut table: Table = "since = 2026-06-25\nat = [2026-06-25T09:30:00Z]\n".parse().unwrap();
        plain_dates(&mut table);
        assert_eq!(table["since"].as_str(), Some("2026-06-25"));
        assert_eq!(table["at"][0].as_str(), Some("2026-06-25T09:30:00Z"));
    }
}
