//! Files of settings, a name and a value in a line: a password in one has no form of its own and is known by its name alone.
//!
//! In other files a line such as `token = x` is anything: a configuration of a tokenizer, a document.

use std::collections::BTreeSet;

use super::url_password::is_placeholder;

/// Ends of names of such files.
const ENDS: [&str; 6] = [".cfg", ".conf", ".cnf", ".env", ".ini", ".properties"];
/// Their names.
const NAMES: [&str; 6] = [".dockercfg", ".npmrc", ".pypirc", ".s3cfg", ".boto", "credentials"];
/// The last word of the name of a setting that is a secret.
const SECRET: [&str; 7] = ["password", "passwd", "passphrase", "pass", "secret", "token", "apikey"];
/// The same in two words.
const SECRET_KEY: [(&str, &str); 4] = [("secret", "key"), ("access", "key"), ("api", "key"), ("private", "key")];
/// The shortest value that is one, and how many of its characters differ at least.
const LEAST: usize = 8;
const LEAST_DISTINCT: usize = 6;

/// Whether a file is one of settings, by its name.
pub(super) fn is_one(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let is_env = name == ".env" || name.starts_with(".env.");
    is_env || NAMES.contains(&name.as_str()) || ENDS.iter().any(|end| name.ends_with(end))
}

/// Whether a line gives a secret a value that looks like one.
pub(super) fn holds_password(text: &str) -> bool {
    text.lines().filter_map(setting).any(|(name, value)| is_secret(name) && is_value(value))
}

/// The name and the value of a line, without quotes and what stands behind a blank; none of a comment.
fn setting(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
    let at = line.find(['=', ':']).filter(|_| !line.starts_with(['#', ';', '/']))?;
    let (name, value) = (line.get(..at)?.trim(), line.get(at + 1..)?.trim());
    let value = match value.chars().next() {
        Some(quote @ ('"' | '\'')) => value.get(1..)?.split(quote).next()?,
        _ => value.split_whitespace().next()?,
    };
    Some((name, value))
}

fn is_secret(name: &str) -> bool {
    let name = name.trim_matches(['"', '\'']).to_ascii_lowercase();
    let words: Vec<&str> = name.split(['_', '-', '.', ' ']).collect();
    match words.as_slice() {
        // `pad_token` and the like are words of a tokenizer.
        [.., "bos" | "cls" | "eos" | "mask" | "pad" | "sep" | "unk", "token"] => false,
        [.., first, last] if SECRET_KEY.contains(&(first, last)) => true,
        [.., last] => SECRET.contains(last),
        [] => false,
    }
}

/// Whether a value is no word, no path, no variable and no number.
fn is_value(value: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || "+/_-=.!@%^&*~,?|".contains(c);
    let has = |is: fn(&u8) -> bool| value.bytes().any(|byte| is(&byte));
    value.len() >= LEAST
        && value.chars().all(is_word)
        && !value.starts_with(['/', '.', '%', '~'])
        && value.bytes().collect::<BTreeSet<_>>().len() >= LEAST_DISTINCT
        && has(u8::is_ascii_digit)
        && has(u8::is_ascii_alphabetic)
        && !is_placeholder(value)
        && !value.contains("EXAMPLE")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A made-up secret, put together here so that no scanner takes this file for one that holds secrets.
    fn secret() -> String {
        ["tr0ub4dor", "9x"].concat()
    }

    #[test]
    fn files_of_settings_are_known_by_name_and_their_secrets_by_the_name_of_the_setting() {
        for name in ["a.ini", "setup.cfg", "rclone.conf", ".env.production", ".pypirc", "prod.ENV", "credentials"] {
            assert!(is_one(name), "{name}");
        }
        for name in ["config.json", "README.md", "environment.yml", "tokenizer.model", ".envrc"] {
            assert!(!is_one(name), "{name}");
        }
        for line in [
            format!("password = {}", secret()),
            format!("[pypi]\nusername = me\npassword: {}\n", secret()),
            format!("export DB_PASSWORD=\"{}\"", secret()),
            format!("pass={}", secret()),
            format!("HF-TOKEN = '{}'  # mine", secret()),
            format!("secret_key={}", secret()),
        ] {
            assert!(holds_password(&line), "{line}");
        }
    }

    #[test]
    fn a_word_of_a_tokenizer_a_placeholder_and_a_number_are_none() {
        for line in [
            "pad_token = reserved_token_17x".to_owned(),
            "eos_token = <|endoftext2|>".to_owned(),
            "password = ${DB_PASSWORD_1}".to_owned(),
            "password = your_password_here".to_owned(),
            "token = ".to_owned(),
            "token = 123456789012".to_owned(),
            "token = /run/secrets/token1".to_owned(),
            format!("# password = {}", secret()),
            format!("tokenizer = {}", secret()),
            format!("passes = {}", secret()),
        ] {
            assert!(!holds_password(&line), "{line}");
        }
    }
}
