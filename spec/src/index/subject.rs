//! Reading a subject: `kind text`, as it is written in a proof.

use core::fmt;
use core::str::FromStr;

use super::key::{Kind, Subject};
use crate::hash::Digest;
use crate::name::{Coordinate, MAX_COORDINATE, Model, NameError, Publisher, Version};
use crate::text::HexError;

/// The longest subject as text: the longest kind, a space and the longest coordinate.
pub const MAX_SUBJECT: usize = 6 + 1 + MAX_COORDINATE;

impl FromStr for Kind {
    type Err = SubjectError;

    fn from_str(text: &str) -> Result<Self, SubjectError> {
        let kinds = [Self::Name, Self::About, Self::Under, Self::Digest];
        kinds.into_iter().find(|kind| kind.as_str() == text).ok_or(SubjectError::Kind)
    }
}

impl FromStr for Subject {
    type Err = SubjectError;

    /// Reads `kind text`: `name acme.example/tiny@1.0.2#base`.
    fn from_str(text: &str) -> Result<Self, SubjectError> {
        let (kind, text) = text.split_once(' ').ok_or(SubjectError::Kind)?;
        Self::read(kind.parse()?, text)
    }
}

impl Subject {
    /// Reads the text of a subject of this kind: `read(s.kind(), s.text()) == s`.
    pub fn read(kind: Kind, text: &str) -> Result<Self, SubjectError> {
        match kind {
            Kind::Name if text.contains('#') => Ok(Self::release(&text.parse::<Coordinate>()?)),
            Kind::Name => Ok(Self::publisher(&text.parse::<Publisher>()?)),
            Kind::About if text.contains('#') => Ok(Self::about_release(&text.parse::<Coordinate>()?)),
            Kind::About => Ok(Self::about_publisher(&text.parse::<Publisher>()?)),
            Kind::Under => under(text),
            Kind::Digest => Ok(Self::digest(&Digest::from_hex(text)?)),
        }
    }
}

/// A prefix of a coordinate. What reads as an account on a host and as a model of it is one subject, however it is read.
fn under(text: &str) -> Result<Subject, SubjectError> {
    let parts = |text: &str| -> Result<(Publisher, Model), NameError> {
        let (publisher, model) = text.rsplit_once('/').unwrap_or((text, ""));
        Ok((publisher.parse()?, model.parse()?))
    };
    if let Some((name, version)) = text.split_once('@') {
        let ((publisher, model), version) = (parts(name)?, version.parse::<Version>()?);
        return Ok(Subject::under_version(&publisher, &model, &version));
    }
    if let Ok(publisher) = text.parse::<Publisher>() {
        return Ok(Subject::under_publisher(&publisher));
    }
    let (publisher, model) = parts(text)?;
    Ok(Subject::under_model(&publisher, &model))
}

/// Why text is not a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubjectError {
    /// It does not begin with a kind and a space.
    Kind,
    /// Not a name of its kind.
    Name(NameError),
    /// Not a digest.
    Digest(HexError),
}

impl From<NameError> for SubjectError {
    fn from(error: NameError) -> Self {
        Self::Name(error)
    }
}

impl From<HexError> for SubjectError {
    fn from(error: HexError) -> Self {
        Self::Digest(error)
    }
}

impl fmt::Display for SubjectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind => f.write_str("expected name, about, under or digest, a space, and a subject"),
            Self::Name(error) => error.fmt(f),
            Self::Digest(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for SubjectError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_subject_is_refused() {
        for text in [
            "",
            "name",
            "name ",
            "Name acme.example",
            " name acme.example",
            "name  acme.example",
            "name acme.example ",
            "name acme.example\n",
            "name acme",
            "name ACME.example",
            "name acme.example/tiny@1.0.2",
            "name acme.example/tiny@1.0.2#",
            "about acme.example/a/b",
            "under acme.example/tiny@1.0.2#base",
            "under acme.example@1.0.2",
            "under huggingface.co/acme/tiny/more",
            "under acme.example/",
            "under acme.example/tiny@",
            "under acme.example/tiny@1@2",
            "digest acme.example",
            "digest BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD",
        ] {
            assert!(text.parse::<Subject>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn every_subject_is_read_back() {
        for name in ["acme.example/tiny@1.0.2#base", "huggingface.co/acme/tiny@1.0.2#base"] {
            let coordinate: Coordinate = name.parse().unwrap();
            let Coordinate { publisher, model, version, .. } = &coordinate;
            for subject in [
                Subject::release(&coordinate),
                Subject::publisher(publisher),
                Subject::about_release(&coordinate),
                Subject::about_publisher(publisher),
                Subject::under_publisher(publisher),
                Subject::under_model(publisher, model),
                Subject::under_version(publisher, model, version),
                Subject::digest(&Digest::of(name.as_bytes())),
            ] {
                assert_eq!(subject.to_string().parse(), Ok(subject.clone()), "{subject}");
                assert_eq!(Subject::read(subject.kind(), subject.text()), Ok(subject));
            }
        }
    }

    proptest! {
        #[test]
        fn what_parses_is_written_back_as_it_was(text in "(name|about|under|digest) [a-f0-9./@#]{0,24}") {
            if let Ok(subject) = text.parse::<Subject>() {
                prop_assert_eq!(subject.to_string(), text);
            }
        }
    }
}
