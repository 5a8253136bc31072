use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;

static CLAIM: LazyLock<SignedStatement> = LazyLock::new(|| sign(&claim(), &key()).unwrap());
static RELEASE: LazyLock<SignedStatement> = LazyLock::new(|| sign(&release(), &key()).unwrap());

/// No change of one byte is read as a signed statement that verifies.
fn is_refused(bytes: &[u8]) -> bool {
    SignedStatement::parse(bytes).is_ok_and(|read| read.verify(&key().public()).is_ok()).eq(&false)
}

/// All single-bit changes, and the removal and doubling of each byte, of the short statement.
#[test]
fn no_single_bit_of_a_claim_can_be_changed() {
    let bytes = CLAIM.bytes();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.to_vec();
            changed[at] ^= 1 << bit;
            assert!(is_refused(&changed), "bit {bit} of byte {at}");
        }
        let mut shorter = bytes.to_vec();
        shorter.remove(at);
        assert!(is_refused(&shorter), "without byte {at}");
        assert!(is_refused(&bytes[..at]), "the first {at} bytes");
    }
}

proptest! {
    #[test]
    fn no_byte_of_a_release_can_be_changed(at in any::<prop::sample::Index>(), change in 1..=255_u8) {
        let mut changed = RELEASE.bytes().to_vec();
        let at = at.index(changed.len());
        changed[at] ^= change;
        prop_assert!(is_refused(&changed), "byte {}", at);
    }

    #[test]
    fn nothing_can_be_put_in(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut changed = CLAIM.bytes().to_vec();
        changed.insert(at.index(changed.len() + 1), byte);
        prop_assert!(is_refused(&changed));
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = SignedStatement::parse(&bytes);
        let tagged = [&[0xd2, 0x84][..], &bytes].concat();
        let _ = SignedStatement::parse(&tagged);
    }

    #[test]
    fn arbitrary_payloads_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(SignedStatement::parse(&cose::sign(&bytes, "https://acme.example", "acme.example", &key())).is_err());
    }

    #[test]
    fn what_is_read_is_written_back(variant in "[a-z0-9]([._-]?[a-z0-9]){0,10}", parameters in 0..=crate::canonical::MAX_INTEGER) {
        let mut release = sample_release();
        release.model.variant = variant.parse().unwrap();
        release.model.parameters = Some(parameters);
        let signed = sign(&Statement::Release(Box::new(release)), &key()).unwrap();
        let read = SignedStatement::parse(signed.bytes()).unwrap();
        prop_assert_eq!(sign(read.statement(), &key()).unwrap(), signed);
    }
}
