//! An Ed25519 private key in PKCS#8, as the tools of the field write it (RFC 8410 §7, RFC 5958 §2).
//!
//! Version 1 has the seed alone. Version 2 may have the public key behind it: as RFC 5958 asks, `[1]` in place of the bit string's own
//! tag, or as `ring` wrote it for years, around it. A public key that is not the seed's is refused.

use zeroize::Zeroizing;

use super::error::KeyError;

/// `SEQUENCE { OBJECT IDENTIFIER 1.3.101.112 }`: Ed25519.
const ALGORITHM: &[u8] = &[0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70];

/// `OCTET STRING { OCTET STRING (32 bytes) }` up to the seed.
const SEED: &[u8] = &[0x04, 0x22, 0x04, 0x20];

/// `[1] IMPLICIT BIT STRING` of 32 bytes.
const PUBLIC: &[u8] = &[0x81, 0x21, 0x00];

/// `[1] EXPLICIT BIT STRING` of 32 bytes.
const PUBLIC_AROUND: &[u8] = &[0xa1, 0x23, 0x03, 0x21, 0x00];

/// The seed, and the public key if there is one.
pub(super) type Parts = (Zeroizing<[u8; 32]>, Option<[u8; 32]>);

/// Reads the DER of a private key; nothing may be left over.
pub(super) fn parse(der: &[u8]) -> Result<Parts, KeyError> {
    parts(der).ok_or(KeyError::NotPem)
}

fn parts(der: &[u8]) -> Option<Parts> {
    let [0x30, length, body @ ..] = der else { return None };
    if usize::from(*length) != body.len() || *length >= 0x80 {
        return None;
    }
    let (version, rest) = match body {
        [0x02, 0x01, version @ (0 | 1), rest @ ..] => (*version, rest),
        _ => return None,
    };
    let (seed, rest) = rest.strip_prefix(ALGORITHM)?.strip_prefix(SEED)?.split_at_checked(32)?;
    let seed = Zeroizing::new(<[u8; 32]>::try_from(seed).ok()?);
    if rest.is_empty() {
        return Some((seed, None));
    }
    let public = rest.strip_prefix(PUBLIC).or_else(|| rest.strip_prefix(PUBLIC_AROUND)).filter(|_| version == 1)?;
    Some((seed, Some(public.try_into().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn der(version: u8, tail: &[u8]) -> Vec<u8> {
        let body = [&[0x02, 0x01, version][..], ALGORITHM, SEED, &[7; 32], tail].concat();
        [&[0x30, u8::try_from(body.len()).unwrap()][..], &body].concat()
    }

    #[test]
    fn each_way_of_writing_it_is_read_and_others_are_refused() {
        let public = [PUBLIC, &[9; 32]].concat();
        let around = [PUBLIC_AROUND, &[9; 32]].concat();
        for (der, expected) in [
            (der(0, &[]), None),
            (der(1, &[]), None),
            (der(1, &public), Some([9; 32])),
            (der(1, &around), Some([9; 32])),
        ] {
            let (seed, found) = parse(&der).unwrap();
            assert_eq!((*seed, found), ([7; 32], expected));
            for cut in 0..der.len() {
                assert!(parse(&der[..cut]).is_err(), "{cut}");
            }
            assert!(parse(&[&der[..], &[0]].concat()).is_err());
        }
        assert!(parse(&der(0, &public)).is_err(), "version 1 has no public key");
        assert!(parse(&der(2, &[])).is_err());
        assert!(parse(&der(1, &public[..34])).is_err());
    }
}
