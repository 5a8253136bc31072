use super::*;
use crate::key::KeyError;

#[test]
fn a_key_is_read_from_pkcs8_and_sec1_with_text_around_it() {
    for (curve, sec1) in [
        (Curve::P256, &b"\x30\x6b\x02\x01\x01"[..]),
        (Curve::P384, b"\x30\x81\x9b\x02\x01\x01"),
        (Curve::P521, b"\x30\x81\xd3\x02\x01\x01"),
    ] {
        let text = new_pem(curve);
        let key = SecretKey::from_pem(&text).unwrap();
        assert_eq!(key.public().curve(), curve);
        // The SEC 1 key is what PKCS#8 has inside.
        let der = pem::blocks(&text).pop().unwrap().der.unwrap();
        let at = der.windows(sec1.len()).position(|window| window == sec1).unwrap();
        let inside = pem::write("EC PRIVATE KEY", &der[at..]);
        let with_text = format!(
            "Private Key Info:\r\n\tcurve: x\n-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n{inside}"
        );
        for text in [inside.clone(), with_text, inside.replace('\n', "\r\n")] {
            assert_eq!(SecretKey::from_pem(&text).unwrap().public(), key.public());
        }
        let public = key.public().to_pem();
        assert_eq!(PublicKey::from_pem(&public).unwrap(), *key.public());
        assert_eq!(PublicKey::from_pem(&public).unwrap().to_pem(), public);
        let signature = key.sign(b"a model").unwrap();
        assert!(key.public().verifies(b"a model", &signature) && !key.public().verifies(b"A model", &signature));
        // Its public half is another's.
        let mut mixed = der.to_vec();
        let last = mixed.len() - 1;
        mixed[last] ^= 1;
        assert_eq!(SecretKey::from_pem(&pem::write("PRIVATE KEY", &mixed)).unwrap_err(), KeyError::Form);
        assert_eq!(PublicKey::from_pem(&text).unwrap_err(), KeyError::Secret);
        assert_eq!(SecretKey::from_pem(&public).unwrap_err(), KeyError::Public);
        assert_eq!(PublicKey::from_pem(&format!("{public}{public}")).unwrap_err(), KeyError::Several);
    }
}

#[test]
fn what_is_no_key_of_ours_is_refused_by_name() {
    let block = |label: &str, der: &[u8]| pem::write(label, der);
    let secp256k1 = b"\x30\x56\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x0a\x03\x42\x00\x04";
    let public = tool_key().to_pem();
    let compressed =
        b"\x30\x39\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x22\x00\x02";
    for (text, error) in [
        (String::new(), KeyError::NotPem),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n".to_owned(), KeyError::NotPem),
        ("x".repeat(100_000), KeyError::NotPem),
        (block("PUBLIC KEY", secp256k1), KeyError::Kind { found: "of the curve secp256k1" }),
        (
            block("PUBLIC KEY", b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00"),
            KeyError::Kind { found: "an Ed25519 key" },
        ),
        (block("PUBLIC KEY", b"\x30\x00"), KeyError::Kind { found: "of another kind" }),
        (block("PUBLIC KEY", compressed), KeyError::Form),
        (block("CERTIFICATE", b"\x30\x00"), KeyError::Certificate),
        (block("PGP MESSAGE", b"\x30\x00"), KeyError::Label { found: "PGP MESSAGE".to_owned() }),
        (public.replace("MFkw", "MF*w"), KeyError::NotBase64),
        // A byte more than the point has.
        (public.replace("8A==", "8AA="), KeyError::Form),
    ] {
        assert_eq!(PublicKey::from_pem(&text).unwrap_err(), error, "{text}");
    }
    let legacy = "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END EC PRIVATE KEY-----\n";
    for text in [legacy.to_owned(), block("ENCRYPTED PRIVATE KEY", b"\x30\x00")] {
        assert_eq!(SecretKey::from_pem(&text).unwrap_err(), KeyError::Encrypted);
    }
}

#[test]
fn a_point_that_is_not_on_the_curve_verifies_nothing() {
    let signed = crate::Bundle::parse(ONE_FILE).unwrap();
    assert!(signed.verify(&tool_key()).is_ok());
    let off = PublicKey::from_pem(&tool_key().to_pem().replace("ZE8A==", "ZE8Q==")).unwrap();
    assert!(!off.verifies(b"", b"") && signed.verify(&off).is_err());
}
