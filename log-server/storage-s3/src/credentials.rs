//! By what a store knows who asks: never in a message, a log line or a `Debug` form.

use std::fmt;
use stele_explain::{Exit, Explain, explain};
use zeroize::Zeroizing;

/// The variables of the environment that hold them, as every client of S3 reads them.
pub const VARIABLES: [&str; 3] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];

/// The longest of them in bytes. Session tokens of AWS have about a thousand.
const LONGEST: usize = 8192;

/// An access key with its secret.
#[derive(Clone)]
pub struct Credentials {
    access_key: String,
    secret: Zeroizing<String>,
    token: Option<Zeroizing<String>>,
}

/// Why there are no credentials.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialsError {
    /// None are given.
    #[error("no credentials of the object store: {name} is not set")]
    Missing {
        /// The first that is missing.
        name: &'static str,
    },
    /// One cannot be a header's value.
    #[error("{name} is empty, too long, or has characters other than printable ASCII")]
    Bad {
        /// Which.
        name: &'static str,
    },
    /// A line of the file is none.
    #[error("line {line} of the credentials file: expected `aws_access_key_id = ...` or another of its names")]
    Line {
        /// Which, from 1.
        line: usize,
    },
}

impl Credentials {
    /// Those that a lookup by the names of [`VARIABLES`] gives.
    pub fn from_variables(
        variable: impl Fn(&'static str) -> Option<Zeroizing<String>>,
    ) -> Result<Self, CredentialsError> {
        let [access_key, secret, token] =
            VARIABLES.map(|name| (name, variable(name).filter(|value| !value.is_empty())));
        let needed = |(name, value): (&'static str, Option<Zeroizing<String>>)| {
            checked(name, value.ok_or(CredentialsError::Missing { name })?)
        };
        let access_key = needed(access_key)?.to_string();
        let token = token.1.map(|value| checked(token.0, value)).transpose()?;
        Ok(Self { access_key, secret: needed(secret)?, token })
    }

    /// Those in a file as the tools of AWS write it: a line `[default]`, which may be left out, and lines `name = value`.
    pub fn from_file(text: &str) -> Result<Self, CredentialsError> {
        let mut found: [Option<Zeroizing<String>>; 3] = [None, None, None];
        for (line, text) in (1..).zip(text.lines()) {
            let text = text.trim();
            if text.is_empty() || text.starts_with('#') || text == "[default]" {
                continue;
            }
            let (name, value) = text.split_once('=').ok_or(CredentialsError::Line { line })?;
            let known = VARIABLES.iter().position(|known| known.eq_ignore_ascii_case(name.trim()));
            let place = known.and_then(|at| found.get_mut(at)).filter(|place| place.is_none());
            *place.ok_or(CredentialsError::Line { line })? = Some(Zeroizing::new(value.trim().to_owned()));
        }
        Self::from_variables(|name| found.get(VARIABLES.iter().position(|known| *known == name)?)?.clone())
    }

    /// The access key: a name, and no secret.
    pub(crate) fn access_key(&self) -> &str {
        &self.access_key
    }

    pub(crate) fn secret(&self) -> &str {
        &self.secret
    }

    pub(crate) fn token(&self) -> Option<&str> {
        self.token.as_ref().map(|token| token.as_str())
    }
}

fn checked(name: &'static str, value: Zeroizing<String>) -> Result<Zeroizing<String>, CredentialsError> {
    let fits = value.len() <= LONGEST && value.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { Ok(value) } else { Err(CredentialsError::Bad { name }) }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials")
    }
}

impl Explain for CredentialsError {
    explain! {
        Self::Missing { .. } => Exit::BadInput, "credentials-missing",
            hint: "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a file in `credentials` of [objects]";
        Self::Bad { .. } | Self::Line { .. } => Exit::BadInput, "credentials-invalid";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_as_the_tools_of_aws_write_it() {
        let text = "[default]\n# made by hand\naws_access_key_id = AKID\naws_secret_access_key=se/cret+\n";
        let read = Credentials::from_file(text).unwrap();
        assert_eq!((read.access_key(), read.secret(), read.token()), ("AKID", "se/cret+", None));
        assert!(!format!("{read:?}").contains("cret"));
        for (bad, expected) in [
            ("aws_access_key_id = AKID\n", CredentialsError::Missing { name: VARIABLES[1] }),
            ("aws_access_key_id = AKID\naws_access_key_id = B\n", CredentialsError::Line { line: 2 }),
            ("[other]\n", CredentialsError::Line { line: 1 }),
            ("region = x\n", CredentialsError::Line { line: 1 }),
            ("aws_access_key_id = A B\naws_secret_access_key = x\n", CredentialsError::Bad { name: VARIABLES[0] }),
        ] {
            assert_eq!(Credentials::from_file(bad).unwrap_err(), expected, "{bad}");
        }
    }
}
