//! Text files that lie beside those of a log: signatures of others, forms, settings, documents of `--json`. Each by what it holds.

use serde_json::{Value, json};
use stele_oms::Bundle;

use crate::render::page::{Page, printable};

/// What a form says in its first line, before and after its verb.
const FORM: (&str, &str) = ("`stele ", " --form FILE");

/// What a text is, if it is one of them.
pub(super) fn text(text: &str) -> Option<Result<(Page, Value), String>> {
    if text.trim_start().starts_with('{') {
        let found = model_signature(text).or_else(|| document(text).map(Ok));
        return Some(found.unwrap_or_else(|| Err("JSON of no kind that these programs write".to_owned())));
    }
    let table: toml::Table = text.parse().ok()?;
    release(text, &table).or_else(|| form(text)).or_else(|| lock_file(&table)).or_else(|| settings(&table)).map(Ok)
}

/// A signature of OpenSSF Model Signing. Nothing in it is verified.
fn model_signature(text: &str) -> Option<Result<(Page, Value), String>> {
    let fields: serde_json::Map<String, Value> = serde_json::from_str(text).ok()?;
    fields.contains_key("dsseEnvelope").then_some(())?;
    let described = |bundle: Bundle| {
        let list = bundle.unverified_list().map_err(|error| error.to_string())?;
        let mut page = Page::titled("a signature of OpenSSF Model Signing, not verified: `stele oms verify` does");
        page.row("model", &printable(list.model()));
        page.row("key", &format!("{}, as it says itself", printable(&bundle.named_key())));
        page.row("files", &list.files().len());
        page.row("root", &list.root());
        let (model, key, files, root) = (list.model(), bundle.named_key(), list.files().len(), list.root());
        Ok((page, json!({ "kind": "model-signature", "model": model, "key": key, "files": files, "root": root })))
    };
    let found = Bundle::parse(text.as_bytes()).map_err(|error| error.to_string()).and_then(described);
    Some(found.map_err(|why| format!("a signature of Model Signing, damaged: {why}")))
}

/// A document of `--json`, or the first of several events.
fn document(text: &str) -> Option<(Page, Value)> {
    let first: Value = serde_json::Deserializer::from_str(text).into_iter().next()?.ok()?;
    let name = ["schema", "format"].into_iter().find_map(|field| first.get(field)?.as_str())?;
    name.starts_with("stele").then_some(())?;
    let page = Page::titled(&format!("a document that these programs wrote for others: {}", printable(name)));
    Some((page, json!({ "kind": "document", "name": name })))
}

/// A release that is not signed yet: TOML with the tables that every release has.
fn release(text: &str, table: &toml::Table) -> Option<(Page, Value)> {
    if !["model", "license"].iter().all(|name| table.get(*name).is_some_and(toml::Value::is_table)) {
        return None;
    }
    let open = open(text);
    let mut page =
        Page::titled("a release that is not signed yet: `stele publish` signs and submits it with its folder");
    page.row("decisions", &format!("{open} open"));
    Some((page, json!({ "kind": "release-toml", "open": open })))
}

fn form(text: &str) -> Option<(Page, Value)> {
    let (_, rest) = text.lines().next()?.strip_prefix('#')?.split_once(FORM.0)?;
    let (verb, _) = rest.split_once(FORM.1)?;
    let open = open(text);
    let mut page = Page::titled(&format!("a form that is not sent yet: `stele {} --form FILE` does", printable(verb)));
    page.row("decisions", &format!("{open} open"));
    Some((page, json!({ "kind": "form", "verb": verb, "open": open })))
}

fn open(text: &str) -> usize {
    text.lines().filter(|line| !line.trim_start().starts_with('#') && line.contains("\"DECIDE")).count()
}

fn lock_file(table: &toml::Table) -> Option<(Page, Value)> {
    let version = table.get("version")?.as_integer()?;
    let models = match table.get("model") {
        Some(models) => {
            models.as_array()?.iter().all(|model| model.get("place").is_some()).then(|| models.as_array())??
        }
        None if table.len() == 1 => &Vec::new(),
        None => return None,
    };
    let mut page = Page::titled("a lock file: `stele scan --locked FILE` refuses what is not as it says");
    page.row("version", &version);
    page.row("models", &models.len());
    Some((page, json!({ "kind": "lock-file", "models": models.len() })))
}

/// What a program is told.
fn settings(table: &toml::Table) -> Option<(Page, Value)> {
    let has = |names: &[&str]| names.iter().all(|name| table.contains_key(*name));
    let (of, how) = match () {
        () if has(&["origin", "registration"]) => ("stele-log", "`stele-log check DIR` reads it"),
        () if has(&["state", "watch"]) => ("stele monitor", "`stele monitor FILE --test` reads it"),
        () => return None,
    };
    let page = Page::titled(&format!("settings of {of}: {how}"));
    Some((page, json!({ "kind": "settings", "of": of })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_what_it_holds_and_no_other_kind() {
        let kind = |of: &str| text(of).map(|found| found.map(|(_, json)| json["kind"].as_str().unwrap().to_owned()));
        for (of, expected) in [
            ("# Why, for `stele amend --form FILE --key FILE`.\nrelease = \"DECIDE: its coordinate\"\n", "form"),
            ("# What `stele scan` found.\nversion = 1\n", "lock-file"),
            ("version = 1\n[[model]]\nplace = \"DIR x\"\n", "lock-file"),
            ("origin = \"log.example/a\"\n[registration]\nmode = \"open\"\n", "settings"),
            ("state = \"seen\"\n[watch]\nall = true\n", "settings"),
            ("[model]\nname = \"DECIDE: a name\"\n[license]\nspdx = \"MIT\"\n", "release-toml"),
            ("{\"schema\":\"stele/verify@v1\"}\n", "document"),
            ("{\"format\":\"stele/event@v1\"}\n{\"format\":\"stele/event@v1\"}\n", "document"),
        ] {
            assert_eq!(kind(of), Some(Ok(expected.to_owned())), "{of}");
        }
        for of in ["{\"schema\":\"other\"}", "{", "{}"] {
            assert!(kind(of).unwrap().is_err(), "{of}");
        }
        for of in ["log a+b+c\nquorum none\n", "version = 1\nmodel = 3\n", "version = 1\nname = \"x\"\n", "words", ""] {
            assert_eq!(kind(of), None, "{of}");
        }
    }
}
