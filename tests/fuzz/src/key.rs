//! Verifier keys, signer keys, PEM files.

/// One input.
pub fn run(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else { return };
    if let Ok(key) = text.parse::<stele_spec::note::VerifierKey>() {
        assert_eq!(key.to_string(), text);
    }
    if let Ok(key) = stele_spec::note::SignerKey::from_secret_string(text) {
        assert_eq!(key.to_secret_string(), text);
    }
    if let Ok(key) = stele_spec::key::PublicKey::from_pem(text) {
        assert_eq!(stele_spec::key::PublicKey::from_pem(&key.to_pem()), Ok(key));
    }
    if let Ok(key) = stele_spec::key::SecretKey::from_pkcs8_pem(text) {
        assert!(stele_spec::key::SecretKey::from_pkcs8_pem(&key.to_pkcs8_pem()).is_ok());
    }
    let _ = stele_spec::key::private_block(text, "ENCRYPTED PRIVATE KEY");
}
