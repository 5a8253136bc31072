//! The YAML front matter of a model card, as far as hubs use it: scalars and lists of scalars at the top level.
//!
//! A whole YAML reader is a large thing to point at strangers' files; what is nested is skipped here.

use std::collections::BTreeMap;

/// The most lines that are looked at.
const MAX_LINES: usize = 2_000;
/// The most values of one field.
const MAX_VALUES: usize = 100;

/// The front matter.
#[derive(Debug, Default, PartialEq)]
pub struct Card(BTreeMap<String, Vec<String>>);

impl Card {
    /// Reads the front matter of a card; a card without one says nothing.
    pub fn parse(text: &str) -> Self {
        let mut card = Self::default();
        let mut lines = text.trim_start_matches('\u{feff}').lines().take(MAX_LINES);
        if lines.next().map(str::trim_end) != Some("---") {
            return card;
        }
        let mut field = String::new();
        // Whether a list in brackets goes on over lines.
        let mut in_brackets = false;
        for line in lines {
            if matches!(line.trim_end(), "---" | "...") {
                return card;
            }
            let content = line.trim();
            if content.is_empty() || content.starts_with('#') {
                continue;
            }
            if in_brackets {
                let content = content.split(" #").next().unwrap_or_default();
                let items = content.split_once(']').map_or(content, |(items, _)| items);
                items.split(',').for_each(|item| card.push(&field, scalar(item)));
                in_brackets = !content.contains(']');
            } else if let Some(item) = content.strip_prefix("- ") {
                // An item that is a map of its own is nested.
                if !field.is_empty() && !is_pair(item) {
                    card.push(&field, scalar(item));
                }
            } else if line.starts_with([' ', '\t']) {
                continue;
            } else if let Some((name, value)) = content.split_once(':') {
                field = name.trim().trim_matches(['"', '\'']).to_owned();
                match value.trim() {
                    "" | "|" | ">" | ">-" | "|-" => {}
                    list if list.starts_with('[') => {
                        let items = list.trim_start_matches('[');
                        in_brackets = !items.contains(']');
                        let items = items.split_once(']').map_or(items, |(items, _)| items);
                        items.split(',').for_each(|item| card.push(&field, scalar(item)));
                    }
                    value => card.push(&field, scalar(value)),
                }
            }
        }
        // Without its end it is no front matter.
        Self::default()
    }

    /// The first value of a field.
    pub fn first(&self, field: &str) -> Option<&str> {
        self.all(field).first().map(String::as_str)
    }

    /// All values of a field.
    pub fn all(&self, field: &str) -> &[String] {
        self.0.get(field).map(Vec::as_slice).unwrap_or_default()
    }

    /// The models that it names as its base. Templates are filled with words for none.
    pub fn bases(&self) -> impl Iterator<Item = &str> {
        let none = |name: &&str| !["none", "n/a", "false", "no"].contains(&name.to_ascii_lowercase().as_str());
        self.all("base_model").iter().map(String::as_str).filter(none)
    }

    /// Adds a value that is not there yet.
    pub fn push(&mut self, field: &str, value: String) {
        let values = self.0.entry(field.to_owned()).or_default();
        if values.len() < MAX_VALUES && !value.is_empty() && !values.contains(&value) {
            values.push(value);
        }
    }
}

fn is_pair(item: &str) -> bool {
    !item.starts_with(['"', '\'']) && item.split_once(": ").is_some_and(|(name, _)| !name.contains(' '))
        || item.ends_with(':')
}

fn scalar(text: &str) -> String {
    let text = text.trim();
    for quote in ['"', '\''] {
        if let Some(rest) = text.strip_prefix(quote)
            && let Some((inner, _)) = rest.split_once(quote)
        {
            return inner.chars().take(200).collect();
        }
    }
    let plain = text.split(" #").next().unwrap_or_default().trim();
    // Nothing, as YAML says it.
    if matches!(plain, "~" | "null" | "Null" | "NULL") {
        return String::new();
    }
    plain.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_no_base() {
        for value in
            ["", " null", " NULL", " ~", " None", " false", " n/a", " []", " [null]", "\n- null", "\n- ~", " \"\""]
        {
            let card = Card::parse(&format!("---\nbase_model:{value}\nlicense: mit\n---\n"));
            assert_eq!(card.bases().count(), 0, "{value:?}");
            assert_eq!(card.first("license"), Some("mit"));
        }
        let card = Card::parse("---\nbase_model: \"null\"\n---\n");
        assert_eq!(card.bases().collect::<Vec<_>>(), ["null"], "a text in quotes is a name");
    }

    #[test]
    fn scalars_lists_and_quotes_are_read_and_what_is_nested_is_not() {
        let card = Card::parse(
            "---\nlicense: apache-2.0 # see LICENSE\nbase_model:\n- acme/base\n- \"acme/other\"\ntags: [a, 'b c']\n\
             model-index:\n- name: tiny\n  results:\n  - task: x\nlanguage:\n  - en\n---\nlicense: mit\n",
        );
        assert_eq!(card.first("license"), Some("apache-2.0"));
        assert_eq!(card.all("base_model"), ["acme/base", "acme/other"]);
        assert_eq!(card.all("tags"), ["a", "b c"]);
        assert_eq!(card.all("language"), ["en"]);
        assert!(card.all("model-index").is_empty());
    }

    #[test]
    fn a_list_in_brackets_can_go_over_lines() {
        let card =
            Card::parse("---\nbase_model: [acme/a,\n  acme/b, # two\n  'acme/c']\ntags: []\nlicense: mit\n---\n");
        assert_eq!(card.all("base_model"), ["acme/a", "acme/b", "acme/c"]);
        assert!(card.all("tags").is_empty());
        assert_eq!(card.first("license"), Some("mit"));
    }

    #[test]
    fn a_card_without_front_matter_or_without_its_end_says_nothing() {
        assert_eq!(Card::parse("# Tiny\nlicense: mit\n"), Card::default());
        assert_eq!(Card::parse("---\nlicense: mit\n"), Card::default());
        assert_eq!(Card::parse(""), Card::default());
    }
}
