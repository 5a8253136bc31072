//! What an answer's `Content-Encoding` did to its body, undone (RFC 9110, section 8.4; RFC 1952).
//!
//! A log may serve its entry bundles in gzip without being asked (c2sp.org/tlog-tiles). One gzip member is read, to its end:
//! its checksum and length must hold, and nothing may follow. The bytes that it unfolds to are bounded before they are held.

use std::io::Read as _;

use flate2::bufread::GzDecoder;
use http::header::{CONTENT_ENCODING, HeaderMap};

/// What is asked for, in `Accept-Encoding`: the encodings that [`decode`] reads.
pub const ACCEPTED: &str = "gzip, identity";

/// The longest encoding name that a message repeats: the header may have kilobytes.
const SHOWN: usize = 60;

/// Why a body cannot be decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncodingError {
    /// An encoding that was not asked for.
    #[error("expected the content encoding gzip or identity, found {found:?}")]
    Unknown {
        /// The header's value, or its beginning.
        found: String,
    },
    /// Said to be gzip, and it is not, or it is cut short or damaged.
    #[error("expected one gzip stream, found {size} bytes that are none ({problem})")]
    NoGzip {
        /// Bytes of the body as it came.
        size: usize,
        /// What the decoder says.
        problem: String,
    },
    /// Bytes behind the end of the gzip stream, another stream among them.
    #[error("expected one gzip stream, found {size} more bytes behind its end")]
    Trailing {
        /// How many.
        size: usize,
    },
    /// It unfolds to more than it may.
    #[error("expected at most {limit} bytes in the gzip stream, found more")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
}

/// The body as it was before the encodings that the headers name; at most `limit` bytes.
pub fn decode(headers: &HeaderMap, body: Vec<u8>, limit: u64) -> Result<Vec<u8>, EncodingError> {
    // Answers without content may still name an encoding.
    if body.is_empty() || !is_gzip(headers)? {
        return Ok(body);
    }
    let mut decoder = GzDecoder::new(body.as_slice());
    let mut decoded = Vec::new();
    let read = decoder.by_ref().take(limit.saturating_add(1)).read_to_end(&mut decoded);
    read.map_err(|error| EncodingError::NoGzip { size: body.len(), problem: error.to_string() })?;
    if decoded.len() as u64 > limit {
        return Err(EncodingError::TooLarge { limit });
    }
    match decoder.into_inner().len() {
        0 => Ok(decoded),
        size => Err(EncodingError::Trailing { size }),
    }
}

/// Whether gzip is to be undone, once: names are compared without case, and `identity` changes nothing.
fn is_gzip(headers: &HeaderMap) -> Result<bool, EncodingError> {
    let mut gzip = false;
    for value in headers.get_all(CONTENT_ENCODING) {
        let text = String::from_utf8_lossy(value.as_bytes());
        for name in text.split(',').map(str::trim) {
            match name.to_ascii_lowercase().as_str() {
                "" | "identity" => {}
                "gzip" | "x-gzip" if !gzip => gzip = true,
                _ => return Err(EncodingError::Unknown { found: text.chars().take(SHOWN).collect() }),
            }
        }
    }
    Ok(gzip)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use http::HeaderValue;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn decoded(encodings: &[&str], body: Vec<u8>, limit: u64) -> Result<Vec<u8>, EncodingError> {
        let mut headers = HeaderMap::new();
        for encoding in encodings {
            headers.append(CONTENT_ENCODING, HeaderValue::from_str(encoding).unwrap());
        }
        decode(&headers, body, limit)
    }

    #[test]
    fn gzip_is_undone_under_each_of_its_names_and_identity_is_left() {
        for names in [&["gzip"][..], &["GZip"], &["x-gzip"], &["gzip, identity"], &["identity", "gzip"]] {
            assert_eq!(decoded(names, gzip(b"tile"), 4).unwrap(), b"tile", "{names:?}");
        }
        for names in [&[][..], &["identity"], &[""]] {
            assert_eq!(decoded(names, b"tile".to_vec(), 4).unwrap(), b"tile", "{names:?}");
        }
        assert_eq!(decoded(&["gzip"], gzip(b""), 0).unwrap(), b"");
        assert_eq!(decoded(&["gzip"], Vec::new(), 0).unwrap(), b"", "a 404 without content");
    }

    #[test]
    fn an_encoding_that_was_not_asked_for_is_named() {
        for names in [&["br"][..], &["zstd"], &["gzip, gzip"], &["gzip", "deflate"], &["aes128gcm"]] {
            let error = decoded(names, gzip(b"tile"), 9).unwrap_err();
            assert!(error.to_string().contains("expected the content encoding gzip"), "{error}");
            assert!(error.to_string().contains("found"), "{error}");
        }
    }

    #[test]
    fn what_is_no_whole_gzip_stream_is_refused() {
        let good = gzip(b"an entry bundle");
        let mut damaged = good.clone();
        let last = damaged.len() - 5;
        damaged[last] ^= 1;
        for body in [b"an entry bundle".to_vec(), good[..good.len() - 1].to_vec(), good[..9].to_vec(), damaged] {
            let error = decoded(&["gzip"], body, 100).unwrap_err();
            assert!(matches!(error, EncodingError::NoGzip { .. }), "{error}");
        }
        for more in [b"x".to_vec(), gzip(b"a second member"), vec![0; 3]] {
            let error = decoded(&["gzip"], [good.clone(), more.clone()].concat(), 100).unwrap_err();
            assert_eq!(error, EncodingError::Trailing { size: more.len() });
        }
    }

    #[test]
    fn a_stream_that_unfolds_to_more_than_the_limit_is_cut_there() {
        let bomb = gzip(&vec![0; 1 << 20]);
        assert!(bomb.len() < 2_000, "{}", bomb.len());
        assert_eq!(
            decoded(&["gzip"], bomb.clone(), (1 << 20) - 1),
            Err(EncodingError::TooLarge { limit: (1 << 20) - 1 })
        );
        assert_eq!(decoded(&["gzip"], bomb, 1 << 20).unwrap().len(), 1 << 20);
    }
}
