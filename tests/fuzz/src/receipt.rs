//! A COSE receipt of a log or of another service, or a statement with some: what is ours is written back as it was, and an entry that is in
//! no tree of the seeds is never proven.

use stele_spec::policy::Policy;
use stele_spec::receipt::{ForeignReceipt, Receipt, TransparentStatement, check};

/// The policy of the seeds.
const POLICY: &str = "log log.example/stele+aa1db5db+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c\n\
                      witness w1 witness.example/w1+df1c0a35+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU\nquorum w1\n";

/// One input.
pub fn run(data: &[u8]) {
    let policy = Policy::parse(POLICY.as_bytes()).expect("the policy of the seeds");
    let foreign = ForeignReceipt::parse(data);
    if let Ok(receipt) = Receipt::parse(data) {
        assert!(foreign.is_ok(), "the profile is wider than our encoding");
        assert_eq!(receipt.to_bytes(), data);
        assert!(check(&receipt, b"an entry of no tree", &policy).is_err());
    }
    if let Ok(foreign) = foreign {
        let stele_spec::note::Material::Log(key) = policy.logs()[0].key.material() else { unreachable!() };
        assert!(foreign.check(b"an entry of no tree", key).is_err());
    }
    if let Ok(statement) = TransparentStatement::parse(data) {
        assert_eq!(statement.to_bytes(), data);
        assert!(TransparentStatement::looks_like(data));
        let _ = statement.check(&policy);
    }
}
