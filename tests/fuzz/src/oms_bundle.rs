//! A `model.sig`, what was signed in one, and keys and certificates in PEM: the first byte picks the reader. What others did not sign is never believed, and what is
//! written is read as it was.

use stele_oms::statement::Statement;
use stele_oms::{Bundle, Chain, PublicKey, Roots, SecretKey};

/// The key of the seeds.
const KEY: &str = include_str!("../../../client/oms/vectors/key.pub");

/// What this key signed.
const SIGNED: [&[u8]; 4] = [
    include_bytes!("../../../client/oms/vectors/one.sig"),
    include_bytes!("../../../client/oms/vectors/shard20.sig"),
    include_bytes!("../../../client/oms/vectors/tiny.model-signing-1.1.1.sig"),
    include_bytes!("../../../client/oms/vectors/tiny.spec-order.sig"),
];

/// One input.
pub fn run(data: &[u8]) {
    let Some((which, bytes)) = data.split_first() else { return };
    match which % 3 {
        0 => {
            let key = PublicKey::from_pem(KEY).expect("the key of the seeds");
            let Some(model) = Bundle::parse(bytes).ok().and_then(|bundle| bundle.verify(&key).ok()) else { return };
            // Other spaces around the same signature are another file; what was signed is the same.
            let known =
                |signed: &&[u8]| Bundle::parse(signed).unwrap().verify(&key).unwrap().statement() == model.statement();
            assert!(SIGNED.iter().any(known), "a signature of this key that it did not make");
        }
        1 => {
            let Ok(statement) = Statement::parse(bytes).or_else(|_| Statement::parse_v0_2(bytes)) else { return };
            let read = Statement::parse(&statement.to_bytes());
            assert_eq!(read.as_ref(), Ok(&statement));
        }
        _ => {
            let Ok(text) = std::str::from_utf8(bytes) else { return };
            let _ = (SecretKey::from_pem(text), Roots::from_pem(text));
            if let Ok(chain) = Chain::from_pem(text) {
                let _ = chain.may_sign_at(1_800_000_000);
            }
            let Ok(key) = PublicKey::from_pem(text) else { return };
            assert_eq!(PublicKey::from_pem(&key.to_pem()), Ok(key));
        }
    }
}
