//! A signed statement: COSE envelope, canonical payload, field checks, approvals.

use stele_spec::statement::Statement;

/// One input.
pub fn run(data: &[u8]) {
    if let Ok(statement) = stele_spec::statement::SignedStatement::parse(data) {
        assert_eq!(statement.bytes(), data);
        let payload = statement.statement().payload().expect("what was parsed is written again");
        assert!(data.windows(payload.len()).any(|window| window == payload));
        // Who approves it changes nothing of what is approved.
        let plain = statement.statement().without_approvals();
        let payload = plain.payload().expect("without approvals it is written as well");
        assert_eq!(Statement::from_payload(&payload).as_ref(), Ok(&plain));
        assert_eq!(plain.approved_digest(), statement.statement().approved_digest());
        assert!(plain.verify_approvals(|_| None).is_ok());
        assert!(
            statement.statement().approvals().is_empty() || statement.statement().verify_approvals(|_| None).is_err()
        );
    }
}
