//! Private keys and tokens, known by their content and not by the name of their file.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// The largest file that is searched: keys and settings are small, and what is larger is data.
pub(super) const MAX_SEARCHED: u64 = 1 << 20;

/// Beginnings of private keys in PEM; `PRIVATE KEY` covers PKCS#8, its encrypted form, RSA, EC, DSA and OpenSSH.
const PEM: [&str; 2] = ["PRIVATE KEY-----", "BEGIN PGP PRIVATE KEY BLOCK-----"];

/// An Ed25519 private key in DER (RFC 8410), version 1 or 2, without its 32 bytes.
const PKCS8_ED25519: &[u8] = &[0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// How tokens begin, with the least number of letters and digits that follow, and whose they are.
const TOKENS: [(&str, usize, &str); 12] = [
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
    ("sk-ant-", 30, "an API key"),
    ("AIzaSy", 33, "a Google API key"),
];

/// What secret a file holds, if it holds one that is known.
pub(super) fn secret_in(path: &Path, size: u64) -> io::Result<Option<&'static str>> {
    if size > MAX_SEARCHED {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_SEARCHED).read_to_end(&mut bytes)?;
    Ok(secret(&bytes))
}

fn secret(bytes: &[u8]) -> Option<&'static str> {
    if bytes.windows(PKCS8_ED25519.len()).any(|window| window == PKCS8_ED25519) {
        return Some("a private key (Ed25519, PKCS#8)");
    }
    // Also in UTF-16, which some editors save.
    let text: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != 0).collect();
    let text = String::from_utf8_lossy(&text);
    let is_key =
        |line: &str| line.trim_start().starts_with("-----BEGIN ") && PEM.iter().any(|mark| line.contains(mark));
    if text.lines().any(is_key) || text.contains("-----BEGIN OPENSSH PRIVATE KEY-----") {
        return Some("a private key");
    }
    TOKENS.iter().find(|(begin, least, _)| holds_token(&text, begin, *least)).map(|(_, _, what)| *what)
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
    fn what_is_public_or_only_speaks_of_secrets_is_none() {
        for text in [
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_owned(),
            "-----BEGIN PUBLIC KEY-----\nAAAA\n".to_owned(),
            "Set `HF_TOKEN=hf_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx` before you begin.\n".to_owned(),
            "A PEM file begins with a line such as `-----BEGIN PRIVATE KEY-----`.\n".to_owned(),
            format!("a_word_that_ends_in{}\n", token("hf_", 40)),
            "{\"vocab\": {\"hf_\": 1, \"AKIA\": 2}}".to_owned(),
        ] {
            assert_eq!(secret(text.as_bytes()), None, "{text}");
        }
    }
}
