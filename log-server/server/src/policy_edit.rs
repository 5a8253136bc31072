//! `policy add-witness`, `policy remove-witness`: one line more or less in the policy file. Everything else in it stays as a person wrote it.

use crate::reachable::{self, Unmeetable};
use stele_explain::{Exit, Explain, explain};
use stele_log_core::log_keys::LogKeys;
use stele_spec::note::{KeyType, UnfitName, VerifierKey, shows};
use stele_spec::policy::{FaultTolerance, Policy, PolicyError, Quorum};

/// The group that is made where a policy has no quorum yet.
const FIRST_GROUP: &str = "witnesses";

/// What `stele-witness about` prints where the witness does not know its address.
const PLACEHOLDER: &str = "WHERE-IT-IS-REACHED";

/// A witness, as a line of a policy names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessLine {
    name: String,
    vkey: String,
    url: String,
}

impl WitnessLine {
    /// Reads `[policy:] [witness] NAME VKEY URL`, as one argument or several.
    pub fn parse(arguments: &[String]) -> Result<Self, EditError> {
        let words: Vec<&str> = arguments.iter().flat_map(|argument| argument.split_whitespace()).collect();
        // As `stele-witness about` prints it.
        let words = words.strip_prefix(&["policy:"]).unwrap_or(&words);
        let words = words.strip_prefix(&["witness"]).unwrap_or(words);
        let [name, vkey, url] = words else { return Err(EditError::Shape { found: words.len() }) };
        let key: VerifierKey = vkey.parse().map_err(|error| EditError::Key { error })?;
        if !matches!(key.key_type(), KeyType::Cosigner | KeyType::MlDsa) {
            return Err(EditError::NotAWitness);
        }
        for name in [name, key.name().as_str()] {
            shows(name).map_err(|reason| EditError::Name { name: name.to_owned(), reason })?;
        }
        if !reachable::is_address(url) {
            return Err(EditError::Address { found: (*url).to_owned() });
        }
        if url.contains(PLACEHOLDER) {
            return Err(EditError::Placeholder { found: (*url).to_owned() });
        }
        Ok(Self { name: (*name).to_owned(), vkey: (*vkey).to_owned(), url: (*url).to_owned() })
    }

    fn text(&self) -> String {
        format!("witness {} {} {}", self.name, self.vkey, self.url)
    }
}

/// A policy that was edited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edited {
    /// The file.
    pub text: String,
    /// What became of the quorum, a line each.
    pub said: Vec<String>,
}

/// Why a policy is not edited. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// Too few or too many words.
    #[error("expected `witness NAME VKEY URL`, found {found} words")]
    Shape {
        /// How many words there are.
        found: usize,
    },
    /// Not a verifier key.
    #[error("the verifier key: {error}")]
    Key {
        /// What is wrong.
        error: stele_spec::note::NoteError,
    },
    /// A log's key.
    #[error("expected the verifier key of a witness, found that of a log")]
    NotAWitness,
    /// A name that a person cannot compare.
    #[error("the name {name:?}: {reason}")]
    Name {
        /// As given.
        name: String,
        /// What is wrong with it.
        reason: UnfitName,
    },
    /// Not an address.
    #[error("expected an address that begins with https:// or http://, found {found:?}")]
    Address {
        /// What was given.
        found: String,
    },
    /// What a group cannot ask for.
    #[error("the threshold: expected a number, `all` or `any`, found {found:?}")]
    Threshold {
        /// What was given.
        found: String,
    },
    /// An address that nobody has filled in.
    #[error("the address of the witness is still to be written: found {found:?}")]
    Placeholder {
        /// What was given.
        found: String,
    },
    /// The witness is in the policy.
    #[error("the policy has a witness {name} already")]
    Known {
        /// Its name there.
        name: String,
    },
    /// Not UTF-8.
    #[error("the policy is not UTF-8")]
    NotText,
    /// What is in the file is no policy already.
    #[error("the policy as it is: {0}")]
    Before(PolicyError),
    /// What would be in the file is no policy.
    #[error("the policy would be refused: {0}")]
    After(PolicyError),
    /// What would be in the file can never be met.
    #[error("{0}")]
    Unmeetable(Unmeetable),
    /// No such witness.
    #[error("the policy has no witness {name}")]
    NoWitness {
        /// As given.
        name: String,
    },
    /// The quorum is no group of that name, or none at all.
    #[error("expected a group that counts, found {found}")]
    NoGroup {
        /// What there is.
        found: String,
    },
    /// It is the one witness that the quorum, or a group, asks for.
    #[error("{name} is the last member of {of}")]
    LastMember {
        /// The witness.
        name: String,
        /// What asks for it.
        of: String,
    },
    /// The group's number is more than the members that are left.
    #[error("group {group} asks for {threshold}, and would have {left} members")]
    TooFewLeft {
        /// The group.
        group: String,
        /// Its number.
        threshold: usize,
        /// How many would be left.
        left: usize,
    },
}

/// Who has a line that is right.
const WITNESS_LINE: &str = "the witness's operator has the line ready: `stele-witness about DIR` prints it";

/// What becomes of a policy that cannot be edited.
const BY_HAND: &str = "nothing was changed; edit the file by hand";

/// How the threshold is named.
const THRESHOLD: &str = "say what it shall ask for with --threshold: a number, `all` or `any`";

impl Explain for EditError {
    explain! {
        Self::Shape { .. } => Exit::BadInput, "not-a-witness-line", hint: WITNESS_LINE;
        Self::Key { .. } | Self::NotAWitness => Exit::BadInput, "not-a-witness-key", hint: WITNESS_LINE;
        Self::Name { .. } => Exit::BadInput, "bad-name",
            hint: "ask the witness's operator for a key under a name that shows";
        Self::Address { .. } => Exit::BadInput, "bad-url", hint: WITNESS_LINE;
        Self::Placeholder { .. } => Exit::BadInput, "bad-url",
            hint: "ask the witness's operator where it is reached, and write that in the place of the capitals";
        Self::Known { .. } => Exit::BadInput, "witness-known",
            hint: "to give it another address or key, take it out with `policy remove-witness` first";
        Self::NotText => Exit::BadInput, "policy-invalid", hint: BY_HAND;
        Self::Before(_) => Exit::WrongPolicy, "policy-invalid", hint: BY_HAND;
        Self::After(_) => Exit::WrongPolicy, "policy-refused", hint: BY_HAND;
        Self::Unmeetable(error) => error;
        Self::NoWitness { .. } => Exit::BadInput, "no-such-witness",
            hint: "name it as its `witness` line does, or by the name in its key";
        Self::NoGroup { .. } => Exit::BadInput, "no-such-group",
            hint: "name a group of the policy with --group, or write a `group` line and a `quorum` line for it";
        Self::LastMember { .. } => Exit::BadInput, "last-member", hint: "add another witness first";
        Self::Threshold { .. } => Exit::BadInput, "bad-threshold", hint: THRESHOLD;
        Self::TooFewLeft { .. } => Exit::BadInput, "quorum-unmeetable", hint: THRESHOLD;
    }
}

/// The policy with a witness more, counted in `group`, or in the quorum's own group. `threshold` is what that group asks for from now on.
pub fn add(
    text: &[u8],
    line: &WitnessLine,
    group: Option<&str>,
    threshold: Option<&str>,
    log: &LogKeys,
) -> Result<Edited, EditError> {
    let (before, mut lines) = read(text)?;
    if place_of(&lines, "witness", &line.name).is_some() {
        return Err(EditError::Known { name: line.name.clone() });
    }
    let quorum = before.as_ref().map(Policy::quorum);
    let name = match (group, quorum) {
        (Some(group), _) => group.to_owned(),
        (None, Some(Quorum::Group { name, .. })) => name.clone(),
        (None, Some(Quorum::Witness(_))) => return Err(EditError::NoGroup { found: "a quorum of one witness".into() }),
        (None, Some(Quorum::None)) => return Err(EditError::NoGroup { found: "`quorum none`".into() }),
        (None, None) => FIRST_GROUP.to_owned(),
    };
    match place_of(&lines, "group", &name) {
        Some(at) => {
            let above = lines.iter().take(at).rposition(|line| first_word(line) == Some("witness"));
            let group = lines.get_mut(at).ok_or(EditError::NotText)?;
            *group = format!("{} {}", group.trim_end(), line.name);
            set_threshold(group, threshold)?;
            lines.insert(above.map_or(at, |above| above + 1), line.text());
        }
        None if before.is_none() && group.is_none() => {
            // Before any quorum is decided, the strictest: each of them.
            lines.push(line.text());
            let mut first = format!("group {name} all {}", line.name);
            set_threshold(&mut first, threshold)?;
            lines.push(first);
            lines.push(format!("quorum {name}"));
        }
        None => return Err(EditError::NoGroup { found: format!("no group {name}") }),
    }
    finish(before.as_ref(), &lines, log)
}

/// The policy without a witness, which may be named as in the policy or as in its key.
pub fn remove(text: &[u8], witness: &str, threshold: Option<&str>, log: &LogKeys) -> Result<Edited, EditError> {
    let (before, mut lines) = read(text)?;
    let before = before.ok_or(EditError::Before(PolicyError::NoQuorum))?;
    let missing = || EditError::NoWitness { name: witness.to_owned() };
    let mut named = before.witnesses().iter().filter(|known| known.name == witness);
    let mut by_key = before.witnesses().iter().filter(|known| known.key.name().as_str() == witness);
    let name =
        named.next().or_else(|| by_key.next().filter(|_| by_key.next().is_none())).ok_or_else(missing)?.name.clone();
    if place_of(&lines, "quorum", &name).is_some() {
        return Err(EditError::LastMember { name, of: "the quorum".into() });
    }
    let counts = |line: &String| {
        first_word(line) == Some("group") && line.split_whitespace().skip(3).any(|member| member == name)
    };
    if let Some(group) = lines.iter_mut().find(|line| counts(line)) {
        let words: Vec<String> = group.split_whitespace().map(str::to_owned).collect();
        let (label, asked) = (words.get(1).cloned().unwrap_or_default(), words.get(2).cloned().unwrap_or_default());
        let left = words.len().saturating_sub(4);
        if left == 0 {
            return Err(EditError::LastMember { name, of: format!("group {label}") });
        }
        *group = without_word(group, &name);
        set_threshold(group, threshold)?;
        if let (None, Ok(asked)) = (threshold, asked.parse::<usize>())
            && asked > left
        {
            return Err(EditError::TooFewLeft { group: label, threshold: asked, left });
        }
    }
    let at = place_of(&lines, "witness", &name).ok_or_else(missing)?;
    lines.remove(at);
    finish(Some(&before), &lines, log)
}

/// The policy, if it has a quorum, and the lines of its file.
fn read(text: &[u8]) -> Result<(Option<Policy>, Vec<String>), EditError> {
    let policy = match Policy::parse(text) {
        Ok(policy) => Some(policy),
        Err(PolicyError::NoQuorum) => None,
        Err(error) => return Err(EditError::Before(error)),
    };
    let text = std::str::from_utf8(text).map_err(|_| EditError::NotText)?;
    Ok((policy, text.lines().map(str::to_owned).collect()))
}

fn finish(before: Option<&Policy>, lines: &[String], log: &LogKeys) -> Result<Edited, EditError> {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let after = Policy::parse(text.as_bytes()).map_err(EditError::After)?;
    reachable::check(&after, log).map_err(EditError::Unmeetable)?;
    let mut said: Vec<String> = before.map(|before| format!("before: {}", quorum_of(before))).into_iter().collect();
    said.push(format!("now:    {}", quorum_of(&after)));
    if FaultTolerance::by_witness(&after).divides {
        said.push(DIVIDES.to_owned());
    }
    Ok(Edited { text, said })
}

/// What is wrong with a quorum that two sets of witnesses without a common member can meet.
pub(crate) const DIVIDES: &str = "warning: no witness has to lie for this log to show two histories, each to half of them: ask for more than half (--threshold)";

/// What a quorum asks for and bears, counted in witnesses and in operators.
fn quorum_of(policy: &Policy) -> String {
    let number = |number: Option<usize>| number.map_or_else(|| "?".to_owned(), |number| number.to_string());
    let counted = |tolerance: FaultTolerance, who: &str| {
        let FaultTolerance { of, needed, byzantine, crashed, .. } = tolerance;
        format!("{} of {of} {who}, {} may be down, {} may lie", number(needed), number(crashed), number(byzantine))
    };
    let operators = FaultTolerance::by_operator(policy);
    format!("{}; {}", counted(FaultTolerance::by_witness(policy), "witnesses"), counted(operators, "operators"))
}

fn first_word(line: &str) -> Option<&str> {
    line.split([' ', '\t']).find(|word| !word.is_empty())
}

/// The line that begins with these two words.
fn place_of(lines: &[String], keyword: &str, name: &str) -> Option<usize> {
    lines.iter().position(|line| {
        let mut words = line.split([' ', '\t']).filter(|word| !word.is_empty());
        words.next() == Some(keyword) && words.next() == Some(name)
    })
}

/// The line without a member; the blanks between the others stay.
fn without_word(line: &str, name: &str) -> String {
    let mut parts: Vec<&str> = line.split(' ').collect();
    if let Some(at) = parts.iter().rposition(|part| *part == name) {
        parts.remove(at);
        return parts.join(" ");
    }
    // Blanks that are tabs.
    let words: Vec<&str> = line.split_whitespace().filter(|word| *word != name).collect();
    words.join(" ")
}

fn set_threshold(group: &mut String, threshold: Option<&str>) -> Result<(), EditError> {
    let Some(threshold) = threshold else { return Ok(()) };
    let number = !threshold.is_empty() && threshold.bytes().all(|byte| byte.is_ascii_digit());
    if !number && !matches!(threshold, "all" | "any") {
        return Err(EditError::Threshold { found: threshold.to_owned() });
    }
    let mut words: Vec<&str> = group.split_whitespace().collect();
    if let Some(word) = words.get_mut(2) {
        *word = threshold;
    }
    *group = words.join(" ");
    Ok(())
}

#[cfg(test)]
mod tests;
