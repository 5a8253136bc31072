//! `check`: whether a log's config, key and policy can be used, with all problems at once. Nothing is started, asked or changed.

use crate::config::{self, Config};
use crate::error::LogError;
use crate::options::{policy_path, read_keys, read_policy};
use crate::reachable;
use crate::storage;
use crate::verify_page::VerifyPage;
use std::collections::BTreeSet;
use std::net::ToSocketAddrs as _;
use std::path::{Path, PathBuf};
use stele_daemon::config::{ConfigError, Loaded, MAX_CONFIG, parse};
use stele_log_core::log_keys::LogKeys;
use stele_log_core::rules::Claims;
use stele_spec::manifest::MAX_MANIFEST;
use stele_spec::policy::{FaultTolerance, Policy, Quorum};
use stele_terminal::checks::Checks;
use stele_terminal::writers::anybody_may_change;

/// The origin of a config whose own cannot be read.
const UNKNOWN: &str = "unknown.invalid";

/// The most problems of a config that are said at a time.
const MAX_PROBLEMS: usize = 64;

/// What of a log's folder could be read.
#[derive(Debug)]
pub struct Checked {
    /// The config, with the defaults of what is wrong in it.
    pub loaded: Loaded<Config>,
    /// The log's keys.
    pub keys: Option<LogKeys>,
    /// The policy.
    pub policy: Option<Policy>,
}

/// Looks at config, key and policy; `None` where the config says so little that nothing else is found.
pub fn folder(found: &mut Checks, dir: &Path, policy: Option<PathBuf>) -> Option<Checked> {
    let before = found.failures();
    let loaded = load(found, dir)?;
    values(found, &loaded.config);
    if found.failures() == before {
        found.ok("config", dir.join(config::FILE).display().to_string());
    }
    let key_path = loaded.resolve(&loaded.config.key);
    let keys = match read_keys(&loaded) {
        Ok(signer) => {
            let keys = signer.keys();
            keys.iter().for_each(|key| found.ok("key", format!("{} {}", key.name(), key.hash())));
            Some(keys)
        }
        // With which origin it was to be compared is what is wrong, and said.
        Err(LogError::OtherKey { .. }) if loaded.config.origin.as_str() == UNKNOWN => None,
        Err(error) => {
            found.explain("key", &error);
            None
        }
    };
    let path = policy_path(&loaded, policy);
    for (what, path) in [("key", &key_path), ("policy", &path), ("config", &dir.join(config::FILE))] {
        if let Some(open) = anybody_may_change(path) {
            found.warn(what, format!("anybody on this machine may change {0}: chmod o-w {0}", open.display()));
        }
    }
    let policy = keys.as_ref().and_then(|keys| read(found, &path, keys));
    match storage::bucket(&loaded) {
        Ok(None) => {}
        Ok(Some(bucket)) => {
            found.ok("objects", format!("{} at {}, not asked here", bucket.objects.location, bucket.objects.endpoint));
            if let Some(Err(error)) = policy.as_ref().map(reachable::intersects) {
                found.explain("policy", &error);
            }
        }
        Err(error) => found.explain("objects", &error),
    }
    if let Some(page) = loaded.config.verify_page.as_deref().map(|page| loaded.resolve(page)) {
        match VerifyPage::load(&page) {
            Ok(served) => found.ok("verify-page", format!("{}, {} bytes", page.display(), served.html.len())),
            Err(error) => found.explain("verify-page", &error),
        }
    }
    Some(Checked { loaded, keys, policy })
}

fn read(found: &mut Checks, path: &Path, keys: &LogKeys) -> Option<Policy> {
    let policy = read_policy(path, keys).map_err(|error| found.explain("policy", &error)).ok()?;
    let tolerance = FaultTolerance::by_witness(&policy);
    let number = |number: Option<usize>| number.map_or_else(|| "?".to_owned(), |number| number.to_string());
    if *policy.quorum() == Quorum::None {
        found.warn("policy", "no quorum: tree heads are published that no witness has seen");
    } else if let Err(error) = reachable::check(&policy, keys) {
        found.explain("policy", &LogError::Unmeetable { path: path.to_owned(), error });
    } else {
        let (needed, of) = (number(tolerance.needed), tolerance.of);
        let (down, lie) = (number(tolerance.crashed), number(tolerance.byzantine));
        found.ok("policy", format!("{needed} of {of} witnesses; {down} may be down, {lie} may lie"));
        if tolerance.divides {
            let why = "no witness has to lie for this log to show two histories, each to half of them";
            found.warn("policy", format!("{why}: ask for more than half in the group that the quorum names"));
        }
    }
    for witness in policy.witnesses() {
        if let Some(why) = reachable::unreachable(witness, keys) {
            found.warn("policy", format!("witness {} cannot be asked: {why}", witness.name));
        }
    }
    for log in policy.logs().iter().filter(|log| keys.contains(&log.key) && log.url.is_none()) {
        let line = format!("log {} https://...", log.key);
        found.warn("policy", format!("no address behind the log's key: who uses this file cannot ask the log: {line}"));
    }
    Some(policy)
}

/// The config, or what is left of it when everything wrong was noted.
fn load(found: &mut Checks, dir: &Path) -> Option<Loaded<Config>> {
    let path = dir.join(config::FILE);
    let bytes = found.take("config", stele_durable::read_file(&path, MAX_CONFIG))?;
    let Some(bytes) = bytes else {
        found.explain("config", &ConfigError::Missing { path });
        return None;
    };
    let Ok(text) = String::from_utf8(bytes) else {
        found.fail("config", format!("{}: not UTF-8", path.display()));
        return None;
    };
    let (config, problems) = read_on(&text, &path);
    problems.iter().for_each(|problem| found.explain("config", problem));
    Some(Loaded { config: config?, folder: dir.to_owned() })
}

/// Reads a config, notes what is wrong, puts the default in its place, and reads on: one problem a line, since what is wrong with a default is
/// none of the file's. The config is `None` where something that is needed is not there at all.
fn read_on(text: &str, path: &Path) -> (Option<Config>, Vec<ConfigError>) {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let (mut problems, mut noted) = (Vec::new(), BTreeSet::new());
    while problems.len() < MAX_PROBLEMS {
        let error = match parse::<Config>(&(lines.join("\n") + "\n"), path) {
            Ok(config) => return (Some(config), in_order(problems)),
            Err(error) => error,
        };
        let at = match &error {
            ConfigError::Invalid { line: Some(line), message, .. } if !message.contains("missing field") => line - 1,
            _ => {
                problems.push(error);
                break;
            }
        };
        if noted.insert(at) {
            problems.push(named(error, lines.get(at).map_or("", String::as_str)));
            if !put_default(&mut lines, at) {
                break;
            }
        } else if !take_out(&mut lines, at) {
            break;
        }
    }
    (None, in_order(problems))
}

/// The error with the field of its line, where its own words leave it out.
fn named(error: ConfigError, line: &str) -> ConfigError {
    let Some((field, _)) = line.split_once('=').map(|(field, rest)| (field.trim(), rest)) else { return error };
    match error {
        ConfigError::Invalid { path, line, message } if !message.contains(field) => {
            ConfigError::Invalid { path, line, message: format!("{field}: {message}") }
        }
        error => error,
    }
}

/// By line, as a person goes through the file.
fn in_order(mut problems: Vec<ConfigError>) -> Vec<ConfigError> {
    problems.sort_by_key(|problem| match problem {
        ConfigError::Invalid { line, .. } => *line,
        _ => None,
    });
    problems
}

/// Takes a line out, or a table with its lines; what is needed gets a value, so that the rest can be read. Whether something was done.
fn put_default(lines: &mut [String], at: usize) -> bool {
    let field = |line: &str| line.split_once('=').map(|(field, _)| field.trim().to_owned());
    let table = lines.iter().take(at).rev().find(|line| is_header(line)).map_or("", |line| line.trim());
    let needed = match (table, lines.get(at).and_then(|line| field(line)).as_deref()) {
        ("", Some("origin")) => format!("origin = \"{UNKNOWN}\""),
        ("[registration]", Some("claims")) => "claims = \"open\"".to_owned(),
        _ => return take_out(lines, at),
    };
    lines.get_mut(at).map(|line| *line = needed).is_some()
}

/// Takes a line out, or a table with its lines; whether there was something to take.
fn take_out(lines: &mut [String], at: usize) -> bool {
    let end = match lines.get(at) {
        Some(line) if is_header(line) => {
            lines.iter().skip(at + 1).position(|line| is_header(line)).map_or(lines.len(), |next| at + 1 + next)
        }
        Some(line) if line.contains('=') => at + 1,
        _ => return false,
    };
    lines.get_mut(at..end).into_iter().flatten().for_each(String::clear);
    true
}

fn is_header(line: &str) -> bool {
    line.trim_start().starts_with('[')
}

/// What each field says by itself is no error to the parser, and may be one all the same.
fn values(found: &mut Checks, config: &Config) {
    if let Err(error) = config.origin.fit_for_a_new_log() {
        found.warn("config", format!("origin: no new log would get it: {error}"));
    }
    if let Err(error) = config.listen.to_socket_addrs() {
        found.fail("config", format!("listen: expected an address and a port, found {:?}: {error}", config.listen));
    }
    let limits = &config.limits;
    for (name, value) in [
        ("limits.connections", limits.connections as u64),
        ("limits.pending_submissions", limits.pending_submissions as u64),
        ("limits.submission_seconds", limits.submission_seconds),
        ("republish_every", config.republish_every),
    ] {
        if value == 0 {
            found.fail("config", format!("{name}: expected at least 1, found 0"));
        }
    }
    if limits.body_bytes < MAX_MANIFEST as u64 {
        let words = format!("limits.body_bytes: {} counts as {MAX_MANIFEST}, the largest manifest", limits.body_bytes);
        found.warn("config", words);
    }
    if limits.submission_seconds < limits.quorum_seconds {
        found.warn(
            "config",
            "limits.submission_seconds is less than quorum_seconds: submitters leave before the quorum is there",
        );
    }
    let only_here = config.listen.to_socket_addrs().is_ok_and(|mut all| all.all(|address| address.ip().is_loopback()));
    if let (Some(header), false) = (&limits.client_address_header, only_here) {
        let words = format!(
            "limits.client_address_header: who reaches {} without the proxy writes {header} as they like",
            config.listen
        );
        found.warn("config", words);
    }
    let nobody = config.registration.claims == Claims::AllowList && config.registration.allowed.is_empty();
    if nobody && !config.frozen {
        found.warn("config", "claims = \"allow-list\" and no name in [registration.allowed]: nobody can claim one");
    }
    if config.frozen {
        found.warn("config", "frozen: the log takes no new statement");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_of_a_config_is_said_with_its_line() {
        let text = "origin = \"\"\nlisten = 8080\n[registration]\nclaims = \"anybody\"\n\
                    [limits]\nconnections = \"many\"\nbody_bytes = 1\n[quota]\nclaims_by_key = 1\n[batch]\nmax_entries = 0\n";
        let (config, problems) = read_on(text, Path::new(config::FILE));
        let lines: Vec<_> = problems
            .iter()
            .map(|problem| match problem {
                ConfigError::Invalid { line, .. } => line.unwrap(),
                other => panic!("{other}"),
            })
            .collect();
        assert_eq!(lines, [1, 2, 4, 6, 8, 11], "{problems:?}");
        // What was right counts.
        assert_eq!(config.unwrap().limits.body_bytes, 1);
    }

    #[test]
    fn one_problem_is_said_once() {
        let head = "origin = \"log.example\"\n[registration]\nclaims = \"open\"\n";
        for (text, lines) in [
            // A field of the whole file, below a table.
            (format!("{head}origin = \"x\"\n"), &[4][..]),
            (format!("{head}[limits]\nclaims = \"open\"\norigin = \"x\"\n"), &[5, 6]),
            // Twice the same field, and twice the same table.
            (format!("origin = \"log.example\"\n{head}"), &[2]),
            (format!("{head}claims = \"open\"\n"), &[4]),
            (format!("{head}[registration]\nclaims = \"open\"\n"), &[4]),
            // A table that nobody knows takes what is in it along.
            (format!("{head}[registratoin]\nclaims = \"open\"\norigin = \"x\"\n"), &[4]),
            (head.replace("\"open\"", "5"), &[3]),
        ] {
            let (config, problems) = read_on(&text, Path::new(config::FILE));
            let found: Vec<_> = problems
                .iter()
                .map(|problem| match problem {
                    ConfigError::Invalid { line, .. } => line.unwrap(),
                    other => panic!("{other}"),
                })
                .collect();
            assert_eq!(found, lines, "{text}{problems:?}");
            assert!(config.is_some(), "{text}");
        }
    }

    #[test]
    fn a_config_without_what_it_needs_ends_the_look_at_it() {
        for text in
            ["", "origin = \"log.example\"\n", "= 1\n", "[registration\n", "[registration]\nclaims = \"open\"\n"]
        {
            let (config, problems) = read_on(text, Path::new(config::FILE));
            assert!(config.is_none() && !problems.is_empty(), "{text}");
        }
    }

    #[test]
    fn a_value_that_can_be_read_and_cannot_be_meant_is_found() {
        let mut config = crate::testkit::config();
        let mut found = Checks::default();
        values(&mut found, &config);
        assert_eq!(found.count(), 0, "{}", found.output().text);
        config.listen = "nowhere".into();
        config.limits.connections = 0;
        config.limits.body_bytes = 5;
        config.limits.submission_seconds = 1;
        config.registration.claims = Claims::AllowList;
        values(&mut found, &config);
        assert_eq!((found.failures(), found.count()), (2, 5), "{}", found.output().text);
    }
}
