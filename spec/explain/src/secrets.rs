//! Addresses without what opens doors: users, passwords, tokens.

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

/// The length of what stands before the last `@` of an authority; none where nothing does. The authority ends where a path, a space or
/// a quote begins. A password in which a `/` was not escaped makes what is before it no host and port: then it goes on behind.
fn userinfo(rest: &str) -> Option<usize> {
    let is_end = |c: char| matches!(c, '"' | '<' | '>' | '`' | '\\') || c.is_whitespace();
    let address = rest.get(..rest.find(is_end).unwrap_or(rest.len())).unwrap_or_default();
    let authority = address.split(['/', '?', '#']).next().unwrap_or_default();
    let at = authority.rfind('@').or_else(|| {
        let (host, port) = authority.split_once(':')?;
        let is_port = port.chars().all(|c| c.is_ascii_digit()) || host.starts_with('[');
        if is_port { None } else { address.rfind('@') }
    });
    at.filter(|length| *length > 0)
}

#[cfg(test)]
mod tests {
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
        ] {
            assert_eq!(without_secrets(url), shown);
        }
        for same in [
            "https://log.example/lookup/name?value=acme.example/tiny@1&from=0",
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
}
