//! What differs between two statements, field by field. Items of a list are the same item when they have the same name,
//! wherever they stand: a result its id, a file its path, a host its locator.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use stele_explain::printable::one_line;

/// The fields by which an item of a list is known, the first that is there.
const NAMES: [&str; 6] = ["id", "path", "locator", "kid", "coordinate", "purl"];

/// One difference.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Change {
    /// Where: `license.spdx`, `evaluations[toxicity].value`.
    pub(crate) path: String,
    /// On the first side, if it is there.
    pub(crate) before: Option<Value>,
    /// On the second side, if it is there.
    pub(crate) after: Option<Value>,
}

/// Every difference, in the order of the paths.
pub(crate) fn between(before: &Value, after: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    compare("", before, after, &mut changes);
    changes
}

impl Change {
    /// The field at the top.
    pub(crate) fn part(&self) -> &str {
        self.path.split(['.', '[']).next().unwrap_or_default()
    }

    /// For a person: what it was, and what it is.
    pub(crate) fn lines(&self) -> String {
        let line =
            |sign: char, value: &Value| format!("  {sign} {}: {}\n", one_line(&self.path), one_line(&short(value)));
        let before = self.before.as_ref().map(|value| line('-', value)).unwrap_or_default();
        let after = self.after.as_ref().map(|value| line('+', value)).unwrap_or_default();
        before + &after
    }

    /// For a person, in a sentence: `license.spdx from Apache-2.0 to MIT`.
    pub(crate) fn sentence(&self) -> String {
        let path = one_line(&self.path);
        let short = |value: &Value| one_line(&brief(&short(value))).into_owned();
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => format!("{path} from {} to {}", short(before), short(after)),
            (None, Some(after)) => format!("{path} is now {}", short(after)),
            (Some(before), None) => format!("{path} no longer {}", short(before)),
            (None, None) => path.into_owned(),
        }
    }

    /// For a script.
    pub(crate) fn json(&self) -> Value {
        let change = match (&self.before, &self.after) {
            (None, _) => "added",
            (_, None) => "removed",
            _ => "changed",
        };
        json!({ "path": self.path, "change": change, "before": self.before, "after": self.after })
    }
}

fn compare(path: &str, before: &Value, after: &Value, changes: &mut Vec<Change>) {
    match (before, after) {
        _ if before == after => {}
        (Value::Object(before), Value::Object(after)) => {
            let fields: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
            for field in fields {
                let path = if path.is_empty() { field.clone() } else { format!("{path}.{field}") };
                either(&path, before.get(field), after.get(field), changes);
            }
        }
        (Value::Array(first), Value::Array(second)) => match (named(first), named(second)) {
            (Some(first), Some(second)) => {
                let names: std::collections::BTreeSet<&String> = first.keys().chain(second.keys()).collect();
                for name in names {
                    let (before, after) = (first.get(name).copied(), second.get(name).copied());
                    either(&format!("{path}[{name}]"), before, after, changes);
                }
            }
            _ => change(path, Some(before), Some(after), changes),
        },
        _ => change(path, Some(before), Some(after), changes),
    }
}

fn either(path: &str, before: Option<&Value>, after: Option<&Value>, changes: &mut Vec<Change>) {
    match (before, after) {
        (Some(before), Some(after)) => compare(path, before, after, changes),
        _ => change(path, before, after, changes),
    }
}

fn change(path: &str, before: Option<&Value>, after: Option<&Value>, changes: &mut Vec<Change>) {
    changes.push(Change { path: path.to_owned(), before: before.cloned(), after: after.cloned() });
}

/// The items of a list by their names; none where one has no name, or two have the same.
fn named(items: &[Value]) -> Option<BTreeMap<String, &Value>> {
    let mut by_name = BTreeMap::new();
    for item in items {
        if by_name.insert(name_of(item.as_object()?)?, item).is_some() {
            return None;
        }
    }
    Some(by_name)
}

fn name_of(item: &Map<String, Value>) -> Option<String> {
    let own = |item: &Map<String, Value>| NAMES.iter().find_map(|name| Some(item.get(*name)?.as_str()?.to_owned()));
    // A parent is known by what it is, one level down.
    own(item).or_else(|| own(item.get("parent")?.as_object()?))
}

/// The beginning of a long text.
fn brief(text: &str) -> String {
    /// As much as a line bears.
    const MAX: usize = 80;
    match text.char_indices().nth(MAX) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// A value in a line: `what host-removed, when 2026-07-02`, and of a list one after the other.
fn short(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "nothing".to_owned(),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => items.iter().map(short).collect::<Vec<_>>().join("; "),
        Value::Object(fields) => {
            // A file is its content.
            match (fields.get("sha256").and_then(Value::as_str), fields.get("size").and_then(Value::as_u64)) {
                (Some(digest), Some(size)) => format!("{digest} ({size} bytes)"),
                _ => {
                    let field = |(name, value): (&String, &Value)| format!("{name} {}", short(value));
                    fields.iter().map(field).collect::<Vec<_>>().join(", ")
                }
            }
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn paths(before: Value, after: Value) -> Vec<String> {
        between(&before, &after).into_iter().map(|change| change.path).collect()
    }

    #[test]
    fn an_item_is_known_by_its_name_and_not_by_its_place() {
        let (a, b) = (json!({"id": "a", "value": "1"}), json!({"id": "b", "value": "2"}));
        assert!(paths(json!({"evaluations": [a, b]}), json!({"evaluations": [b, a]})).is_empty());
        let worse = json!({"id": "b", "value": "3"});
        assert_eq!(
            paths(json!({"evaluations": [a, b]}), json!({"evaluations": [worse]})),
            ["evaluations[a]", "evaluations[b].value"]
        );
        let parent = |name: &str, tool: &str| json!([{"parent": {"coordinate": name}, "tool": tool}]);
        assert_eq!(
            paths(json!({"lineage": parent("p", "x")}), json!({"lineage": parent("p", "y")})),
            ["lineage[p].tool"]
        );
    }

    #[test]
    fn items_without_names_or_with_one_name_twice_are_compared_whole() {
        assert_eq!(paths(json!({"x": ["a", "b"]}), json!({"x": ["b", "a"]})), ["x"]);
        let twice = json!([{"id": "a"}, {"id": "a"}]);
        assert_eq!(paths(json!({"x": twice}), json!({"x": []})), ["x"]);
    }

    #[test]
    fn what_was_and_what_is_are_told() {
        let change = &between(&json!({"license": {"spdx": "MIT"}}), &json!({"license": {"spdx": "\u{1b}[2J"}}))[0];
        assert_eq!(change.lines(), "  - license.spdx: MIT\n  + license.spdx: \\u{1b}[2J\n");
        assert_eq!(change.json()["change"], "changed");
        let did = json!({"actions": [{"what": "gated", "when": "2026-07-02"}, {"what": "other"}], "copies": null});
        let said: Vec<String> = between(&json!({}), &did).iter().map(Change::sentence).collect();
        assert_eq!(said, ["actions is now what gated, when 2026-07-02; what other", "copies is now nothing"]);
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf =
            prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::from), "[ab]{0,2}".prop_map(Value::from)];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("(id|path|x|y)", inner, 0..4)
                    .prop_map(|fields| fields.into_iter().collect::<Map<_, _>>().into()),
            ]
        })
    }

    proptest! {
        #[test]
        fn nothing_differs_from_itself_and_a_difference_is_seen_from_both_sides(a in value(), b in value()) {
            prop_assert!(between(&a, &a).is_empty());
            let there: Vec<String> = between(&a, &b).into_iter().map(|change| change.path).collect();
            let back: Vec<String> = between(&b, &a).into_iter().map(|change| change.path).collect();
            prop_assert_eq!(there, back);
        }
    }
}
