//! A policy as lines: what the log publishes under, for its users to copy. The operator's comments and passwords are not in it.

use std::fmt::Write as _;
use stele_explain::secrets::without_secrets;
use stele_spec::policy::{Policy, Quorum};

/// The lines of a policy.
pub(super) fn policy_text(policy: &Policy) -> String {
    let mut text = String::new();
    let url = |url: &Option<String>| url.as_ref().map(|url| format!(" {}", without_secrets(url))).unwrap_or_default();
    for log in policy.logs() {
        let _ = writeln!(text, "log {}{}", log.key, url(&log.url));
    }
    for witness in policy.witnesses() {
        let _ = writeln!(text, "witness {} {}{}", witness.name, witness.key, url(&witness.url));
    }
    let name = group(policy, policy.quorum(), &mut text);
    let _ = writeln!(text, "quorum {name}");
    text
}

/// Writes the groups of a quorum, members first; what it is called.
fn group(policy: &Policy, quorum: &Quorum, text: &mut String) -> String {
    match quorum {
        Quorum::None => "none".to_owned(),
        Quorum::Witness(index) => {
            policy.witnesses().get(*index).map_or_else(String::new, |witness| witness.name.clone())
        }
        Quorum::Group { name, threshold, members } => {
            let members: Vec<String> = members.iter().map(|member| group(policy, member, text)).collect();
            let _ = writeln!(text, "group {name} {threshold} {}", members.join(" "));
            name.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stele_log_core::samples::policy;
    use stele_spec::note::{KeyType, SignerKey};

    #[test]
    fn what_is_published_is_the_policy_again() {
        let witness = |i: u8| {
            let key = SignerKey::new(format!("w{i}.example").parse().unwrap(), KeyType::Cosigner, [i + 1; 32]);
            format!("witness w{i} {} https://w{i}.example\n", key.verifier())
        };
        let witnesses: String = (0..4).map(witness).collect();
        for rest in ["quorum none\n", "quorum w1\n", "group a any w0 w1\ngroup b all w2 w3\ngroup c 2 a b\nquorum c\n"]
        {
            let policy = policy(&(witnesses.clone() + rest));
            assert_eq!(Policy::parse(policy_text(&policy).as_bytes()), Ok(policy), "{rest}");
        }
    }
}
