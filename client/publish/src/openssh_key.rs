//! A private key in OpenSSH's own format, without a passphrase (`PROTOCOL.key` of OpenSSH): one Ed25519 key, as
//! `ssh-keygen -t ed25519 -N ''` writes it.
//!
//! One with a passphrase is for an ssh-agent: it is not decrypted here.

use stele_spec::key::{KeyError, SecretKey};
use stele_ssh_agent::SshKey;
use zeroize::Zeroizing;

/// The label of such a key in PEM.
pub(crate) const LABEL: &str = "OPENSSH PRIVATE KEY";

/// What the bytes begin with.
const MAGIC: &[u8] = b"openssh-key-v1\0";

const ED25519: &[u8] = b"ssh-ed25519";

/// What a file of OpenSSH holds.
#[derive(Debug)]
pub(crate) enum OpenSshKey {
    /// An Ed25519 key in the clear.
    Plain(Box<SecretKey>),
    /// A key that a passphrase encrypts.
    Encrypted,
    /// A key of another type.
    OtherKind,
}

/// Reads the bytes of the PEM; nothing may be left over.
pub(crate) fn parse(bytes: &[u8]) -> Result<OpenSshKey, KeyError> {
    parts(bytes).ok_or(KeyError::NotPem)?
}

fn parts(bytes: &[u8]) -> Option<Result<OpenSshKey, KeyError>> {
    let mut rest = bytes.strip_prefix(MAGIC)?;
    let (cipher, kdf, options) = (field(&mut rest)?, field(&mut rest)?, field(&mut rest)?);
    let count = number(&mut rest)?;
    let public = field(&mut rest)?;
    let mut secret = field(&mut rest)?;
    if count != 1 || !rest.is_empty() {
        return None;
    }
    if cipher != b"none" {
        return Some(Ok(OpenSshKey::Encrypted));
    }
    if kdf != b"none" || !options.is_empty() {
        return None;
    }
    if number(&mut secret)? != number(&mut secret)? {
        return None;
    }
    if field(&mut secret)? != ED25519 {
        return Some(Ok(OpenSshKey::OtherKind));
    }
    let inner: &[u8; 32] = field(&mut secret)?.try_into().ok()?;
    let pair = field(&mut secret)?;
    let (seed, again) = pair.split_first_chunk::<32>()?;
    let _comment = field(&mut secret)?;
    // Padding to eight bytes: 1, 2, 3 and so on.
    let is_padding = secret.len() < 8 && secret.iter().zip(1_u8..).all(|(found, expected)| *found == expected);
    if !is_padding {
        return None;
    }
    let key = SecretKey::from_seed(*Zeroizing::new(*seed));
    let own = *key.public().as_bytes();
    // The public key stands there three times.
    if *inner != own || again != own || SshKey::from_blob(public) != Some(SshKey::new(own)) {
        return Some(Err(KeyError::OtherPublic));
    }
    Some(Ok(OpenSshKey::Plain(key.into())))
}

fn number(rest: &mut &[u8]) -> Option<u32> {
    let (number, after) = rest.split_first_chunk::<4>()?;
    *rest = after;
    Some(u32::from_be_bytes(*number))
}

fn field<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(number(rest)?).ok()?;
    let (field, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(field)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn put(to: &mut Vec<u8>, field: &[u8]) {
        to.extend(u32::try_from(field.len()).unwrap().to_be_bytes());
        to.extend(field);
    }

    /// A key as OpenSSH writes it, with each part to be chosen.
    fn written(
        cipher: &[u8],
        kind: &[u8],
        public: [u8; 32],
        inner: [u8; 32],
        pair: [u8; 64],
        padding: &[u8],
    ) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        put(&mut bytes, cipher);
        put(&mut bytes, b"none");
        put(&mut bytes, b"");
        bytes.extend(1_u32.to_be_bytes());
        put(&mut bytes, &SshKey::new(public).blob());
        let mut secret = [7_u32.to_be_bytes(), 7_u32.to_be_bytes()].concat();
        put(&mut secret, kind);
        put(&mut secret, &inner);
        put(&mut secret, &pair);
        put(&mut secret, b"me@here");
        secret.extend(padding);
        put(&mut bytes, &secret);
        bytes
    }

    #[test]
    fn one_key_in_one_form_is_read_and_everything_else_is_refused() {
        let key = SecretKey::from_seed([9; 32]);
        let own = *key.public().as_bytes();
        let pair: [u8; 64] = [[9; 32], own].concat().try_into().unwrap();
        let good = written(b"none", ED25519, own, own, pair, &[1, 2]);
        let OpenSshKey::Plain(read) = parse(&good).unwrap() else { panic!("not read") };
        assert_eq!(read.public(), key.public());
        for cut in 0..good.len() {
            assert!(parse(&good[..cut]).is_err(), "{cut}");
        }
        assert!(parse(&[&good[..], &[0]].concat()).is_err());

        let swapped: [u8; 64] = [[9; 32], [1; 32]].concat().try_into().unwrap();
        for other in [
            written(b"none", ED25519, [1; 32], own, pair, &[1, 2]),
            written(b"none", ED25519, own, [1; 32], pair, &[1, 2]),
            written(b"none", ED25519, own, own, swapped, &[1, 2]),
        ] {
            assert!(matches!(parse(&other), Err(KeyError::OtherPublic)));
        }
        for padding in [&[2, 1][..], &[1, 2, 3, 4, 5, 6, 7, 8], &[0]] {
            assert!(parse(&written(b"none", ED25519, own, own, pair, padding)).is_err(), "{padding:?}");
        }
        let encrypted = written(b"aes256-ctr", ED25519, own, own, pair, &[1, 2]);
        assert!(matches!(parse(&encrypted), Ok(OpenSshKey::Encrypted)));
        let other_kind = written(b"none", b"ssh-rsa", own, own, pair, &[1, 2]);
        assert!(matches!(parse(&other_kind), Ok(OpenSshKey::OtherKind)));
        let mut two = good;
        two[MAGIC.len() + 8 + 8 + 4 + 3] = 2;
        assert!(parse(&two).is_err(), "two keys");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            prop_assert!(parse(&bytes).is_err());
            let _ = parse(&[MAGIC, &bytes].concat());
        }
    }
}
