//! What an ssh-agent answers.
#![no_main]

#[allow(dead_code)]
#[path = "../../../witness/src/agent/wire.rs"]
mod wire;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(reply) = wire::Reply::parse(data) {
        assert_eq!(reply.to_bytes(), data);
    }
    if let Some(key) = wire::SshKey::from_blob(data) {
        assert_eq!(key.blob(), data);
        assert_eq!(key.to_string().parse(), Ok(key));
    }
});
