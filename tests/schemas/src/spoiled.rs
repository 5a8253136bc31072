//! What a schema must refuse: a good document without a required property, or with one of another type.
//!
//! A schema that accepts whatever is written says nothing. So each promise in it is broken in turn, in a document that a
//! program wrote.

use std::collections::{BTreeMap, BTreeSet};

use boon::{Compiler, Schemas};
use serde_json::{Map, Value, json};

use crate::catalogue;

/// A document that was spoiled.
#[derive(Debug, Clone)]
pub struct Spoiled {
    /// What was done to it: `/lifecycle/state: left out`.
    pub what: String,
    /// What came of it.
    pub document: Value,
}

/// Every way to break one promise of its schema about a good document.
#[must_use]
pub fn all(name: &str, good: &Value) -> Vec<Spoiled> {
    let place = catalogue::file_of(name);
    let mut walk = Walk { compiler: catalogue::compiler(), schemas: Schemas::new(), good, found: Vec::new() };
    walk.value(&[place], good, "");
    walk.found
}

/// The way through a document and the parts of the schema that are about each of its values.
struct Walk<'a> {
    compiler: Compiler,
    schemas: Schemas,
    good: &'a Value,
    found: Vec<Spoiled>,
}

/// What the parts of a schema that are about one value say together.
#[derive(Debug, Default)]
struct Promise {
    required: BTreeSet<String>,
    /// The places of the schemas of each property.
    properties: BTreeMap<String, Vec<String>>,
    /// The place of the schema of every item.
    items: Vec<String>,
    /// The types that are allowed; none where all are.
    types: Option<BTreeSet<&'static str>>,
}

impl Walk<'_> {
    fn value(&mut self, places: &[String], value: &Value, at: &str) {
        let mut promise = Promise::default();
        for place in places {
            self.gather(place, value, &mut promise);
        }
        if let Some(types) = &promise.types
            && let Some(other) = of_another_type(types)
        {
            self.found.push(self.spoil(at, "of another type", |slot| *slot = other.clone()));
        }
        match value {
            Value::Object(fields) => {
                for name in promise.required.iter().filter(|name| fields.contains_key(*name)) {
                    let spoiled = self.spoil(at, &format!("without {name}"), |slot| {
                        if let Some(fields) = slot.as_object_mut() {
                            fields.remove(name);
                        }
                    });
                    self.found.push(spoiled);
                }
                for (name, value) in fields {
                    if let Some(places) = promise.properties.get(name) {
                        self.value(places, value, &format!("{at}/{}", escaped(name)));
                    }
                }
            }
            // One item is as good as another.
            Value::Array(items) if !promise.items.is_empty() => {
                if let Some(first) = items.first() {
                    self.value(&promise.items, first, &format!("{at}/0"));
                }
            }
            _ => {}
        }
    }

    /// Adds what the schema at a place says about a value, with all that it refers to and every alternative that accepts the value.
    fn gather(&mut self, place: &str, value: &Value, promise: &mut Promise) {
        let Some(Value::Object(schema)) = at_place(place) else { return };
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            self.gather(&resolved(place, reference), value, promise);
        }
        for (name, _) in list(schema, "allOf") {
            self.gather(&below(place, &format!("allOf/{name}")), value, promise);
        }
        for word in ["oneOf", "anyOf"] {
            let (mut types, mut is_open) = (BTreeSet::new(), false);
            for (name, _) in list(schema, word) {
                let alternative = below(place, &format!("{word}/{name}"));
                let mut one = Promise::default();
                self.gather(&alternative, value, &mut one);
                match &one.types {
                    Some(some) => types.extend(some.iter().copied()),
                    None => is_open = true,
                }
                if self.accepts(&alternative, value) {
                    promise.take(Promise { types: None, ..one });
                }
            }
            if !is_open && !types.is_empty() {
                promise.narrow(types);
            }
        }
        if schema.contains_key("if") {
            let branch = if self.accepts(&below(place, "if"), value) { "then" } else { "else" };
            self.gather(&below(place, branch), value, promise);
        }
        let words = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        promise.required.extend(words.filter_map(Value::as_str).map(str::to_owned));
        for name in schema.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::keys) {
            let property = below(place, &format!("properties/{}", escaped(name)));
            promise.properties.entry(name.clone()).or_default().push(property);
        }
        if schema.contains_key("items") {
            promise.items.push(below(place, "items"));
        }
        if let Some(types) = types_of(schema) {
            promise.narrow(types);
        }
    }

    fn accepts(&mut self, place: &str, value: &Value) -> bool {
        match self.compiler.compile(&catalogue::address(place), &mut self.schemas) {
            Ok(index) => self.schemas.validate(value, index).is_ok(),
            Err(error) => panic!("{place}: {error}"),
        }
    }

    fn spoil(&self, at: &str, what: &str, change: impl FnOnce(&mut Value)) -> Spoiled {
        let mut document = self.good.clone();
        if let Some(slot) = document.pointer_mut(at) {
            change(slot);
        }
        Spoiled { what: format!("{at}: {what}"), document }
    }
}

impl Promise {
    fn take(&mut self, other: Self) {
        self.required.extend(other.required);
        for (name, places) in other.properties {
            self.properties.entry(name).or_default().extend(places);
        }
        self.items.extend(other.items);
    }

    fn narrow(&mut self, types: BTreeSet<&'static str>) {
        self.types = Some(match self.types.take() {
            Some(before) => before.intersection(&types).copied().collect(),
            None => types,
        });
    }
}

/// The types that a schema by itself allows: by `type`, or by the values that it lists.
fn types_of(schema: &Map<String, Value>) -> Option<BTreeSet<&'static str>> {
    let listed =
        schema.get("const").into_iter().chain(schema.get("enum").and_then(Value::as_array).into_iter().flatten());
    let of_values: BTreeSet<&'static str> = listed.map(type_of).collect();
    if !of_values.is_empty() {
        return Some(of_values);
    }
    let words: Vec<&str> = match schema.get("type")? {
        Value::String(word) => vec![word],
        Value::Array(words) => words.iter().filter_map(Value::as_str).collect(),
        _ => return None,
    };
    let known = |word: &&str| TYPES.iter().find(|name| *name == word || (**name == "number" && *word == "integer"));
    Some(words.iter().filter_map(known).copied().collect())
}

/// The types of JSON.
const TYPES: [&str; 6] = ["null", "boolean", "number", "string", "array", "object"];

/// A value of a type that is not allowed, and that no enumeration has.
fn of_another_type(allowed: &BTreeSet<&'static str>) -> Option<Value> {
    let other = TYPES.iter().find(|name| !allowed.contains(*name))?;
    Some(match *other {
        "boolean" => true.into(),
        "number" => 4242.into(),
        "string" => "\u{1}".into(),
        "array" => json!([[]]),
        "object" => json!({"\u{1}": null}),
        _ => Value::Null,
    })
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn list<'a>(schema: &'a Map<String, Value>, word: &str) -> impl Iterator<Item = (usize, &'a Value)> {
    schema.get(word).and_then(Value::as_array).into_iter().flatten().enumerate()
}

/// The schema at a place: a file, and a pointer within it behind `#`.
fn at_place(place: &str) -> Option<&'static Value> {
    let (file, pointer) = place.split_once('#').unwrap_or((place, ""));
    catalogue::files().get(file)?.pointer(pointer)
}

fn below(place: &str, name: &str) -> String {
    if place.contains('#') { format!("{place}/{name}") } else { format!("{place}#/{name}") }
}

/// The place that a reference means: in the same file, in one beside it, or in one of the folder above.
fn resolved(place: &str, reference: &str) -> String {
    let (file, _) = place.split_once('#').unwrap_or((place, ""));
    if reference.starts_with('#') {
        return format!("{file}{reference}");
    }
    match (reference.strip_prefix("../"), file.rsplit_once('/')) {
        (Some(above), _) => above.to_owned(),
        (None, Some((folder, _))) => format!("{folder}/{reference}"),
        (None, None) => reference.to_owned(),
    }
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
