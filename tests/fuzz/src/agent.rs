//! What an ssh-agent answers.

use stele_ssh_agent::{Reply, SshKey};

/// One input.
pub fn run(data: &[u8]) {
    if let Ok(reply) = Reply::parse(data) {
        assert_eq!(reply.to_bytes(), data);
    }
    if let Some(key) = SshKey::from_blob(data) {
        assert_eq!(key.blob(), data);
        assert_eq!(key.to_string().parse(), Ok(key));
    }
}
