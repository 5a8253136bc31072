//! Private keys and tokens, known by their content and not by the name of their file.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// The largest file that is searched: what is larger is data.
pub(super) const MAX_SEARCHED: u64 = 32 << 20;

/// The largest file of weights that is searched: a key under such a name is small.
const MAX_SEARCHED_WEIGHTS: u64 = 1 << 20;

/// So many letters of base64 after the first line of a key are one.
const LEAST_BASE64: usize = 16;

/// An Ed25519 private key in DER (RFC 8410), version 1 or 2, without its 32 bytes.
const PKCS8_ED25519: &[u8] = &[0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// Beginnings of keys in DER after the tag and length of the outer sequence: PKCS#1 is told by its length of two bytes.
const DER: [(&[u8], &str); 6] = [
    (&[0x02, 0x01, 0x00, 0x02, 0x82], "a private key (RSA)"),
    (
        &[0x02, 0x01, 0x00, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01],
        "a private key (RSA, PKCS#8)",
    ),
    (
        &[0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01],
        "a private key (EC, PKCS#8)",
    ),
    (
        &[0x02, 0x01, 0x00, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01],
        "a private key (EC, PKCS#8)",
    ),
    (&[0x02, 0x01, 0x01, 0x04], "a private key (EC)"),
    (&[0x02, 0x01, 0x03, 0x30], "a key store (PKCS#12)"),
];

/// Words that begin a secret in a text, and what it is.
const WORDS: [(&str, &str); 5] = [
    ("PRIVATE+KEY+", "a signer's key (signed note)"),
    ("PuTTY-User-Key-File-", "a private key (PuTTY)"),
    ("AGE-SECRET-KEY-1", "a private key (age)"),
    ("untrusted comment: minisign encrypted secret key", "a private key (minisign)"),
    ("untrusted comment: signify secret key", "a private key (signify)"),
];

/// Names of settings that hold a secret, in lower case and with `_` for `-`.
const SETTINGS: [&str; 6] = ["secret_access_key", "api_key", "apikey", "client_secret", "accountkey", "auth_token"];

/// How tokens begin, with the least number of letters and digits that follow, and whose they are.
const TOKENS: [(&str, usize, &str); 24] = [
    ("hf_", 30, "a Hugging Face token"),
    ("api_org_", 30, "a Hugging Face token"),
    ("ghp_", 36, "a GitHub token"),
    ("gho_", 36, "a GitHub token"),
    ("ghs_", 36, "a GitHub token"),
    ("github_pat_", 50, "a GitHub token"),
    ("glpat-", 20, "a GitLab token"),
    ("AKIA", 16, "an AWS access key"),
    ("ASIA", 16, "an AWS access key"),
    ("xoxb-", 20, "a Slack token"),
    ("xoxp-", 20, "a Slack token"),
    ("sk-ant-", 30, "an API key"),
    ("sk-proj-", 30, "an API key"),
    ("sk-", 40, "an API key"),
    ("ghu_", 36, "a GitHub token"),
    ("ghr_", 36, "a GitHub token"),
    ("npm_", 36, "an npm token"),
    ("pypi-", 50, "a PyPI token"),
    ("r8_", 37, "a Replicate token"),
    ("dop_v1_", 60, "a DigitalOcean token"),
    ("gsk_", 40, "an API key"),
    ("nvapi-", 40, "an NVIDIA token"),
    ("ms-", 36, "a ModelScope token"),
    ("AIzaSy", 33, "a Google API key"),
];

/// What secret a file holds, if it holds one that is known.
pub(super) fn secret_in(path: &Path, size: u64, is_weights: bool) -> io::Result<Option<&'static str>> {
    let most = if is_weights { MAX_SEARCHED_WEIGHTS } else { MAX_SEARCHED };
    if size > most {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(secret(&bytes))
}

fn secret(bytes: &[u8]) -> Option<&'static str> {
    if bytes.windows(PKCS8_ED25519.len()).any(|window| window == PKCS8_ED25519) {
        return Some("a private key (Ed25519, PKCS#8)");
    }
    if let Some(what) = der(bytes) {
        return Some(what);
    }
    // Also in UTF-16, which some editors save.
    let text: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != 0).collect();
    let text = String::from_utf8_lossy(&text);
    if text.match_indices("-----BEGIN ").any(|(at, begin)| is_pem_key(&text, at, at + begin.len())) {
        return Some("a private key");
    }
    if let Some((_, what)) = WORDS.iter().find(|(word, _)| text.contains(word)) {
        return Some(what);
    }
    if is_jwk(&text) {
        return Some("a private key (JWK)");
    }
    let token = TOKENS.iter().find(|(begin, least, _)| holds_token(&text, begin, *least)).map(|(_, _, what)| *what);
    token.or_else(|| holds_setting(&text).then_some("a secret under its name"))
}

/// A private key in DER: a sequence, its length, and what a key begins with.
fn der(bytes: &[u8]) -> Option<&'static str> {
    let content = match bytes {
        [0x30, 0x82, _, _, content @ ..] | [0x30, 0x81, _, content @ ..] => content,
        [0x30, length, content @ ..] if *length < 0x80 => content,
        _ => return None,
    };
    // PKCS#8, encrypted with PBES2.
    let is_encrypted =
        content.get(2..13).is_some_and(|id| id.ends_with(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0d]));
    if is_encrypted && content.first() == Some(&0x30) {
        return Some("a private key (encrypted, PKCS#8)");
    }
    DER.iter().find(|(begin, _)| content.starts_with(begin)).map(|(_, what)| *what)
}

/// Whether a private key in PEM begins at a place: on a line of its own, or with base64 behind it, as in JSON or in quotes.
fn is_pem_key(text: &str, at: usize, after: usize) -> bool {
    let rest = text.get(after..).unwrap_or_default();
    let Some((label, behind)) = rest.split_once("-----") else { return false };
    let is_label = label.len() < 64 && label.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == ' ');
    if !is_label || !(label.ends_with("PRIVATE KEY") || label.ends_with("PRIVATE KEY BLOCK")) {
        return false;
    }
    // A byte order mark that is read as two bytes is no character of the text.
    let before = text.get(..at).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    let begins_line = line.chars().all(|c| c.is_whitespace() || matches!(c, '\u{fffd}' | '\u{feff}'));
    let behind = behind.replace("\\n", "\n").replace("\\r", "");
    let body = behind.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '+' | '\\'));
    let letters = body.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=')).count();
    begins_line || letters >= LEAST_BASE64
}

/// Whether a text is a key in JSON (RFC 7517) with its private part.
fn is_jwk(text: &str) -> bool {
    let trimmed = text.trim_start();
    trimmed.starts_with(['{', '[']) && text.contains("\"kty\"") && (text.contains("\"d\":") || text.contains("\"d\" :"))
}

/// Whether a setting whose name says secret has a value that looks like one: `API_KEY=...`, `"client_secret": "..."`, `AccountKey=...;`.
fn holds_setting(text: &str) -> bool {
    const LEAST: usize = 32;
    let lower = text.to_ascii_lowercase().replace('-', "_");
    SETTINGS.iter().flat_map(|name| lower.match_indices(name).map(|(at, name)| at + name.len())).any(|after| {
        let rest = text.get(after..).unwrap_or_default();
        let rest = rest.trim_start_matches(['"', '\'', ' ', '\t']);
        let Some(value) = rest.strip_prefix(['=', ':']) else { return false };
        let value = value.trim_start_matches(['"', '\'', ' ', '\t']);
        let word = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '_' | '-' | '=');
        let value: String = value.chars().take_while(word).take(256).collect();
        let distinct = value.chars().collect::<std::collections::BTreeSet<_>>().len();
        value.len() >= LEAST && distinct >= 10 && value.chars().any(|c| c.is_ascii_digit())
    })
}

/// Whether a token of this form stands in a text as a word of its own, with letters and digits that are not all alike.
fn holds_token(text: &str, begin: &str, least: usize) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    text.match_indices(begin).any(|(at, _)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let rest = text.get(at + begin.len()..).unwrap_or_default();
        let token: String = rest.chars().take_while(|c| word(*c)).take(256).collect();
        let distinct = token.chars().collect::<std::collections::BTreeSet<_>>().len();
        // A form such as `hf_xxxxxxxx...` in a document is no token.
        !before.is_some_and(word) && token.len() >= least && distinct >= 8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made up: so long and mixed as the real ones.
    fn token(begin: &str, length: usize) -> String {
        begin.chars().chain("aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA".chars().cycle().take(length)).collect()
    }

    #[test]
    fn keys_and_tokens_are_known_under_any_name() {
        for (begin, least, what) in TOKENS {
            let line = format!("TOKEN={}\n", token(begin, least));
            assert_eq!(secret(line.as_bytes()), Some(what), "{begin}");
            assert_eq!(secret(format!("TOKEN={}\n", token(begin, least - 1)).as_bytes()), None, "{begin}: too short");
        }
        for kind in ["", "ENCRYPTED ", "RSA ", "EC ", "OPENSSH "] {
            let pem = format!("text before\n-----BEGIN {kind}PRIVATE KEY-----\nAAAA\n");
            assert_eq!(secret(pem.as_bytes()), Some("a private key"), "{kind}");
            let utf16: Vec<u8> = pem.encode_utf16().flat_map(u16::to_le_bytes).collect();
            assert_eq!(secret(&utf16), Some("a private key"), "{kind} in UTF-16");
        }
        let der = [&[0x30, 0x2e, 0x02, 0x01, 0x00][..], PKCS8_ED25519, &[7; 32]].concat();
        assert_eq!(secret(&der), Some("a private key (Ed25519, PKCS#8)"));
    }

    #[test]
    fn keys_are_known_in_whatever_they_are_wrapped() {
        let body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC";
        for text in [
            format!("{{\"private_key\": \"-----BEGIN PRIVATE KEY-----\\n{body}\\n-----END PRIVATE KEY-----\\n\"}}"),
            format!("K = \"\"\"-----BEGIN RSA PRIVATE KEY-----\n{body}\n"),
            format!("KEY='-----BEGIN PRIVATE KEY-----\n{body}"),
            format!("\u{feff}-----BEGIN EC PRIVATE KEY-----\n{body}"),
            format!("PRIVATE+KEY+log.example+1234abcd+{body}"),
            "PuTTY-User-Key-File-3: ssh-ed25519\n".to_owned(),
            "AGE-SECRET-KEY-1QQQQ\n".to_owned(),
            "{\"kty\": \"OKP\", \"crv\": \"Ed25519\", \"x\": \"a\", \"d\": \"b\"}".to_owned(),
            format!("WANDB_API_KEY={}", "0123456789abcdef0123456789abcdef01234567"),
            format!("aws_secret_access_key = {}", token("", 40)),
            format!("\"client_secret\": \"{}\"", token("", 40)),
            format!("AccountKey={};", token("", 88)),
        ] {
            assert!(secret(text.as_bytes()).is_some(), "{text}");
        }
        let with_mark: Vec<u8> =
            format!("\u{feff}-----BEGIN PRIVATE KEY-----\n{body}").encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(secret(&with_mark), Some("a private key"));
        for (begin, what) in DER {
            let bytes = [&[0x30, 0x82, 0x04, 0xa4][..], begin, &[7; 40]].concat();
            assert_eq!(secret(&bytes), Some(what));
        }
    }

    #[test]
    fn what_is_public_or_only_speaks_of_secrets_is_none() {
        for text in [
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_owned(),
            "-----BEGIN PUBLIC KEY-----\nAAAA\n".to_owned(),
            "Set `HF_TOKEN=hf_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx` before you begin.\n".to_owned(),
            "A PEM file begins with a line such as `-----BEGIN PRIVATE KEY-----`.\n".to_owned(),
            format!("a_word_that_ends_in{}\n", token("hf_", 40)),
            "{\"vocab\": {\"hf_\": 1, \"AKIA\": 2}}".to_owned(),
            "Use `-----BEGIN RSA PRIVATE KEY-----` as the first line.\n".to_owned(),
            "API_KEY=your-api-key-goes-here-and-nowhere-else\n".to_owned(),
            "{\"kty\": \"OKP\", \"x\": \"a\"}".to_owned(),
            "ask-me-about-the-weights-of-this-model-and-its-training-data".to_owned(),
        ] {
            assert_eq!(secret(text.as_bytes()), None, "{text}");
        }
    }
}
