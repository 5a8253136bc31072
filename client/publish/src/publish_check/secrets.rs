//! Private keys and tokens, known by their content and not by the name of their file.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use super::services;
use super::settings_file;
use super::url_password::holds_password;

/// The largest file that is searched: what is larger is data.
pub(super) const MAX_SEARCHED: u64 = 32 << 20;

/// The largest file of weights that is searched: a key under such a name is small.
const MAX_SEARCHED_WEIGHTS: u64 = 1 << 20;

/// How much of a file in gzip is searched, decompressed: one of 32 MiB could become 32 GiB.
const MAX_UNPACKED: u64 = 1 << 20;

/// How a file in gzip begins (RFC 1952 section 2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// So many letters of base64 after the first line of a key are one.
const LEAST_BASE64: usize = 16;

/// How much behind the first line of a key is looked at, in characters.
const MAX_PEM_BODY: usize = 4096;

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
const SETTINGS: [&str; 8] = [
    "secret_access_key",
    "api_key",
    "apikey",
    "client_secret",
    "accountkey",
    "auth_token",
    "access_token",
    "refresh_token",
];

/// How tokens begin, with the least number of letters and digits that follow, and whose they are.
const TOKENS: [(&str, usize, &str); 28] = [
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
    ("AIza", 35, "a Google API key"),
    ("xai-", 80, "an xAI API key"),
    ("dckr_pat_", 27, "a Docker Hub token"),
    ("sk_live_", 24, "a Stripe key"),
    ("rk_live_", 24, "a Stripe key"),
];

/// Those of which no `_` and no `-` is a part: names in configurations begin like them.
const OF_LETTERS: [&str; 7] = ["hf_", "api_org_", "ghp_", "gho_", "ghu_", "ghr_", "npm_"];

/// A SendGrid key: its beginning, and how many letters its two parts have, with a dot between.
const SENDGRID: (&str, usize, usize) = ("SG.", 22, 43);

/// What is in made-up keys of manuals, such as those of AWS.
const MADE_UP: &str = "EXAMPLE";

/// What secret a file holds, if it holds one that is known. Its `name` says whether it is one of settings.
pub(super) fn secret_in(path: &Path, name: &str, size: u64, is_weights: bool) -> io::Result<Option<&'static str>> {
    let most = if is_weights { MAX_SEARCHED_WEIGHTS } else { MAX_SEARCHED };
    let mut file = File::open(path)?;
    let mut begin = Vec::new();
    file.by_ref().take(GZIP.len() as u64).read_to_end(&mut begin)?;
    file.rewind()?;
    if begin == GZIP
        && let Some(what) = secret(&unpacked(&file))
    {
        return Ok(Some(what));
    }
    if size > most {
        return Ok(None);
    }
    file.rewind()?;
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    let of_settings = || {
        let holds = settings_file::is_one(name) && settings_file::holds_password(&readable(&bytes));
        holds.then_some("a password or token under its name")
    };
    Ok(secret(&bytes).or_else(of_settings))
}

/// The text of a file, also in UTF-16, which some editors save.
fn readable(bytes: &[u8]) -> String {
    let text: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != 0).collect();
    String::from_utf8_lossy(&text).into_owned()
}

/// The beginning of what a file in gzip holds; of a damaged one, what is before the damage.
fn unpacked(file: impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    // The input is bounded too: members that hold nothing cost time, and yield no byte.
    let packed = BufReader::new(file.take(MAX_SEARCHED));
    // What is no gzip behind its first bytes is no error here: whether it is whole is not the question.
    let _ = MultiGzDecoder::new(packed).take(MAX_UNPACKED).read_to_end(&mut bytes);
    bytes
}

fn secret(bytes: &[u8]) -> Option<&'static str> {
    if bytes.windows(PKCS8_ED25519.len()).any(|window| window == PKCS8_ED25519) {
        return Some("a private key (Ed25519, PKCS#8)");
    }
    if let Some(what) = der(bytes) {
        return Some(what);
    }
    let text = readable(bytes);
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
    token
        .or_else(|| holds_sendgrid(&text).then_some("a SendGrid key"))
        .or_else(|| services::holds_kaggle(&text).then_some("a Kaggle key"))
        .or_else(|| services::holds_netrc(&text).then_some("a password of a host (netrc)"))
        .or_else(|| services::holds_telegram(&text).then_some("a token of a Telegram bot"))
        .or_else(|| services::holds_discord(&text).then_some("a webhook of Discord"))
        .or_else(|| holds_password(&text).then_some("a password in a URL"))
        .or_else(|| holds_setting(&text).then_some("a secret under its name"))
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

/// Whether a private key in PEM begins at a place: on a line of its own with something of a key behind it, or with
/// base64 behind it, as in JSON or in quotes.
fn is_pem_key(text: &str, at: usize, after: usize) -> bool {
    let rest = text.get(after..).unwrap_or_default();
    let Some((label, behind)) = rest.split_once("-----") else { return false };
    let is_label = label.len() < 64 && label.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == ' ');
    if !is_label || !(label.ends_with("PRIVATE KEY") || label.ends_with("PRIVATE KEY BLOCK")) {
        return false;
    }
    // A byte order mark that is read as two bytes is no character of the text.
    let before = text.get(..at).unwrap_or_default();
    let begins_line = before
        .chars()
        .rev()
        .take_while(|c| *c != '\n')
        .all(|c| c.is_whitespace() || matches!(c, '\u{fffd}' | '\u{feff}'));
    let behind: String = behind.split("-----").next().unwrap_or_default().chars().take(MAX_PEM_BODY).collect();
    let behind = behind.replace("\\n", "\n").replace("\\r", "");
    let body = behind.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '+' | ',' | '\\'));
    let letters = body.chars().take_while(|c| is_base64(*c)).count();
    letters >= LEAST_BASE64 || begins_line && is_pem_body(body)
}

/// Whether lines are those of a key, and no words such as `(your key here)`: a header (RFC 1421) or base64 comes first,
/// or a line of base64 later. Nothing is a key that was cut.
fn is_pem_body(body: &str) -> bool {
    let mut lines = body.lines().map(str::trim);
    let is_header = |line: &str| {
        line.split_once(": ").is_some_and(|(name, _)| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'))
    };
    let all_base64 = |line: &str| !line.is_empty() && line.chars().all(is_base64);
    let first = lines.next().unwrap_or_default();
    first.is_empty()
        || all_base64(first)
        || is_header(first)
        || lines.any(|line| line.len() >= LEAST_BASE64 && all_base64(line))
}

fn is_base64(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=')
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
        let word = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '_' | '-' | '=' | '.');
        let value: String = value.chars().take_while(word).take(256).collect();
        let distinct = value.chars().collect::<std::collections::BTreeSet<_>>().len();
        let is_made_up = value.contains(MADE_UP);
        value.len() >= LEAST && distinct >= 10 && value.chars().any(|c| c.is_ascii_digit()) && !is_made_up
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
        let is_name = OF_LETTERS.contains(&begin) && token.contains(['_', '-']);
        // A form such as `hf_xxxxxxxx...` in a document is no token.
        !before.is_some_and(word) && token.len() >= least && distinct >= 8 && !token.contains(MADE_UP) && !is_name
    })
}

/// Whether a key of SendGrid stands in a text: three words with dots between, the last two of a known length.
fn holds_sendgrid(text: &str) -> bool {
    let (begin, first, second) = SENDGRID;
    let word = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    text.match_indices(begin).any(|(at, _)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let rest = text.get(at + begin.len()..).unwrap_or_default();
        let key: String = rest.chars().take_while(|c| word(c) || *c == '.').take(256).collect();
        // A point may end the sentence.
        let parts: Vec<&str> = key.trim_end_matches('.').split('.').collect();
        let distinct = key.chars().collect::<std::collections::BTreeSet<_>>().len();
        let fits = matches!(parts.as_slice(), [id, secret] if id.len() == first && secret.len() == second);
        !before.is_some_and(|c| word(&c)) && fits && distinct >= 8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made up: so long and mixed as the real ones.
    fn token(begin: &str, length: usize) -> String {
        begin.chars().chain("aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA".chars().cycle().take(length)).collect()
    }

    /// A made-up key of SendGrid with parts of these lengths.
    fn sendgrid(id: usize, key: usize) -> String {
        format!("{}{}.{}", SENDGRID.0, token("", id), token("", key))
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
        let sendgrid = format!("KEY={}\n", sendgrid(22, 43));
        assert_eq!(secret(sendgrid.as_bytes()), Some("a SendGrid key"));
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
            format!(
                "[\n   \"-----BEGIN PRIVATE KEY-----\\n\",\n   \"{body}\\n\",\n   \"-----END PRIVATE KEY-----\\n\"\n]"
            ),
            format!("\u{feff}-----BEGIN EC PRIVATE KEY-----\n{body}"),
            format!("PRIVATE+KEY+log.example+1234abcd+{body}"),
            "PuTTY-User-Key-File-3: ssh-ed25519\n".to_owned(),
            "AGE-SECRET-KEY-1QQQQ\n".to_owned(),
            "{\"kty\": \"OKP\", \"crv\": \"Ed25519\", \"x\": \"a\", \"d\": \"b\"}".to_owned(),
            format!("WANDB_API_KEY={}", "0123456789abcdef0123456789abcdef01234567"),
            format!("aws_secret_access_key = {}", token("", 40)),
            format!("\"client_secret\": \"{}\"", token("", 40)),
            format!("AccountKey={};", token("", 88)),
            // As rclone keeps it.
            format!("token = {{\"access_token\":\"ya29.{}\",\"expiry\":\"2026\"}}", token("", 40)),
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
            format!("{{\"{}device_map_of_the_model_abcdefghijklmn\":1}}", "hf_"),
            "ask-me-about-the-weights-of-this-model-and-its-training-data".to_owned(),
            "-----BEGIN PRIVATE KEY-----\n(your key here)\n-----END PRIVATE KEY-----\n".to_owned(),
            "-----BEGIN RSA PRIVATE KEY-----\n...\n-----END RSA PRIVATE KEY-----\n".to_owned(),
            // The id and the key of the manuals of AWS.
            format!("aws_access_key_id = {}IOSFODNN7{MADE_UP}\n", "AKIA"),
            format!("aws_secret_access_key = {}/K7MDENG/bPxRfiCY{MADE_UP}KEY\n", "wJalrXUtnFEMI"),
            sendgrid(22, 42),
            sendgrid(21, 43),
        ] {
            assert_eq!(secret(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_key_of_which_something_stands_in_a_frame_is_one() {
        for body in [
            "AA\n",
            "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n",
            "Comment: a key\n\nAAAA\n",
            "# mine\nMC4CAQAwBQYDK2VwBCIEIAAA\n",
        ] {
            let text = format!("-----BEGIN PRIVATE KEY-----\n{body}-----END PRIVATE KEY-----\n");
            assert_eq!(secret(text.as_bytes()), Some("a private key"), "{text}");
        }
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        use std::io::Write as _;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn in_file(bytes: &[u8], size: u64) -> Option<&'static str> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, bytes).unwrap();
        secret_in(&path, "file", size, false).unwrap()
    }

    #[test]
    fn a_key_in_a_file_in_gzip_is_found_within_a_bound() {
        let pem = b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        let found = Some("a private key");
        assert_eq!(in_file(&gzip(pem), 0), found);
        assert_eq!(in_file(&[gzip(b"first\n"), gzip(pem)].concat(), 0), found, "in the second member");
        let whole = gzip(&[&pem[..], &vec![b'x'; 1 << 16]].concat());
        assert_eq!(in_file(&whole[..whole.len() - 8], 0), found, "a damaged file");
        assert_eq!(in_file(&gzip(pem), MAX_SEARCHED + 1), found, "its beginning, however large it is");
        let behind = [&vec![b'\n'; MAX_UNPACKED as usize], &pem[..]].concat();
        assert_eq!(in_file(&gzip(&behind), 0), None, "behind the bound");
        assert_eq!(in_file(&gzip(b"nothing"), 0), None);
        assert_eq!(in_file(&GZIP, 2), None);
    }

    #[test]
    fn a_file_of_first_lines_alone_takes_no_longer_than_another() {
        let began = std::time::Instant::now();
        let text = "x-----BEGIN PRIVATE KEY-----".repeat(100_000);
        assert_eq!(secret(text.as_bytes()), None);
        assert!(began.elapsed() < std::time::Duration::from_secs(60), "linear: {:?}", began.elapsed());
    }
}
