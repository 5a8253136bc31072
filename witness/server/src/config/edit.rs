//! How the file is written, and what a verb changes in it: a table more, a line more. What a person wrote stays as it is.

use std::path::Path;

use stele_spec::note::KeyName;
use toml_edit::{DocumentMut, Item, Table};

use super::LogOptions;
use stele_bastion::BastionAddress;
use stele_ssh_agent::SshKey;
use stele_witness_core::trusted_log::TrustedLog;

/// The file that `init` writes.
pub fn text_of(name: &KeyName, listen: &str) -> String {
    text_with(
        name,
        listen,
        "# Its secret keys, Ed25519 and ML-DSA-44, readable by their owner alone.\n\
         key = \"witness.key\"\n\
         key_mldsa = \"witness-mldsa.key\"\n",
        "",
    )
}

/// The same for a key in an ssh-agent.
pub fn text_of_agent(name: &KeyName, listen: &str, key: &SshKey, socket: Option<&Path>) -> String {
    let socket = socket.map(|path| format!("socket = {}\n", quoted(&path.to_string_lossy()))).unwrap_or_default();
    let keys = "# Its Ed25519 key is in an ssh-agent, see [agent]; `stele-witness keys add-mldsa` makes a second one in a file.\n";
    let table = format!(
        "\n[agent]\n# As `ssh-add -L` prints it; without `socket`, {} says where the agent is.\npublic_key = {}\n{socket}",
        stele_ssh_agent::VARIABLE,
        quoted(&key.to_string()),
    );
    text_with(name, listen, keys, &table)
}

/// The file with `key_mldsa`; `None` where there is a field of that name already, or the file is no TOML.
pub fn with_mldsa(text: &str, file: &str) -> Option<String> {
    let mut document: DocumentMut = text.parse().ok()?;
    if document.contains_key("key_mldsa") {
        return None;
    }
    document.insert("key_mldsa", toml_edit::value(file));
    Some(document.to_string())
}

fn text_with(name: &KeyName, listen: &str, keys: &str, table: &str) -> String {
    let (name, listen) = (quoted(&name.to_string()), quoted(listen));
    format!(
        "# A witness: cosigns the tree heads of the logs below. Unknown fields are refused.\n\
         \n\
         # The name in its cosignatures. It belongs to the keys: new keys get a new name.\n\
         name = {name}\n\
         \n\
         # Where it listens. A proxy in front of it may speak TLS.\n\
         listen = {listen}\n\
         \n\
         {keys}\
         \n\
         # The marks tell when the state was lost or put back. Another disk is better; never restore them from a backup.\n\
         marks = \"marks\"\n\
         \n\
         # The logs, added by `stele-witness logs add`.\n\
         {table}"
    )
}

/// The table that `bastion add` appends.
pub fn text_of_bastion(place: &BastionAddress, ca: Option<&Path>) -> String {
    let ca = ca.map(|ca| format!("ca = {}\n", quoted(&ca.to_string_lossy()))).unwrap_or_default();
    format!("\n[[bastion]]\nhost = {}\nkey = \"bastion.key\"\n{ca}", quoted(&place.to_string()))
}

/// The table that `logs add` appends.
pub fn text_of_log(log: &TrustedLog, extras: &LogOptions) -> String {
    let keys: Vec<String> = log.keys().iter().map(|key| quoted(&key.to_string())).collect();
    let number = |name: &str, value: Option<u64>| value.map(|value| format!("{name} = {value}\n")).unwrap_or_default();
    let (qpd, seconds) = (number("qpd", extras.qpd), number("pull_seconds", extras.pull_seconds));
    let pull = extras.pull.as_ref().map(|url| format!("pull = {}\n", quoted(url))).unwrap_or_default();
    let keys = keys.join(", ");
    format!("\n[[log]]\n{}\nvkeys = [{keys}]\n{qpd}{pull}{seconds}", origin_line(log.origin().as_str()))
}

/// The file with what `logs add` says of a log that is listed; what it does not say stays. `None` where there is no table of that log.
pub fn with_options(text: &str, origin: &str, said: &LogOptions) -> Option<String> {
    let mut document: DocumentMut = text.parse().ok()?;
    let log = table_of(&mut document, origin)?;
    if let Some(url) = &said.pull {
        log.insert("pull", toml_edit::value(url));
    }
    for (field, number) in [("pull_seconds", said.pull_seconds), ("qpd", said.qpd)] {
        if let Some(number) = number {
            log.insert(field, toml_edit::value(i64::try_from(number).ok()?));
        }
    }
    Some(document.to_string())
}

/// The table that `mirror init` appends.
pub fn text_of_mirror(name: &KeyName) -> String {
    format!(
        "\n# A mirror beside the witness: another cosigner, with keys of its own. It copies the logs that say `mirror = true`.\n\
         [mirror]\nname = {}\nkey = \"mirror.key\"\nkey_mldsa = \"mirror-mldsa.key\"\nfolder = \"mirror\"\n\
         marks = \"mirror-marks\"\n",
        quoted(&name.to_string())
    )
}

/// The table that `index init` appends.
pub fn text_of_index(name: &KeyName) -> String {
    format!(
        "\n# An index cosigner beside the witness: another cosigner, with keys of its own, that has checked every index entry.\n\
         # It cosigns the logs that say `index = true`.\n\
         [index]\nname = {}\nkey = \"index.key\"\nkey_mldsa = \"index-mldsa.key\"\nstate = \"index/state\"\n\
         marks = \"index-marks\"\n",
        quoted(&name.to_string())
    )
}

/// The file with the index of one log cosigned, by replaying if it says so; `None` where there is no table of that log.
pub fn with_index(text: &str, origin: &str, replay: bool) -> Option<String> {
    with_flags(text, origin, if replay { &["index", "replay"] } else { &["index"] }, true)
}

/// The file with one log mirrored, and pushed if it says so; `None` where there is no table of that log.
pub fn with_mirror(text: &str, origin: &str, push: bool) -> Option<String> {
    with_flags(text, origin, if push { &["mirror", "push"] } else { &["mirror"] }, true)
}

/// The file with one log disabled or enabled; `None` where there is no table of that log.
pub fn with_disabled(text: &str, origin: &str, disabled: bool) -> Option<String> {
    with_flags(text, origin, &["disabled"], disabled)
}

fn with_flags(text: &str, origin: &str, flags: &[&str], on: bool) -> Option<String> {
    let mut document: DocumentMut = text.parse().ok()?;
    let log = table_of(&mut document, origin)?;
    for flag in flags {
        if on {
            log.insert(flag, toml_edit::value(true));
        } else {
            log.remove(flag);
        }
    }
    Some(document.to_string())
}

fn table_of<'a>(document: &'a mut DocumentMut, origin: &str) -> Option<&'a mut Table> {
    let logs = document.get_mut("log")?.as_array_of_tables_mut()?;
    logs.iter_mut().find(|log| log.get("origin").and_then(Item::as_str) == Some(origin))
}

fn origin_line(origin: &str) -> String {
    format!("origin = {}", quoted(origin))
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, FILE};
    use stele_daemon::config::parse;
    use stele_witness_core::samples::Log;

    fn read(text: &str) -> Config {
        parse(text, Path::new(FILE)).unwrap()
    }

    fn qpd(qpd: u64) -> LogOptions {
        LogOptions { qpd: Some(qpd), ..LogOptions::default() }
    }

    #[test]
    fn a_log_is_disabled_and_enabled_and_nothing_else_changes() {
        let (a, b) = (Log::new("log.example/a", 1), Log::named("odd \"b\"", "log.example/b", 1));
        let head = text_of(&"witness.example/w1".parse().unwrap(), "127.0.0.1:0");
        let text = format!(
            "{head}{}# a comment\n{}",
            text_of_log(&a.trusted(), &qpd(9)),
            text_of_log(&b.trusted(), &LogOptions::default())
        );
        assert_eq!(with_disabled(&text, "log.example/c", true), None);
        for origin in ["log.example/a", "odd \"b\""] {
            let off = with_disabled(&text, origin, true).unwrap();
            let flags: Vec<_> = read(&off).logs.iter().map(|log| (log.origin == origin, log.disabled)).collect();
            assert!(flags.iter().all(|(meant, disabled)| meant == disabled), "{flags:?}");
            assert_eq!(with_disabled(&off, origin, true).unwrap(), off);
            assert_eq!(with_disabled(&off, origin, false).unwrap(), text);
        }
    }

    #[test]
    fn a_table_that_a_person_wrote_is_found_and_everything_around_the_flag_stays() {
        let first = "name = \"w\"   # the name\n\n[[log]] # ours\n  origin= 'log.example/a'\t# the first\n\
                     qpd = 9\n";
        let rest = "\n# Of a friend.\n[[log]]\n\"origin\" = \"log.example/b\"\n\n[limits]\nconnections = 3 # few\n";
        let text = format!("{first}{rest}");
        let off = with_disabled(&text, "log.example/a", true).unwrap();
        assert_eq!(off, format!("{first}disabled = true\n{rest}"));
        assert_eq!(with_disabled(&off, "log.example/a", false).unwrap(), text);
        let mirrored = with_mirror(&text, "log.example/b", true).unwrap();
        assert_eq!(mirrored, text.replace("b\"\n", "b\"\nmirror = true\npush = true\n"));
        for none in ["log = [{ origin = \"log.example/a\" }]\n", "[log]\norigin = \"log.example/a\"\n", "no TOML"] {
            assert_eq!(with_disabled(none, "log.example/a", true), None, "{none}");
        }
    }

    #[test]
    fn what_is_said_of_a_listed_log_is_written_and_what_is_not_said_stays() {
        let text =
            "name = \"w\"\n\n[[log]] # ours\norigin = \"log.example/a\"\nqpd = 9 # few\n\n[limits]\nconnections = 3\n";
        let said = LogOptions { qpd: None, pull: Some("https://a.example/".into()), pull_seconds: Some(60) };
        let with = with_options(text, "log.example/a", &said).unwrap();
        let lines = "qpd = 9 # few\npull = \"https://a.example/\"\npull_seconds = 60\n";
        assert_eq!(with, text.replace("qpd = 9 # few\n", lines));
        let elsewhere = LogOptions { pull: Some("https://b.example/".into()), ..LogOptions::default() };
        let moved = with_options(&with, "log.example/a", &elsewhere).unwrap();
        assert_eq!(moved, with.replace("a.example/\"", "b.example/\""));
        assert_eq!(with_options(&with, "log.example/a", &LogOptions::default()), Some(with.clone()));
        assert_eq!(with_options(&with, "log.example/b", &said), None);
    }

    #[test]
    fn a_second_key_is_written_before_the_first_table_and_never_twice() {
        let key = SshKey::new([1; 32]);
        let name = "witness.example/w1".parse().unwrap();
        let text = text_of_agent(&name, "127.0.0.1:0", &key, Some(Path::new("/run/odd \"socket\"")));
        let before = read(&text);
        assert_eq!(before.agent.as_ref().unwrap().socket.as_deref(), Some(Path::new("/run/odd \"socket\"")));
        assert_eq!((before.key_mldsa, before.agent.unwrap().public_key), (None, key.to_string()));
        let log = text_of_log(&Log::new("log.example/a", 1).trusted(), &LogOptions::default());
        for text in [text.clone(), format!("{text}{log}"), "name = \"a\"".to_owned(), format!("name = \"a\"\n{log}")] {
            let with = with_mldsa(&text, "second.key").unwrap();
            let (before, after) = (read(&text), read(&with));
            assert_eq!(after.key_mldsa.as_deref(), Some(Path::new("second.key")), "{with}");
            assert_eq!((before.name, before.agent, before.logs), (after.name, after.agent, after.logs));
            assert_eq!(with_mldsa(&with, "third.key"), None);
        }
    }

    #[test]
    fn what_is_written_is_read_back_whatever_the_origin() {
        let text = text_of(&"witness.example/w1".parse().unwrap(), "127.0.0.1:0");
        let odd = Log::named("log \"with\" 'quotes' \\ and ümlauts", "log.example/a", 1);
        let config = read(&format!("{text}{}", text_of_log(&odd.trusted(), &qpd(7))));
        let [listed] = &config.listed().unwrap()[..] else { panic!() };
        assert_eq!((&listed.log, listed.qpd), (&odd.trusted(), Some(7)));
        assert_eq!((config.name.as_str(), config.listen.as_str()), ("witness.example/w1", "127.0.0.1:0"));
    }
}
