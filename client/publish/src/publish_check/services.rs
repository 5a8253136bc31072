//! Secrets of services that no one word begins: known by what stands around them.

use std::collections::BTreeSet;

use super::url_password::{is_example, is_placeholder};

/// How long the key of Kaggle is, in hex.
const KAGGLE_KEY: usize = 32;
/// How many digits the number of a Telegram bot has, and how its secret begins and how long it is.
const TELEGRAM: (usize, usize, &str, usize) = (8, 10, "AA", 35);
/// The least length of the secret of a webhook of Discord.
const DISCORD: usize = 60;
/// How many words of an entry of netrc are looked at.
const NETRC_WORDS: usize = 8;

/// Whether a text is what Kaggle gives as `kaggle.json`, under whatever name.
pub(super) fn holds_kaggle(text: &str) -> bool {
    let is_key = |(at, name): (usize, &str)| {
        let rest = text.get(at + name.len()..).unwrap_or_default().trim_start();
        let value = rest.strip_prefix(':').map(str::trim_start).and_then(|rest| rest.strip_prefix('"'));
        let hex: String =
            value.unwrap_or_default().chars().take_while(char::is_ascii_hexdigit).take(KAGGLE_KEY + 1).collect();
        hex.len() == KAGGLE_KEY && is_mixed(&hex)
    };
    text.contains("\"username\"") && text.match_indices("\"key\"").any(is_key)
}

/// Whether a line begins an entry of netrc with a password: `machine HOST login USER password PASSWORD`.
pub(super) fn holds_netrc(text: &str) -> bool {
    text.match_indices("machine ").any(|(at, word)| {
        let before = text.get(..at).unwrap_or_default().trim_end_matches([' ', '\t']);
        let mut words = text.get(at + word.len()..).unwrap_or_default().split_whitespace();
        let host = words.next().unwrap_or_default();
        let fields: Vec<&str> = words.take(NETRC_WORDS).collect();
        let fields = fields.chunks(2).map_while(|field| match *field {
            [name @ ("login" | "account" | "password"), value] => Some((name, value)),
            _ => None,
        });
        let mut passwords = fields.filter(|(name, _)| *name == "password");
        (before.is_empty() || before.ends_with('\n'))
            && !is_example(host)
            && passwords
                .any(|(_, value)| value.chars().next().is_some_and(|c| !"<{[$".contains(c)) && !is_placeholder(value))
    })
}

/// Whether a token of a Telegram bot stands in a text: its number, a colon, its secret.
pub(super) fn holds_telegram(text: &str) -> bool {
    let (least, most, begin, length) = TELEGRAM;
    text.match_indices(':').any(|(at, _)| {
        let rest = text.get(at + 1..).unwrap_or_default();
        if !rest.starts_with(begin) {
            return false;
        }
        let before = text.get(..at).unwrap_or_default();
        let digits = before.bytes().rev().take_while(u8::is_ascii_digit).take(most + 1).count();
        let ahead = before.len().checked_sub(digits + 1).and_then(|at| before.as_bytes().get(at));
        let secret: String = rest.chars().take_while(|c| is_word(*c)).take(length + 1).collect();
        let is_alone = !ahead.is_some_and(|byte| is_word(char::from(*byte)));
        // `https://api.telegram.org/bot123456789:AA...`
        let is_alone = is_alone || before.get(..before.len() - digits).is_some_and(|before| before.ends_with("/bot"));
        (least..=most).contains(&digits) && is_alone && secret.len() == length && is_mixed(&secret)
    })
}

/// Whether a webhook of Discord stands in a text: who has its address writes into the channel.
pub(super) fn holds_discord(text: &str) -> bool {
    ["discord.com/api/webhooks/", "discordapp.com/api/webhooks/"].into_iter().any(|begin| {
        text.match_indices(begin).any(|(at, begin)| {
            let rest = text.get(at + begin.len()..).unwrap_or_default();
            let Some((number, secret)) = rest.split_once('/') else { return false };
            let secret: String = secret.chars().take_while(|c| is_word(*c)).take(256).collect();
            let is_number = (17..=20).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
            is_number && secret.len() >= DISCORD && is_mixed(&secret)
        })
    })
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
}

/// Whether characters are not all alike, as in `xxxxxxxx`.
fn is_mixed(text: &str) -> bool {
    text.chars().collect::<BTreeSet<_>>().len() >= 8
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made up, as mixed as the real ones are.
    fn letters(length: usize) -> String {
        "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA".chars().cycle().take(length).collect()
    }

    fn hex(length: usize) -> String {
        "0123456789abcdef".chars().cycle().take(length).collect()
    }

    #[test]
    fn secrets_of_services_are_known_by_their_form() {
        assert!(holds_kaggle(&format!("{{\"username\":\"me\",\"key\":\"{}\"}}", hex(32))));
        assert!(holds_kaggle(&format!("{{\"key\" : \"{}\", \"username\" : \"me\"}}", hex(32))));
        for entry in [
            "machine hub.acme.dev login me password tr0ub4dor",
            "a b\n  machine hub.acme.dev\n login me\n password tr0ub4dor\n",
        ] {
            assert!(holds_netrc(entry), "{entry}");
        }
        let bot = format!("{}:AA{}", "123456789", letters(33));
        assert!(holds_telegram(&bot) && holds_telegram(&format!("T='{bot}'")));
        assert!(holds_telegram(&format!("https://api.telegram.org/bot{bot}/getMe")));
        assert!(holds_discord(&format!("https://discord.com/api/webhooks/{}/{}", "1".repeat(18), letters(68))));
    }

    #[test]
    fn what_only_looks_so_is_none() {
        for key in [hex(31), hex(33), "0".repeat(32)] {
            assert!(!holds_kaggle(&format!("{{\"username\":\"me\",\"key\":\"{key}\"}}")), "{key}");
        }
        assert!(!holds_kaggle(&format!("{{\"key\":\"{}\"}}", hex(32))), "a digest of something");
        for text in [
            "machine learning models need a login and a password of their own",
            "machine hub.example login me password tr0ub4dor",
            "machine hub.acme.dev login me password YOUR_TOKEN",
            "machine hub.acme.dev login me password <token>",
            "machine hub.acme.dev login me",
            "the machine hub.acme.dev login me password tr0ub4dor",
        ] {
            assert!(!holds_netrc(text), "{text}");
        }
        for text in [
            format!("{}:AA{}", "1234567", letters(33)),
            format!("{}:AA{}", "123456789", letters(32)),
            format!("{}:AA{}", "123456789", letters(34)),
            format!("{}:AB{}", "123456789", letters(33)),
            format!("x{}:AA{}", "123456789", letters(33)),
        ] {
            assert!(!holds_telegram(&text), "{text}");
        }
        assert!(!holds_discord("https://discord.com/api/webhooks/123/token"));
    }
}
