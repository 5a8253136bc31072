//! One key in a PEM file, as people keep it: with blanks, blank lines and text around it, which OpenSSL reads over too
//! (RFC 7468 section 2 lets it stand there). What is read is written again as the strict grammar has it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::error::KeyError;

/// The longest text that is looked at, in bytes; an Ed25519 key needs about 120.
const MAX_PEM: usize = 4096;

/// The length of a line of base64 (RFC 7468 section 2).
const LINE: usize = 64;

/// Labels that end so are of keys of one sort: `PRIVATE KEY`, `ENCRYPTED PRIVATE KEY`, `EC PRIVATE KEY`.
pub(super) const PRIVATE: &str = "PRIVATE KEY";

/// The same for public keys.
pub(super) const PUBLIC: &str = "PUBLIC KEY";

/// The bytes of the block with exactly this label, such as `ENCRYPTED PRIVATE KEY`, where it is the only private key of the text.
pub fn private_block(text: &str, label: &str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let block = block(text, label, PRIVATE)?;
    // Never grown, as the text is not: no copy of it stays in memory.
    let mut base64 = Zeroizing::new(String::with_capacity(block.len()));
    block.lines().filter(|line| !line.starts_with('-')).for_each(|line| base64.push_str(line));
    let mut bytes = Zeroizing::new(vec![0; base64.len()]);
    let length = STANDARD.decode_slice(base64.as_bytes(), &mut bytes).map_err(|_| KeyError::NotPem)?;
    bytes.truncate(length);
    Ok(bytes)
}

/// The block with exactly this label, where it is the only one whose label ends so: which of two keys is meant is not guessed.
pub(super) fn only_block(text: &str, label: &str) -> Result<Zeroizing<String>, KeyError> {
    block(text, label, label)
}

/// The block with this label, where no other has a label that ends as those of its sort do.
fn block(text: &str, label: &str, sort: &str) -> Result<Zeroizing<String>, KeyError> {
    if text.len() > MAX_PEM {
        return Err(KeyError::NotPem);
    }
    let lines = || text.split(['\n', '\r']);
    match lines().filter_map(begun).filter(|begun| begun.ends_with(sort)).count() {
        0 => return Err(KeyError::NotPem),
        1 => {}
        _ => return Err(KeyError::SeveralKeys),
    }
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    // Never grown, so that no copy of it stays in memory: with its newlines it is shorter than twice the text.
    let mut block = Zeroizing::new(String::with_capacity(2 * text.len()));
    let mut length = 0;
    block.push_str(&begin);
    for line in lines().skip_while(|line| line.trim_ascii_end() != begin).skip(1) {
        if line.trim_ascii_end() == end {
            block.push('\n');
            block.push_str(&end);
            block.push('\n');
            return Ok(block);
        }
        for character in line.chars().filter(|c| !c.is_ascii_whitespace()) {
            if length % LINE == 0 {
                block.push('\n');
            }
            block.push(character);
            length += 1;
        }
    }
    Err(KeyError::NotPem)
}

/// The label of the block that a line begins.
fn begun(line: &str) -> Option<&str> {
    line.trim_ascii_end().strip_prefix("-----BEGIN ")?.strip_suffix("-----")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{PublicKey, SecretKey};

    /// The first and the last line of a private key, and its base64.
    fn parts() -> (String, String, String, SecretKey) {
        let secret = SecretKey::from_seed([9; 32]);
        let pem = secret.to_pkcs8_pem();
        let mut lines = pem.lines().map(str::to_owned);
        let mut next = || lines.next().unwrap();
        let (begin, body, end) = (next(), next(), next());
        (begin, body, end, secret)
    }

    #[test]
    fn blanks_blank_lines_and_text_around_a_key_are_read_over() {
        let (begin, body, end, secret) = parts();
        let (left, right) = body.split_at(20);
        for text in [
            format!("{begin}\n{body}\n{end}"),
            format!("{begin}\n{body}\n{end}\n\n \n"),
            format!("{begin} \n{body}\t \n{end}  \n"),
            format!("{begin}\r\n{body}\r\n{end}\r\n"),
            format!("{begin}\n\n{body}\n\n{end}\n"),
            format!("{begin}\n  {left}\n\n{right}\n{end}\n"),
            format!("my key, of 2026:\n{begin}\n{body}\n{end}\nkeep it secret\n"),
            format!("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n{begin}\n{body}\n{end}\n"),
            format!("{begin}\n{body}\n{end}\n{}", secret.public().to_pem()),
        ] {
            assert_eq!(SecretKey::from_pkcs8_pem(&text).map(|key| key.public()), Ok(secret.public()), "{text:?}");
        }
        let public = format!("about:\n{}\n\n", secret.public().to_pem().replace('\n', " \n"));
        assert_eq!(PublicKey::from_pem(&public), Ok(secret.public()));
    }

    #[test]
    fn of_two_private_keys_none_is_taken() {
        let (begin, body, end, secret) = parts();
        let one = secret.to_pkcs8_pem();
        let encrypted = one.replace("PRIVATE", "ENCRYPTED PRIVATE");
        for text in [format!("{one}{one}"), format!("{encrypted}{one}"), format!("{begin}\n{body}\n{begin}\n{end}\n")] {
            assert_eq!(SecretKey::from_pkcs8_pem(&text).map(|_| ()), Err(KeyError::SeveralKeys), "{text}");
        }
        let public = secret.public().to_pem();
        assert_eq!(PublicKey::from_pem(&format!("{public}{public}")), Err(KeyError::SeveralKeys));
        assert!(KeyError::SeveralKeys.to_string().contains("found several"));
    }

    #[test]
    fn a_block_is_read_by_its_label_and_only_where_no_other_private_key_is_beside_it() {
        let (_, body, _, secret) = parts();
        let plain = secret.to_pkcs8_pem();
        let encrypted = plain.replace("PRIVATE", "ENCRYPTED PRIVATE");
        let label = "ENCRYPTED PRIVATE KEY";
        assert_eq!(private_block(&plain, label), Err(KeyError::NotPem));
        for two in [format!("{plain}{encrypted}"), format!("{encrypted}{plain}"), format!("{encrypted}{encrypted}")] {
            assert_eq!(private_block(&two, label), Err(KeyError::SeveralKeys), "{two}");
        }
        assert_eq!(private_block(&encrypted.replace(&body, &body[1..]), label), Err(KeyError::NotPem));
        assert_eq!(private_block(&encrypted, label), Ok(secret.to_pkcs8_der()));
        assert_eq!(
            private_block(&format!("about\n{encrypted}{}", secret.public().to_pem()), label),
            Ok(secret.to_pkcs8_der())
        );
    }

    #[test]
    fn what_is_cut_or_has_headers_or_another_end_is_no_key() {
        let (begin, body, end, _) = parts();
        for text in [
            String::new(),
            format!("{begin}\n{body}\n"),
            format!("{begin}\n{body}\n-----END RSA PRIVATE KEY-----\n"),
            format!("{end}\n{begin}\n{body}\n"),
            format!("text {begin}\n{body}\n{end}\n"),
            format!("{begin}\nProc-Type: 4,ENCRYPTED\n\n{body}\n{end}\n"),
            format!("{begin}\n{}\n{end}\n", &body[1..]),
        ] {
            assert_eq!(SecretKey::from_pkcs8_pem(&text).map(|_| ()), Err(KeyError::NotPem), "{text:?}");
        }
    }
}
