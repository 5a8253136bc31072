//! What a file is that was named as a key and is none of ours: for the message that says so.

use stele_spec::key::KeyError;

/// What was found, and what to do with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyKind {
    /// What it is.
    pub(crate) found: &'static str,
    /// What helps.
    pub(crate) hint: &'static str,
}

const NEW: &str = "`stele key new FILE` makes one, and so does `openssl genpkey -algorithm ed25519 -out FILE`";
const OTHER_CURVE: &str = "publishers sign with Ed25519: `stele key new FILE` makes a key";
const NO_PEM: &str = "no PEM";
const ONE_KEY: &str = "keep the key that is meant in a file of its own: which of them signs is not guessed";

impl KeyKind {
    /// A private key of OpenSSH that has a passphrase.
    pub(crate) const ENCRYPTED_OPENSSH: Self = Self {
        found: "a private key of OpenSSH that a passphrase encrypts",
        hint: "`ssh-add FILE` gives it to an ssh-agent, and --key ssh-agent:FILE.pub signs with it there",
    };

    /// A private key of OpenSSH of another type.
    pub(crate) const OTHER_OPENSSH: Self =
        Self { found: "a private key of OpenSSH that is not Ed25519", hint: OTHER_CURVE };

    /// Whether it is nothing in PEM.
    pub(crate) fn is_no_pem(self) -> bool {
        self.found == NO_PEM
    }

    /// By the text of the file and why it was refused.
    pub(crate) fn of(text: &str, error: KeyError) -> Self {
        let found = match error {
            KeyError::NotPem => return Self::of_text(text),
            KeyError::SeveralKeys => return Self { found: "two private keys", hint: ONE_KEY },
            KeyError::NotAPoint => "32 bytes that are no point of the curve",
            KeyError::NotCanonical => "another encoding of a key than the canonical one",
            KeyError::SmallOrder => "a point of small order, under which signatures prove nothing",
            KeyError::MixedOrder => "a point with a part of small order, under which verifiers disagree",
            KeyError::OtherPublic => "a private key with the public key of another beside it",
        };
        Self { found, hint: "no tool makes such a key: get the right file again" }
    }

    /// The same for a file that says it is a public key.
    pub(crate) fn of_public(error: KeyError) -> Self {
        match error {
            KeyError::NotPem => Self { found: "a public key of another kind, or a damaged one", hint: OTHER_CURVE },
            KeyError::SeveralKeys => Self { found: "two public keys", hint: ONE_KEY },
            error => Self::of("", error),
        }
    }

    /// What holds no private key in PEM, where a public one is asked for.
    pub(crate) fn of_no_secret(text: &str) -> Self {
        let of_openssh = ["ssh-", "ecdsa-", "sk-"].iter().any(|begin| text.trim_start().starts_with(begin));
        match of_openssh {
            true => Self { found: "a public key of OpenSSH that is not Ed25519, or a damaged one", hint: OTHER_CURVE },
            false => Self { found: NO_PEM, hint: NEW },
        }
    }

    fn of_text(text: &str) -> Self {
        let is = |found, hint| Self { found, hint };
        let has = |mark: &str| text.contains(mark);
        if has("BEGIN ENCRYPTED PRIVATE KEY") {
            return is("a damaged encrypted private key", "get the right file again, whole");
        }
        if has("BEGIN OPENSSH PRIVATE KEY") {
            return is("a damaged private key of OpenSSH", "get the right file again, whole");
        }
        if has("BEGIN RSA PRIVATE KEY") {
            return is("an RSA private key", OTHER_CURVE);
        }
        if has("BEGIN EC PRIVATE KEY") {
            return is("a private key on a curve of NIST or the like", OTHER_CURVE);
        }
        if has("BEGIN CERTIFICATE") {
            return is(
                "a certificate",
                "name the file of the key; `openssl x509 -in FILE -noout -pubkey` prints the public key of a certificate",
            );
        }
        if has("BEGIN PRIVATE KEY") {
            return Self::of_pkcs8(text);
        }
        if has("BEGIN PUBLIC KEY") {
            return is("a public key", "name the file of the secret key");
        }
        if text.trim_start().starts_with("ssh-") || text.trim_start().starts_with("ecdsa-") {
            return is(
                "a public key of OpenSSH",
                "name the file of the secret key, or --key ssh-agent:FILE where an agent holds it",
            );
        }
        if has("-----BEGIN ") {
            return is("PEM of something else", NEW);
        }
        is(NO_PEM, NEW)
    }

    /// By the algorithm in a PKCS#8 that is not Ed25519's; its first bytes are the same in every version.
    fn of_pkcs8(text: &str) -> Self {
        let body: String = text
            .lines()
            .skip_while(|line| !line.contains("BEGIN PRIVATE KEY"))
            .skip(1)
            .take_while(|line| !line.starts_with('-'))
            .collect();
        let algorithms = [
            ("K2Vu", "an X25519 private key: it agrees on keys, and signs nothing"),
            ("K2Vv", "an X448 private key: it agrees on keys, and signs nothing"),
            ("K2Vx", "an Ed448 private key"),
            ("hkiG9w0BAQ", "an RSA private key"),
            ("qGSM49AgE", "a private key on a curve of NIST or the like"),
        ];
        // Base64 of an identifier depends on where it stands; at the places where PKCS#8 has it, these parts are in all of them.
        let found = algorithms.into_iter().find(|(part, _)| body.contains(part)).map(|(_, what)| what);
        Self { found: found.unwrap_or("a private key of another kind, or a damaged one"), hint: OTHER_CURVE }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> &'static str {
        KeyKind::of(text, KeyError::NotPem).found
    }

    /// The first line of what OpenSSL 3.0 writes for each algorithm; the secret part is made up.
    #[test]
    fn a_file_that_is_no_key_of_ours_is_called_what_it_is() {
        let pkcs8 = |first: &str| format!("-----BEGIN PRIVATE KEY-----\n{first}\n-----END PRIVATE KEY-----\n");
        for (text, what) in [
            (pkcs8("MC4CAQAwBQYDK2VuBCIEIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), "X25519"),
            (pkcs8("MEcCAQAwBQYDK2VxBDsEOQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), "Ed448"),
            (pkcs8("MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQAAAAAAAAAAAAAA"), "RSA"),
            (pkcs8("MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgAAAAAAAAAAAAAAAA"), "curve of NIST"),
            (pkcs8("MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDAAAAAAAAAAAAAAAAAA"), "curve of NIST"),
            (pkcs8("AAAA"), "another kind"),
            ("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA\n".to_owned(), "encrypted"),
            ("-----BEGIN OPENSSH PRIVATE KEY-----\nAA\n".to_owned(), "OpenSSH"),
            ("-----BEGIN RSA PRIVATE KEY-----\nAA\n".to_owned(), "RSA"),
            ("-----BEGIN EC PRIVATE KEY-----\nAA\n".to_owned(), "curve of NIST"),
            ("-----BEGIN CERTIFICATE-----\nAA\n".to_owned(), "certificate"),
            ("-----BEGIN PUBLIC KEY-----\nAA\n".to_owned(), "a public key"),
            ("ssh-ed25519 AAAA me@host\n".to_owned(), "public key of OpenSSH"),
            ("hello\n".to_owned(), "no PEM"),
        ] {
            assert!(found(&text).contains(what), "{what}: {}", found(&text));
            assert!(!found(&text).starts_with("expected"));
        }
        assert_eq!(KeyKind::of("", KeyError::SeveralKeys).found, "two private keys");
        assert!(KeyKind::of_no_secret("ssh-rsa AAAA me@host\n").found.contains("not Ed25519"));
        assert!(KeyKind::of_no_secret("MIT License\n").is_no_pem());
        assert_eq!(KeyKind::of_public(KeyError::SeveralKeys).found, "two public keys");
        assert!(KeyKind::of("", KeyError::SmallOrder).found.contains("small order"));
    }
}
