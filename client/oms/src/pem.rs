//! Text files of keys (RFC 7468): their blocks, with whatever text stands between them left aside, as GnuTLS writes some.

use stele_spec::text;
use zeroize::Zeroizing;

/// The largest text that is read: a key of P-521 with what GnuTLS writes before it has 3 KiB.
pub(crate) const MAX_PEM: usize = 16 * 1024;

/// A block.
pub(crate) struct Block {
    pub(crate) label: String,
    /// What is in it; none where it has headers, as an encrypted key of before PKCS#8 has, or is no base64.
    pub(crate) der: Option<Zeroizing<Vec<u8>>>,
}

/// The blocks of a text, in their order. A block without an end is none.
pub(crate) fn blocks(pem: &str) -> Vec<Block> {
    let mut lines = pem.lines().map(str::trim_end);
    let mut blocks = Vec::new();
    while let Some(line) = lines.next() {
        let Some(label) = between(line, "-----BEGIN ") else { continue };
        let mut body = Zeroizing::new(String::with_capacity(pem.len()));
        for line in lines.by_ref() {
            if between(line, "-----END ") == Some(label) {
                blocks.push(Block { label: label.to_owned(), der: text::base64(&body).ok().map(Zeroizing::new) });
                break;
            }
            body.push_str(line);
        }
    }
    blocks
}

fn between<'a>(line: &'a str, start: &str) -> Option<&'a str> {
    line.strip_prefix(start)?.strip_suffix("-----")
}

/// A block as it is written: lines of 64 characters.
pub(crate) fn write(label: &str, der: &[u8]) -> String {
    let body = text::to_base64(der);
    let mut pem = format!("-----BEGIN {label}-----\n");
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        pem.push_str(line);
        pem.push('\n');
        rest = after;
    }
    pem + &format!("-----END {label}-----\n")
}
