//! `stele config`: each setting, its value, and where it comes from.

use std::path::PathBuf;

use serde_json::{Value, json};
use stele_explain::secrets::without_secrets;
use stele_verify::folder::digest_cache;

use crate::Output;
use crate::log_args::local_state;
use crate::render::page::Page;
use crate::settings::{KEY_VARIABLE, POLICY_VARIABLE, Setting, Settings, folder, variable};

/// A value that holds where no option says another.
struct Row {
    name: &'static str,
    value: Option<String>,
    from: String,
}

pub(crate) fn run(settings: &Settings) -> Output {
    let mut rows: Vec<Row> = Setting::ALL.iter().map(|setting| row(settings, *setting)).collect();
    rows.push(state());
    rows.push(cache());
    let mut page = Page::titled("settings");
    for Row { name, value, from } in &rows {
        match value {
            Some(value) => page.row(name, &format!("{value}\nfrom {from}")),
            None => page.row(name, &format!("not set: {from}")),
        }
    }
    page.section("the file");
    let path = settings
        .file()
        .map_or_else(|| "none: this user has no home folder".to_owned(), |file| file.display().to_string());
    let there = match (settings.file(), settings.is_there()) {
        (Some(_), false) => "\nnot there",
        _ => "",
    };
    page.row("", &format!("{path}{there}"));
    page.row("", &"an option overrides the environment, and that overrides the file");
    let shown: Vec<Value> =
        rows.iter().map(|row| json!({ "name": row.name, "value": row.value, "from": row.from })).collect();
    let document = json!({
        "file": settings.file().map(|file| file.display().to_string()),
        "file_is_there": settings.is_there(),
        "settings": shown,
    });
    Output { text: page.0, json: document, failure: None }
}

fn row(settings: &Settings, setting: Setting) -> Row {
    let name = setting.name();
    if setting == Setting::Policy
        && let Some(path) = variable(POLICY_VARIABLE)
    {
        let value = Some(PathBuf::from(path).display().to_string());
        return Row { name, value, from: format!("${POLICY_VARIABLE}") };
    }
    if setting == Setting::Key && variable(KEY_VARIABLE).is_some() {
        // The value is the secret itself.
        return Row { name, value: None, from: format!("${KEY_VARIABLE} has the key") };
    }
    if let Some(value) = settings.value(setting) {
        // An address may have a password in it.
        let value = if setting == Setting::Log { without_secrets(value).into_owned() } else { value.to_owned() };
        return Row { name, value: Some(value), from: "the file".to_owned() };
    }
    let (value, from) = match setting {
        Setting::Policy => {
            let place = folder().map(|folder| folder.join("policy"));
            let there = place.as_ref().is_some_and(|place| place.exists());
            let from = if there { "its usual place" } else { "its usual place, where nothing is" };
            (place.map(|place| place.display().to_string()), from)
        }
        Setting::Wait => (Some("60s".to_owned()), "the program"),
        Setting::Log => (None, "the policy's log is asked"),
        Setting::Key => (None, "name it with --key"),
        Setting::MaxAge => (None, "evidence of any age"),
        Setting::Expect => (None, "no file of expected statements"),
    };
    Row { name, value, from: from.to_owned() }
}

/// Where this machine remembers. The environment decides, and no file.
fn state() -> Row {
    let value = local_state(false).folder().map(|folder| folder.display().to_string());
    let named = ["STELE_STATE", "XDG_STATE_HOME"].into_iter().find(|name| variable(name).is_some());
    let from = named.map_or_else(|| "its usual place".to_owned(), |name| format!("${name}"));
    Row { name: "state", value, from }
}

/// Where this machine keeps digests of files. The environment decides, and no file.
fn cache() -> Row {
    let value = digest_cache::place().map(|folder| folder.display().to_string());
    let named = ["STELE_CACHE", "XDG_CACHE_HOME"].into_iter().find(|name| variable(name).is_some());
    let from = named.map_or_else(|| "its usual place".to_owned(), |name| format!("${name}"));
    Row { name: "cache", value, from }
}
