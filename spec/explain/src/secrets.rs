//! Addresses without what opens doors: users, passwords, tokens.

use core::net::{Ipv4Addr, Ipv6Addr};
use std::borrow::Cow;

/// What a parameter's name holds whose value is never shown: tokens, signed addresses of object stores, passwords.
const SECRET_NAMES: [&str; 10] = ["token", "key", "secret", "pass", "pwd", "sig", "auth", "cred", "session", "code"];

/// What stands in the place of a secret.
const HIDDEN: &str = "***";

/// An address as it may be shown: without user and password, and without the values of parameters that are secrets by their names.
pub fn without_secrets(url: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = url.split_once("://") else { return url.into() };
    let (user, rest) = match userinfo(rest) {
        Some(length) => (HIDDEN, rest.get(length..).unwrap_or_default()),
        None => ("", rest),
    };
    let rest = match rest.split_once('?') {
        Some((path, query)) => format!("{path}?{}", query.split('&').map(parameter).collect::<Vec<_>>().join("&")),
        None => rest.to_owned(),
    };
    let shown = format!("{scheme}://{user}{rest}");
    if shown == url { url.into() } else { shown.into() }
}

fn parameter(pair: &str) -> String {
    let Some((name, _)) = pair.split_once('=') else { return pair.to_owned() };
    let lower = name.to_ascii_lowercase();
    let is_secret = SECRET_NAMES.iter().any(|secret| lower.contains(secret));
    if is_secret { format!("{name}={HIDDEN}") } else { pair.to_owned() }
}

/// A text as it may be shown: no address in it has a password. Of an address of HTTP the user is hidden as well, since a token may stand
/// there; a user alone, as in `ssh://git@host`, stays.
pub fn without_passwords(text: &str) -> Cow<'_, str> {
    let mut shown = String::new();
    let mut kept = 0;
    for (mark, _) in text.match_indices("://") {
        let start = mark + "://".len();
        let rest = text.get(start..).unwrap_or_default();
        let Some(length) = userinfo(rest) else { continue };
        let is_http = ["http", "https"].iter().any(|scheme| text.get(..mark).unwrap_or_default().ends_with(scheme));
        let has_password = rest.get(..length).unwrap_or_default().contains(':');
        if start >= kept && (is_http || has_password) {
            shown.push_str(text.get(kept..start).unwrap_or_default());
            shown.push_str(HIDDEN);
            kept = start + length;
        }
    }
    if kept == 0 {
        return text.into();
    }
    shown.push_str(text.get(kept..).unwrap_or_default());
    shown.into()
}

/// The length of what stands before the last `@` of an address that has user and password; none where it has none. The address ends
/// where a blank begins, or the quote in which it is.
///
/// A password in which `/`, `?`, `#` or `@` was not escaped goes on behind what reads as an authority. So an `@` behind a path is no
/// sign of a password only where all before the path can be nothing but a host.
fn userinfo(rest: &str) -> Option<usize> {
    let is_end = |c: char| matches!(c, '"' | '\\') || c.is_whitespace();
    let address = rest.get(..rest.find(is_end).unwrap_or(rest.len())).unwrap_or_default();
    let (before, behind) = address.rsplit_once('@')?;
    let authority = address.split(['/', '?', '#']).next().unwrap_or_default();
    let is_host = authority.is_empty() && address.starts_with('/') || is_host(authority, behind);
    (!is_host && !before.is_empty()).then_some(before.len())
}

/// Whether an authority is a host, with its port or without. `behind` is what stands behind the last `@` of the address.
fn is_host(authority: &str, behind: &str) -> bool {
    let (host, port) = split_port(authority);
    let is_port = port.is_none_or(|port| !port.starts_with('0') && port.parse::<u16>().is_ok());
    if !is_port || authority.contains('@') {
        return false;
    }
    if host == "localhost" || is_ip(host) {
        return true;
    }
    // Users have dots in their names as well, and ports are digits as passwords are: what could be the host behind decides.
    let (behind, port_behind) = split_port(behind.split(['/', '?', '#']).next().unwrap_or_default());
    let is_port_behind = port_behind.is_none_or(|port| port.parse::<u16>().is_ok());
    let may_be_host = is_port_behind && (is_name(behind) || is_ip(behind) || behind == "localhost");
    is_name(host) && (port.is_none() || !may_be_host)
}

/// Host and port; an IPv6 address is in brackets.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

/// Whether it is a host's name of several labels, the last of which has a letter.
fn is_name(host: &str) -> bool {
    let is_label =
        |label: &str| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_');
    let last = host.rsplit_once('.').map(|(_, last)| last);
    host.split('.').all(is_label) && last.is_some_and(|last| last.chars().any(char::is_alphabetic))
}

fn is_ip(host: &str) -> bool {
    let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    inner.is_some_and(|inner| inner.parse::<Ipv6Addr>().is_ok()) || host.parse::<Ipv4Addr>().is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn secrets_of_an_address_are_not_shown_and_the_rest_is() {
        for (url, shown) in [
            ("https://me:pw@log.example/stele", "https://***@log.example/stele"),
            ("https://tok@log.example", "https://***@log.example"),
            ("https://a@b:pw@log.example/x", "https://***@log.example/x"),
            ("https://log.example/x?token=abc&from=3", "https://log.example/x?token=***&from=3"),
            (
                "https://s3.example/o?X-Amz-Signature=1f&X-Amz-Credential=AK&X-Amz-Date=2",
                "https://s3.example/o?X-Amz-Signature=***&X-Amz-Credential=***&X-Amz-Date=2",
            ),
            ("https://log.example/x?API_KEY=a", "https://log.example/x?API_KEY=***"),
            ("https://me:pw@log.example?password=a", "https://***@log.example?password=***"),
            ("https://me:p/w@log.example/x", "https://***@log.example/x"),
            ("https://u:12/x@host", "https://***@host"),
            ("https://u:12/x?a#b@log.example/y", "https://***@log.example/y"),
            ("https://me.smith:12/x@log.example:8443/y", "https://***@log.example:8443/y"),
            ("https://u:70000@host", "https://***@host"),
            ("https://log.example:00443/x@1.0.0", "https://***@1.0.0"),
            ("https://me:p@log.example/x@log.example", "https://***@log.example"),
            ("https://to/ken@host", "https://***@host"),
            ("https://me:p<w>`x@host", "https://***@host"),
            ("https://127.0.0.1.example:12/x@127.0.0.1", "https://***@127.0.0.1"),
        ] {
            assert_eq!(without_secrets(url), shown);
        }
        for same in [
            "https://log.example/lookup/name?value=acme.example/tiny@1&from=0",
            "https://log.example:8443/lookup/name?value=acme.example/tiny@1.0.0&from=0",
            "https://registry.example:5000/acme/tiny@sha256:00",
            "https://log.example/acme/tiny@acme.example",
            "http://localhost:8080/a@log.example",
            "http://127.0.0.1:8080/a@log.example",
            "http://[::1]:8080/a@log.example",
            "file:///home/me:you/a@b",
            "http://127.0.0.1:8080",
            "folder/x",
            "",
        ] {
            assert_eq!(without_secrets(same), same);
        }
    }

    #[test]
    fn no_address_in_a_text_has_a_password() {
        for (text, shown) in [
            ("cannot reach https://me:pw@log.example/x: refused", "cannot reach https://***@log.example/x: refused"),
            ("https://a:1@b.example, http://c:2@d.example", "https://***@b.example, http://***@d.example"),
            (r#"{"url":"https://me:p@w@log.example"}"#, r#"{"url":"https://***@log.example"}"#),
            ("https://token@log.example", "https://***@log.example"),
            ("socks5://me:pw@proxy.example:1080", "socks5://***@proxy.example:1080"),
            ("https://me:p://w@log.example", "https://***@log.example"),
            ("no address: https://me:p/w?x@log.example/y", "no address: https://***@log.example/y"),
            ("é https://é:pw@log.example é", "é https://***@log.example é"),
        ] {
            assert_eq!(without_passwords(text), shown);
        }
        for same in [
            "ssh://git@host.example/x",
            "https://log.example/name/acme.example/tiny@1.0.0#base",
            "mail a@b.example, see https://log.example",
            "http://127.0.0.1:8080/a@b",
            "http://[::1]:8080/a@b",
            "://@",
            "",
        ] {
            assert_eq!(without_passwords(same), same);
        }
    }

    proptest! {
        /// What stands between `://` and the last `@` before a blank is never shown where a password may be in it.
        #[test]
        fn no_part_of_a_password_is_shown(
            user in "[a-z][a-z0-9_-]{0,8}",
            password in "[a-z0-9/?#@:.<>%é]{0,12}",
            host in "(host|[a-z]{1,8}\\.example|127\\.0\\.0\\.1|\\[::1\\])(:[1-9][0-9]{0,3})?",
            path in "(/[a-z0-9.]{0,6})?",
        ) {
            prop_assume!(user != "localhost");
            let url = format!("https://{user}:{password}@{host}{path}");
            prop_assert_eq!(without_passwords(&url), format!("https://***@{host}{path}"));
            prop_assert_eq!(without_secrets(&url), format!("https://***@{host}{path}"));
            let text = format!("cannot reach {url}: refused, and \"{url}\" as well");
            let shown = format!("https://***@{host}{path}");
            prop_assert_eq!(without_passwords(&text), format!("cannot reach {shown}: refused, and \"{shown}\" as well"));
        }

        /// The same for any user, where the host behind it is one that a name can be told from.
        #[test]
        fn a_user_with_dots_is_no_host(user in "[a-z]{1,4}(\\.[a-z]{1,4}){1,2}", password in "[a-z0-9/?#@:.]{0,12}") {
            let url = format!("https://{user}:{password}@log.example/x");
            prop_assert_eq!(without_passwords(&url), "https://***@log.example/x");
        }

        #[test]
        fn any_text_is_shown_without_a_panic(text in "([a-z:/@?#. \"é\\[\\]]|://){0,24}") {
            let shown = without_passwords(&text).into_owned();
            prop_assert_eq!(without_passwords(&shown), shown.clone());
            let _ = without_secrets(&text);
        }
    }
}
