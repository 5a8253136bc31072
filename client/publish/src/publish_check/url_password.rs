//! Passwords in URLs, `https://USER:PASSWORD@HOST` (RFC 3986 section 3.2.1): tools write them into configurations and logs.

use std::collections::BTreeSet;

/// The longest user and password, in bytes, that is looked at.
const MAX_USERINFO: usize = 512;

/// The shortest password, and how many characters of it differ at least: manuals write `a:b@` and `user:***@`.
const LEAST: usize = 4;
const LEAST_DISTINCT: usize = 3;

/// Hosts that manuals write.
const EXAMPLE_HOSTS: [&str; 7] = ["host", "hostname", "server", "domain", "host.com", "domain.com", "127.0.0.1"];

/// Domains below which nobody's host is (RFC 2606, RFC 6761).
const EXAMPLE_DOMAINS: [&str; 7] =
    ["example", "example.com", "example.org", "example.net", "test", "invalid", "localhost"];

/// What manuals write for a password, or end it in: `password`, `YOUR_TOKEN`, `api-key`.
const PLACEHOLDERS: [&str; 9] = ["password", "passwd", "pass", "pwd", "passphrase", "secret", "token", "key", "pat"];

/// Whether a URL in a text has a password that looks like one.
pub(super) fn holds_password(text: &str) -> bool {
    text.match_indices("://").any(|(at, mark)| {
        let scheme = text.get(..at).unwrap_or_default();
        let is_web = ["http", "https"].iter().any(|web| ends_with_ignoring_case(scheme, web));
        is_web && is_password(text.get(at + mark.len()..).unwrap_or_default())
    })
}

/// Whether what follows `://` is a user, a password and a host.
fn is_password(rest: &str) -> bool {
    // Brackets, braces, spaces and quotes are no part of it, so that no `<password>` and no `${TOKEN}` is taken for one.
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:%".contains(byte);
    let length = rest.bytes().take(MAX_USERINFO + 1).take_while(is_part).count();
    let (Some(userinfo), Some(behind)) = (rest.get(..length), rest.get(length..)) else { return false };
    let Some(behind) = behind.strip_prefix('@') else { return false };
    let Some((user, password)) = userinfo.split_once(':') else { return false };
    let host: String = behind.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.')).collect();
    !is_example(&host) && !password.eq_ignore_ascii_case(user) && !is_placeholder(password)
}

/// Whether a host is none that answers; an empty one is `<host>` or `${HOST}`.
pub(super) fn is_example(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let is_in =
        |domain: &str| host.strip_suffix(domain).is_some_and(|before| before.is_empty() || before.ends_with('.'));
    host.is_empty() || EXAMPLE_HOSTS.contains(&host.as_str()) || EXAMPLE_DOMAINS.into_iter().any(is_in)
}

/// Whether it stands for a password: a word for one, a variable of a shell or of a format, or stars.
pub(super) fn is_placeholder(password: &str) -> bool {
    let distinct = password.bytes().collect::<BTreeSet<_>>().len();
    if password.len() < LEAST || distinct < LEAST_DISTINCT || password.starts_with('$') || is_format(password) {
        return true;
    }
    let word: String = password.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let has_digit = word.bytes().any(|byte| byte.is_ascii_digit());
    let is_word = PLACEHOLDERS.iter().any(|end| word.ends_with(end));
    !has_digit && (is_word || word.starts_with("your") || word == "changeme" || word == "redacted")
}

/// Whether a `%` in it escapes no byte, as in `%s` and `%(password)s`.
fn is_format(password: &str) -> bool {
    password
        .split('%')
        .skip(1)
        .any(|escape| !escape.get(..2).is_some_and(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit())))
}

fn ends_with_ignoring_case(text: &str, end: &str) -> bool {
    let at = text.len().checked_sub(end.len());
    at.and_then(|at| text.get(at..)).is_some_and(|last| last.eq_ignore_ascii_case(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A URL with these before its `@`; put together here, so that no scanner takes this file for one that holds passwords.
    fn url(scheme: &str, userinfo: &[&str], host: &str) -> String {
        format!("{scheme}://{}@{host}/path", userinfo.join(":"))
    }

    #[test]
    fn a_password_in_a_url_is_known() {
        for (scheme, userinfo, host) in [
            ("https", ["alice", "tr0ub4dor"], "git.acme.dev"),
            ("http", ["alice", "Correct-Horse"], "10.0.0.7:8080"),
            ("HTTPS", ["", "s3cr3t-9f"], "git.acme.dev"),
            ("git+https", ["oauth2", "k3%21zz"], "git.acme.dev"),
            ("https", ["bot", "p4ssword"], "hub"),
        ] {
            let url = url(scheme, &userinfo, host);
            assert!(holds_password(&url), "{url}");
            assert!(holds_password(&format!("remote = \"{url}\"\n")), "{url}");
        }
    }

    #[test]
    fn a_placeholder_and_an_example_are_none() {
        for (userinfo, host) in [
            (vec!["user"], "git.acme.dev"),
            (vec!["user", ""], "git.acme.dev"),
            (vec!["user", "pass"], "git.acme.dev"),
            (vec!["user", "password"], "git.acme.dev"),
            (vec!["user", "YOUR_HF_TOKEN"], "git.acme.dev"),
            (vec!["user", "your-password-here"], "git.acme.dev"),
            (vec!["user", "<password>"], "git.acme.dev"),
            (vec!["user", "${TOKEN}"], "git.acme.dev"),
            (vec!["user", "$TOKEN1"], "git.acme.dev"),
            (vec!["user", "{token}"], "git.acme.dev"),
            (vec!["user", "%s-abc"], "git.acme.dev"),
            (vec!["user", "***"], "git.acme.dev"),
            (vec!["user", "xxxxxxxx"], "git.acme.dev"),
            (vec!["admin", "admin"], "git.acme.dev"),
            (vec!["a", "b"], "git.acme.dev"),
            (vec!["alice", "tr0ub4dor"], "example.com"),
            (vec!["alice", "tr0ub4dor"], "git.example"),
            (vec!["alice", "tr0ub4dor"], "localhost:8000"),
            (vec!["alice", "tr0ub4dor"], "host"),
            (vec!["alice", "tr0ub4dor"], "${HOST}"),
        ] {
            let url = url("https", &userinfo, host);
            assert!(!holds_password(&url), "{url}");
        }
        for text in ["https://acme.dev:8080/@scope/name", "https://acme.dev/a:b@c", "ssh://git@acme.dev:22", "://"] {
            assert!(!holds_password(text), "{text}");
        }
    }
}
