//! Private keys that a passphrase encrypts: PKCS#8 with PBES2 (RFC 8018 section 6.2), as `openssl genpkey -aes256` and
//! `openssl pkcs8 -topk8` write them.
//!
//! A file says itself how costly it is to decrypt. Its parameters are read first and bounded, before anyone is asked for a passphrase.

use pkcs8::der::pem::LineEnding;
use pkcs8::der::{Decode as _, SecretDocument, asn1::OctetStringRef};
use pkcs8::pkcs5::pbes2::{self, Kdf, Pbkdf2Params, ScryptParams};
use pkcs8::pkcs5::scrypt;
use pkcs8::{EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef};
use stele_explain::{Exit, Explain, Failure};
use stele_spec::key::{KeyError, SecretKey};
use zeroize::Zeroizing;

use crate::passphrase::Passphrase;

/// The label of such a key in PEM (RFC 7468 section 11).
pub(crate) const LABEL: &str = "ENCRYPTED PRIVATE KEY";

/// The most rounds of PBKDF2: some seconds. OpenSSL writes 2,048, and OWASP asks for 600,000.
pub const MAX_ITERATIONS: u64 = 10_000_000;

/// The most memory that scrypt may take, `128 · N · r` bytes. OpenSSL writes and reads up to 32 MiB.
pub const MAX_SCRYPT_MEMORY: u64 = 256 << 20;

/// The most bytes that scrypt may go over, `128 · N · r · p`: some seconds.
pub const MAX_SCRYPT_WORK: u64 = 1 << 30;

/// What a new key costs: N = 2^14, r = 8, p = 5, as OWASP has it for 16 MiB, and OpenSSL reads it without options.
const NEW_SCRYPT: (u8, u32, u32) = (14, 8, 5);

/// Decrypts a key from its DER; `of` names it. The passphrase is asked for only where the parameters are within the bounds.
pub(crate) fn decrypt(
    of: &str,
    der: &[u8],
    passphrase: impl FnOnce() -> Result<Passphrase, Failure>,
) -> Result<SecretKey, Failure> {
    let refused = |problem| EncryptedKeyError { of: of.to_owned(), problem };
    let info = EncryptedPrivateKeyInfoRef::from_der(der).map_err(|_| refused(Problem::Unreadable))?;
    let parameters = info.encryption_algorithm.pbes2().ok_or_else(|| refused(Problem::Unreadable))?;
    check_cost(&parameters.kdf).map_err(refused)?;
    let passphrase = passphrase()?;
    let mut buffer = Zeroizing::new(info.encrypted_data.as_bytes().to_vec());
    Ok(decrypted(parameters, &passphrase, &mut buffer).map_err(refused)?)
}

/// A wrong passphrase leaves padding that is none or, one time in 256, what is no PKCS#8.
fn decrypted(parameters: &pbes2::Parameters, passphrase: &Passphrase, buffer: &mut [u8]) -> Result<SecretKey, Problem> {
    let plain = parameters.decrypt_in_place(passphrase.as_bytes(), buffer).map_err(|error| match error {
        pkcs8::pkcs5::Error::DecryptFailed => Problem::WrongPassphrase,
        _ => Problem::Unreadable,
    })?;
    let found = PrivateKeyInfoRef::from_der(plain).map_err(|_| Problem::WrongPassphrase)?;
    if found.algorithm.oid != ED25519 {
        return Err(Problem::OtherKind { found: found.algorithm.oid.to_string() });
    }
    SecretKey::from_pkcs8_der(plain).map_err(Problem::Key)
}

/// Encrypts a key in PEM, with 32 bytes of the system's random source for salt and initialization vector.
pub fn encrypt(key: &SecretKey, passphrase: &Passphrase, random: &[u8; 32]) -> Result<Zeroizing<String>, Failure> {
    let failed = || EncryptedKeyError { of: "the new key".to_owned(), problem: Problem::NotEncrypted };
    let (salt, vector) = random.split_at(16);
    let (log_n, r, p) = NEW_SCRYPT;
    let cost = scrypt::Params::new(log_n, r, p).map_err(|_| failed())?;
    let vector = <[u8; 16]>::try_from(vector).map_err(|_| failed())?;
    let parameters = pbes2::Parameters::generate_scrypt_aes256cbc(cost, salt, vector).map_err(|_| failed())?;
    let encrypted = parameters.encrypt(passphrase.as_bytes(), &key.to_pkcs8_der()).map_err(|_| failed())?;
    let encrypted_data = OctetStringRef::new(&encrypted).map_err(|_| failed())?;
    let info = EncryptedPrivateKeyInfoRef { encryption_algorithm: parameters.into(), encrypted_data };
    let document = SecretDocument::try_from(&info).map_err(|_| failed())?;
    Ok(document.to_pem(LABEL, LineEnding::LF).map_err(|_| failed())?)
}

/// `id-Ed25519` (RFC 8410 section 3).
const ED25519: pkcs8::ObjectIdentifier = pkcs8::ObjectIdentifier::new_unwrap("1.3.101.112");

fn check_cost(kdf: &Kdf) -> Result<(), Problem> {
    let within = |what, found: u64, allowed: u64, unit| match found {
        0 => Err(Problem::Unreadable),
        found if found > allowed => Err(Problem::Costly { what, found, allowed, unit }),
        _ => Ok(()),
    };
    match kdf {
        Kdf::Pbkdf2(Pbkdf2Params { iteration_count, .. }) => {
            within("rounds of PBKDF2", u64::from(*iteration_count), MAX_ITERATIONS, "")
        }
        Kdf::Scrypt(ScryptParams { cost_parameter, block_size, parallelization, .. }) => {
            let blocks = u64::from(*block_size).saturating_mul(128);
            // Of N = 0 no logarithm can be taken.
            let memory = cost_parameter.saturating_mul(blocks);
            within("memory for scrypt", memory, MAX_SCRYPT_MEMORY, " bytes")?;
            let work = memory.saturating_mul(u64::from(*parallelization));
            within("work of scrypt", work, MAX_SCRYPT_WORK, " bytes")
        }
        _ => Err(Problem::Unreadable),
    }
}

/// Why an encrypted key is not read or made.
#[derive(Debug, thiserror::Error)]
#[error("{of}: {problem}")]
pub struct EncryptedKeyError {
    of: String,
    problem: Problem,
}

/// What is wrong with it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum Problem {
    /// The passphrase is another's.
    #[error("the passphrase does not decrypt this key")]
    WrongPassphrase,
    /// It would take longer or more memory than any honest file.
    #[error("this encrypted key asks for more {what} than is allowed")]
    Costly { what: &'static str, found: u64, allowed: u64, unit: &'static str },
    /// Another scheme, or a damaged file.
    #[error("the encryption of this key is of a kind that is not read, or damaged")]
    Unreadable,
    /// A key of another algorithm.
    #[error("expected an encrypted Ed25519 key, found one of the algorithm {found}")]
    OtherKind { found: String },
    /// Not a good key.
    #[error("what the passphrase decrypts is no good key: {0}")]
    Key(KeyError),
    /// A new key cannot be encrypted.
    #[error("it cannot be encrypted")]
    NotEncrypted,
}

/// How to make a file that is read.
const AGAIN: &str = "`openssl pkcs8 -topk8 -v2 aes-256-cbc -in FILE -out NEW` encrypts it anew as it is read here";

impl EncryptedKeyError {
    /// Exit and code.
    fn kind(&self) -> (Exit, &'static str) {
        match self.problem {
            Problem::WrongPassphrase => (Exit::BadInput, "passphrase-wrong"),
            Problem::Costly { .. } => (Exit::BadInput, "key-too-costly"),
            Problem::Unreadable => (Exit::BadInput, "key-encryption-unknown"),
            Problem::OtherKind { .. } | Problem::Key(_) => (Exit::BadInput, "file-malformed"),
            Problem::NotEncrypted => (Exit::Internal, "key-unencryptable"),
        }
    }
}

impl Explain for EncryptedKeyError {
    fn exit(&self) -> Exit {
        self.kind().0
    }

    fn code(&self) -> &'static str {
        self.kind().1
    }

    fn hint(&self) -> Option<String> {
        let hint = match self.problem {
            Problem::WrongPassphrase => "try again; an encrypted key whose passphrase is lost is a lost key",
            Problem::Costly { .. } | Problem::Unreadable => AGAIN,
            Problem::OtherKind { .. } => "publishers sign with Ed25519: `stele key new FILE` makes a key",
            Problem::Key(_) => "no tool makes such a key: get the right file again",
            Problem::NotEncrypted => "this is a bug of ours: please tell us",
        };
        Some(hint.to_owned())
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        match &self.problem {
            Problem::Costly { found, allowed, unit, .. } => {
                vec![("allowed", format!("{allowed}{unit}")), ("found", format!("{found}{unit}"))]
            }
            Problem::Unreadable => vec![("expected", "PBES2: PBKDF2 or scrypt, and AES".to_owned())],
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passphrase::PassphraseError;
    use proptest::prelude::*;

    fn passphrase(text: &str) -> Result<Passphrase, Failure> {
        Passphrase::new(Zeroizing::new(text.as_bytes().to_vec()))
    }

    fn der_of(pem: &str) -> Zeroizing<Vec<u8>> {
        stele_spec::key::private_block(pem, LABEL).unwrap()
    }

    /// The DER of a key whose parameters are these; nobody gets so far as to decrypt it.
    fn with_kdf(kdf: Kdf) -> Vec<u8> {
        let encryption = pbes2::EncryptionScheme::Aes256Cbc { iv: [0; 16] };
        let encrypted_data = OctetStringRef::new(&[0; 64]).unwrap();
        let parameters = pbes2::Parameters { kdf, encryption };
        let info = EncryptedPrivateKeyInfoRef { encryption_algorithm: parameters.into(), encrypted_data };
        SecretDocument::try_from(&info).unwrap().as_bytes().to_vec()
    }

    fn pbkdf2(rounds: u32) -> Vec<u8> {
        with_kdf(Kdf::Pbkdf2(Pbkdf2Params {
            iteration_count: rounds,
            ..Pbkdf2Params::hmac_sha256(1, &[7; 8]).unwrap()
        }))
    }

    fn scrypt_of(n: u64, r: u16, p: u16) -> Vec<u8> {
        let salt = pbes2::Salt::new([7; 8]).unwrap();
        let params = ScryptParams { salt, cost_parameter: n, block_size: r, parallelization: p, key_length: None };
        with_kdf(Kdf::Scrypt(params))
    }

    #[test]
    fn a_file_that_asks_for_too_much_is_refused_before_anyone_is_asked() {
        let costly = [
            pbkdf2(10_000_001),
            pbkdf2(u32::MAX),
            scrypt_of(1 << 19, 8, 1),
            scrypt_of(1 << 63, 8, 1),
            scrypt_of(u64::MAX, u16::MAX, u16::MAX),
            scrypt_of(1 << 14, 8, 65),
        ];
        for der in costly {
            let error = decrypt("a.pem", &der, || panic!("nobody is asked")).unwrap_err();
            let error = error.as_explain();
            assert_eq!((error.code(), error.exit()), ("key-too-costly", Exit::BadInput), "{error}");
            assert_eq!(error.facts().iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["allowed", "found"]);
        }
        for der in [pbkdf2(0), scrypt_of(0, 8, 1), scrypt_of(16, 0, 1), scrypt_of(16, 8, 0), vec![], vec![0x30, 0]] {
            let error = decrypt("a.pem", &der, || panic!("nobody is asked")).unwrap_err();
            assert_eq!(error.as_explain().code(), "key-encryption-unknown");
        }
    }

    proptest! {
        /// A byte of the parameters is another one: a key is read, or refused, and no panic comes of it.
        #[test]
        fn a_changed_byte_is_read_or_refused(at: prop::sample::Index, byte: u8) {
            for mut der in [pbkdf2(1), scrypt_of(16, 1, 1)] {
                let at = at.index(der.len());
                der[at] = byte;
                // What asks for more than a test has time for is only looked at.
                let _ = decrypt("a.pem", &der, || Err(PassphraseError::Differ.into()));
                if let Ok(info) = EncryptedPrivateKeyInfoRef::from_der(&der)
                    && info.encryption_algorithm.pbes2().is_some_and(|found| is_cheap(&found.kdf))
                {
                    prop_assert!(decrypt("a.pem", &der, || passphrase("secret")).is_err());
                }
            }
        }
    }

    fn is_cheap(kdf: &Kdf) -> bool {
        match kdf {
            Kdf::Pbkdf2(found) => found.iteration_count < 1000,
            Kdf::Scrypt(found) => found.cost_parameter < 64 && found.block_size < 64 && found.parallelization < 64,
            _ => false,
        }
    }

    /// Parameters that are bounded and still wrong: a cost that is no power of two.
    #[test]
    fn parameters_that_derive_nothing_are_refused_and_never_a_panic() {
        for der in [scrypt_of(3, 8, 1), scrypt_of(1, 1, 1), pbkdf2(1)] {
            let error = decrypt("a.pem", &der, || passphrase("secret")).unwrap_err();
            assert!(["key-encryption-unknown", "passphrase-wrong"].contains(&error.as_explain().code()), "{der:?}");
        }
    }

    #[test]
    fn what_was_encrypted_is_decrypted_by_its_passphrase_alone() {
        let key = SecretKey::from_seed([9; 32]);
        let pem = encrypt(&key, &passphrase("correct horse").unwrap(), &[5; 32]).unwrap();
        let der = der_of(&pem);
        let read = decrypt("a.pem", &der, || passphrase("correct horse")).unwrap();
        assert_eq!(read.public(), key.public());
        for wrong in ["correct horse ", "Correct horse", "x"] {
            let error = decrypt("a.pem", &der, || passphrase(wrong)).unwrap_err();
            assert_eq!(error.as_explain().code(), "passphrase-wrong", "{wrong}");
            assert!(error.as_explain().to_string().starts_with("a.pem: "));
        }
        for cut in 0..der.len() {
            assert!(decrypt("a.pem", &der[..cut], || panic!("nobody is asked")).is_err(), "{cut}");
        }
    }
}
