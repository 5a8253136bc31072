//! The user's settings, `stele/config.toml` in the folder of configurations: what would be the same on every command line.
//!
//! An option overrides the environment, and that overrides the file. A setting stands for the option of the same name, and for no other
//! thing; what makes a verdict weaker is said on the command line alone, where whoever reads the result sees it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Arg, Command};
use stele_clock::duration::HumanDuration;
use stele_explain::{Exit, Explain, explain};
use stele_terminal::writers::warn_of_writers;
use stele_verify::bounded_read::{ReadError, read_if_there};

/// The largest file of settings in bytes: six values are a few hundred.
const MAX_FILE: u64 = 64 << 10;

/// The name of the file in its folder.
const FILE: &str = "config.toml";

/// The environment's name for the policy.
pub(crate) const POLICY_VARIABLE: &str = "STELE_POLICY";

/// The variable that holds the key, in place of a file.
pub(crate) const KEY_VARIABLE: &str = "STELE_KEY";

/// How the name of a key in an ssh-agent begins, which is no path.
const AGENT: &str = "ssh-agent:";

/// What can be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Setting {
    /// The trust policy, a path.
    Policy,
    /// The log's address, or a folder with its static files.
    Log,
    /// The secret key of the verbs that cannot do without one: a path, or a key of an ssh-agent.
    Key,
    /// How long to try again while a log has no quorum.
    Wait,
    /// Evidence that is older is refused.
    MaxAge,
    /// The file by which a monitor knows what is expected, a path.
    Expect,
}

impl Setting {
    /// All of them, in the order in which they are shown.
    pub(crate) const ALL: [Self; 6] = [Self::Policy, Self::Log, Self::Key, Self::Wait, Self::MaxAge, Self::Expect];

    /// The name in the file, and of the option.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Log => "log",
            Self::Key => "key",
            Self::Wait => "wait",
            Self::MaxAge => "max-age",
            Self::Expect => "expect",
        }
    }

    const fn is_path(self) -> bool {
        matches!(self, Self::Policy | Self::Key | Self::Expect)
    }

    const fn is_duration(self) -> bool {
        matches!(self, Self::Wait | Self::MaxAge)
    }
}

/// Options that accept less, or remember less. No file sets them.
const WEAKENING: [&str; 9] = [
    "accept",
    "accept-incomplete-answer",
    "allow-extra",
    "allow-file",
    "no-bundle",
    "no-hash",
    "no-state",
    "partial",
    "replace-bundle",
];

/// What the file sets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Settings {
    file: Option<PathBuf>,
    is_there: bool,
    values: BTreeMap<Setting, String>,
}

impl Settings {
    /// The settings of this machine's user: `$XDG_CONFIG_HOME/stele/config.toml`, else `~/.config/stele/config.toml`. Where there is no file
    /// nothing is set.
    pub(crate) fn of_user() -> Result<Self, SettingsError> {
        let Some(file) = folder().map(|folder| folder.join(FILE)) else { return Ok(Self::default()) };
        let Some(bytes) = read_if_there(&file, MAX_FILE)? else {
            return Ok(Self { file: Some(file), ..Self::default() });
        };
        warn_of_writers(&file, "what is trusted and what signs");
        Self::parse(&bytes, &file)
    }

    fn parse(bytes: &[u8], file: &Path) -> Result<Self, SettingsError> {
        let malformed = |problem: String| SettingsError::Malformed { file: file.to_owned(), problem };
        let text = std::str::from_utf8(bytes).map_err(|error| malformed(error.to_string()))?;
        let table: toml::Table = toml::from_str(text).map_err(|error| malformed(error.to_string()))?;
        let option = |key: &String| key.replace('_', "-");
        let weakening: Vec<String> =
            table.keys().filter(|key| WEAKENING.contains(&option(key).as_str())).cloned().collect();
        if !weakening.is_empty() {
            return Err(SettingsError::Weakens { file: file.to_owned(), keys: weakening });
        }
        let mut values = BTreeMap::new();
        let mut unknown = Vec::new();
        for (key, value) in table {
            let Some(setting) = Setting::ALL.into_iter().find(|setting| setting.name() == key) else {
                unknown.push(key);
                continue;
            };
            let bad = |problem: String| SettingsError::BadValue { file: file.to_owned(), key: setting.name(), problem };
            let toml::Value::String(value) = value else {
                return Err(bad(format!("expected a text in quotes, found {}", value.type_str())));
            };
            if value.is_empty() || value.chars().any(char::is_control) {
                return Err(bad("expected a text without control characters, and not an empty one".into()));
            }
            if setting.is_duration() {
                value.parse::<HumanDuration>().map_err(|error| bad(error.to_string()))?;
            }
            let is_place = setting.is_path() && !(setting == Setting::Key && value.starts_with(AGENT));
            let value =
                if is_place { resolved(&value, file).ok_or_else(|| bad("no home folder".into()))? } else { value };
            values.insert(setting, value);
        }
        if !unknown.is_empty() {
            return Err(SettingsError::Unknown { file: file.to_owned(), keys: unknown });
        }
        Ok(Self { file: Some(file.to_owned()), is_there: true, values })
    }

    /// Where the file is, or would be, if this machine's user has a place for it.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// Whether the file is there.
    pub(crate) fn is_there(&self) -> bool {
        self.is_there
    }

    /// What is set.
    pub(crate) fn value(&self, setting: Setting) -> Option<&str> {
        self.values.get(&setting).map(String::as_str)
    }

    /// The policy of a verb that has no option for it. The environment comes first.
    #[cfg(feature = "monitor")]
    pub(crate) fn policy(&self) -> Option<PathBuf> {
        self.default_of(Setting::Policy).map(PathBuf::from)
    }

    /// What an option has where it is not typed, if that is from the file.
    fn default_of(&self, setting: Setting) -> Option<&str> {
        let is_overridden = match setting {
            Setting::Policy => variable(POLICY_VARIABLE).is_some(),
            Setting::Key => variable(KEY_VARIABLE).is_some(),
            _ => false,
        };
        self.value(setting).filter(|_| !is_overridden)
    }

    /// A definition of a command line whose options have the values of the file where they are not typed.
    pub(crate) fn fill(&self, command: Command) -> Command {
        // `stele observe` signs only where a key is named, and `stele oms sign` with one of another kind.
        let is_of_no_publisher = matches!(command.get_name(), "observe" | "sign");
        let command = command.mut_args(|argument| {
            let named = |setting: &Setting| argument.get_long() == Some(setting.name());
            match Setting::ALL.into_iter().find(named) {
                Some(Setting::Key) if is_of_no_publisher => argument,
                Some(setting) => match self.default_of(setting) {
                    Some(value) => with_default(argument, value),
                    None => argument,
                },
                None => argument,
            }
        });
        command.mut_subcommands(|below| self.fill(below))
    }
}

/// An option that need not be typed any more. What else it demanded of the command line stays.
fn with_default(argument: Arg, value: &str) -> Arg {
    argument.required(false).default_value(value.to_owned())
}

/// The folder of the user's settings and policy.
pub(crate) fn folder() -> Option<PathBuf> {
    let config = variable("XDG_CONFIG_HOME").map(PathBuf::from);
    let config = config.or_else(|| Some(PathBuf::from(variable("HOME")?).join(".config")));
    Some(config?.join("stele"))
}

/// A variable of the environment that is set and not empty.
pub(crate) fn variable(name: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// A path of the file: from the file's folder, or from the home of the user.
fn resolved(value: &str, file: &Path) -> Option<String> {
    let path = match value.strip_prefix("~/") {
        Some(below) => PathBuf::from(variable("HOME")?).join(below),
        None => file.parent().unwrap_or(Path::new("")).join(value),
    };
    path.into_os_string().into_string().ok()
}

fn known() -> String {
    Setting::ALL.map(Setting::name).join(", ")
}

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingsError {
    /// The file cannot be read.
    #[error(transparent)]
    Unread(#[from] ReadError),
    /// Not TOML.
    #[error("{} is not TOML: {problem}", .file.display())]
    Malformed {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// Keys that set nothing.
    #[error("{} sets what is no setting", .file.display())]
    Unknown {
        /// The file.
        file: PathBuf,
        /// The keys.
        keys: Vec<String>,
    },
    /// Keys that would make every verdict weaker, unseen.
    #[error("{} sets what belongs on a command line, where it is seen", .file.display())]
    Weakens {
        /// The file.
        file: PathBuf,
        /// The keys.
        keys: Vec<String>,
    },
    /// A value that its option would not take.
    #[error("{}: {key}: {problem}", .file.display())]
    BadValue {
        /// The file.
        file: PathBuf,
        /// The setting.
        key: &'static str,
        /// What is wrong with its value.
        problem: String,
    },
}

impl Explain for SettingsError {
    explain! {
        Self::Unread(error) => error;
        Self::Malformed { .. } => Exit::BadInput, "config-malformed", hint: "expected lines such as: policy = \"/etc/stele/policy\"";
        Self::Unknown { keys, .. } => Exit::BadInput, "config-unknown-key",
            hint: "take the line out, or spell it as one of these",
            "expected": known(), "found": keys.join(", ");
        Self::Weakens { keys, .. } => Exit::BadInput, "config-weakens",
            hint: "remove the line and give the option on the command line: in the file it would weaken every verdict unseen",
            "expected": known(), "found": keys.join(", ");
        Self::BadValue { .. } => Exit::BadInput, "config-bad-value", hint: "correct the value, or remove the line";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Settings, SettingsError> {
        Settings::parse(text.as_bytes(), Path::new("/home/u/.config/stele/config.toml"))
    }

    #[test]
    fn what_is_no_setting_or_weakens_a_verdict_is_refused() {
        for (text, code, said) in [
            ("polcy = \"p\"", "config-unknown-key", "polcy"),
            ("[verify]\npolicy = \"p\"", "config-unknown-key", "verify"),
            ("online = true", "config-unknown-key", "online"),
            ("accept-incomplete-answer = true", "config-weakens", "accept-incomplete-answer"),
            ("accept_incomplete_answer = true", "config-weakens", "accept_incomplete_answer"),
            ("accept = \"withdrawn\"", "config-weakens", "accept"),
            ("partial = true", "config-weakens", "partial"),
            ("allow-extra = [\"*\"]", "config-weakens", "allow-extra"),
            ("no-state = true\npolcy = \"p\"", "config-weakens", "no-state"),
            ("policy = 1", "config-bad-value", "policy"),
            ("policy = \"\"", "config-bad-value", "policy"),
            ("log = \"http://a\\u001b[2J\"", "config-bad-value", "log"),
            ("wait = \"soon\"", "config-bad-value", "wait"),
            ("max-age = \"30\"", "config-bad-value", "max-age"),
            ("policy = ", "config-malformed", "config.toml"),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!((error.code(), error.exit()), (code, Exit::BadInput), "{text}");
            let told = stele_explain::text(&error);
            assert!(told.contains(said) && told.contains("hint: "), "{told}");
            if code == "config-unknown-key" {
                assert!(told.contains("expected: policy, log, key, wait, max-age, expect"), "{told}");
            }
        }
    }

    #[test]
    fn paths_begin_at_the_file_and_other_values_stay() {
        let settings =
            parse("policy = \"policy\"\nkey = \"/keys/a.pem\"\nlog = \"https://log.example\"\nwait = \"5m\"").unwrap();
        let values = Setting::ALL.map(|setting| settings.value(setting));
        assert_eq!(
            values,
            [
                Some("/home/u/.config/stele/policy"),
                Some("https://log.example"),
                Some("/keys/a.pem"),
                Some("5m"),
                None,
                None
            ]
        );
        assert_eq!(parse("# nothing\n").unwrap().values, BTreeMap::new());
    }
}
