//! The four parts of an error as a table: each kind of the error stands in one row.

/// The methods of [`Explain`](crate::Explain), from one row for each pattern of `self`.
///
/// A row is `PATTERN => EXIT, CODE`, then `hint: TEXT` and its facts if there are any, and ends with `;`. A hint is text or an
/// `Option<String>`. Facts are `"name": VALUE`, where the value is anything that can be displayed, or the whole list as `facts: LIST`.
/// The row `PATTERN => ERROR;` takes all four parts from another explained error, which is given by reference.
///
/// The patterns are tried in order, and all of them together cover `self`, as in a `match`. What a pattern binds may be used in
/// each part of its row; no part is computed before it is asked for.
///
/// ```
/// use stele_explain::{Exit, Explain, explain};
///
/// #[derive(Debug, thiserror::Error)]
/// enum CopyError {
///     #[error("reading the copy")]
///     Read(#[from] ReadError),
///     #[error("the copy differs")]
///     Differs { expected: u64, found: u64 },
/// }
///
/// impl Explain for CopyError {
///     explain! {
///         Self::Read(error) => error;
///         Self::Differs { expected, found } => Exit::BytesDiffer, "bytes-differ", hint: "copy it again",
///             "expected": expected, "found": found;
///     }
/// }
///
/// #[derive(Debug, thiserror::Error)]
/// #[error("no copy")]
/// struct ReadError;
///
/// impl Explain for ReadError {
///     explain! { Self => Exit::BadInput, "file-missing"; }
/// }
///
/// let error = CopyError::Differs { expected: 2, found: 1 };
/// assert_eq!((error.exit(), error.code()), (Exit::BytesDiffer, "bytes-differ"));
/// assert_eq!(error.facts(), [("expected", "2".to_owned()), ("found", "1".to_owned())]);
/// assert_eq!(CopyError::from(ReadError).code(), "file-missing");
/// ```
#[macro_export]
macro_rules! explain {
    (@exit $error:expr) => { $crate::Explain::exit($error) };
    (@exit $exit:expr, $code:expr) => { $exit };
    (@code $error:expr) => { $crate::Explain::code($error) };
    (@code $exit:expr, $code:expr) => { $code };
    (@hint $error:expr) => { $crate::Explain::hint($error) };
    (@hint $exit:expr, $code:expr) => { ::core::option::Option::None };
    (@hint $exit:expr, $code:expr, $hint:expr) => { $crate::Hint::from($hint).0 };
    (@facts $error:expr;) => { $crate::Explain::facts($error) };
    (@facts $exit:expr, $code:expr; $list:expr) => { $list };
    (@facts $exit:expr, $code:expr; $($name:literal : $value:expr),*) => {
        ::std::vec![$(($name, ::std::string::ToString::to_string(&$value))),*]
    };
    ($($pattern:pat $(if $guard:expr)? => $first:expr $(,
        $code:expr $(, hint: $hint:expr)? $(, facts: $list:expr)? $(, $name:literal : $value:expr)*
    )?;)+) => {
        #[allow(unused_variables)]
        fn exit(&self) -> $crate::Exit {
            match self {
                $($pattern $(if $guard)? => $crate::explain!(@exit $first $(, $code)?),)+
            }
        }

        #[allow(unused_variables)]
        fn code(&self) -> &'static str {
            match self {
                $($pattern $(if $guard)? => $crate::explain!(@code $first $(, $code)?),)+
            }
        }

        #[allow(unused_variables)]
        fn hint(&self) -> ::core::option::Option<::std::string::String> {
            match self {
                $($pattern $(if $guard)? => $crate::explain!(@hint $first $(, $code $(, $hint)?)?),)+
            }
        }

        #[allow(unused_variables)]
        fn facts(&self) -> ::std::vec::Vec<(&'static str, ::std::string::String)> {
            match self {
                $($pattern $(if $guard)? => $crate::explain!(
                    @facts $first $(, $code)?; $($($list)? $($name : $value),*)?
                ),)+
            }
        }
    };
}

/// What a row of [`explain!`](crate::explain!) has as its hint.
#[doc(hidden)]
#[derive(Debug)]
pub struct Hint(pub Option<String>);

impl From<&str> for Hint {
    fn from(text: &str) -> Self {
        Self(Some(text.to_owned()))
    }
}

impl From<String> for Hint {
    fn from(text: String) -> Self {
        Self(Some(text))
    }
}

impl From<Option<String>> for Hint {
    fn from(text: Option<String>) -> Self {
        Self(text)
    }
}

#[cfg(test)]
mod tests {
    use crate::{Exit, Explain};

    #[derive(Debug)]
    enum Kind {
        Full { free: u64 },
        Named(&'static str),
        Inner(Box<Kind>),
        Silent,
    }

    impl std::fmt::Display for Kind {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a kind of error")
        }
    }

    impl std::error::Error for Kind {}

    impl Explain for Kind {
        explain! {
            Self::Full { free: 0 } => Exit::Io, "disk-full", hint: "free space";
            Self::Full { free } => Exit::Io, "disk-nearly-full", hint: format!("{free} bytes are left"),
                "expected": "more than that", "found": free;
            Self::Named(name) if name.is_empty() => Exit::BadInput, "no-name", hint: None,
                facts: vec![("name", "empty".to_owned()); 2];
            Self::Named(name) => Exit::Usage, name, "name": name;
            Self::Inner(error) => error.as_ref();
            Self::Silent => Exit::Internal, "silent";
        }
    }

    type Parts = (Exit, &'static str, Option<String>, Vec<(&'static str, String)>);

    fn parts(error: &Kind) -> Parts {
        (error.exit(), error.code(), error.hint(), error.facts())
    }

    #[test]
    fn each_kind_says_what_stands_in_its_row_and_an_inner_error_says_all_of_its_own() {
        let cases: [(Kind, Parts); 5] = [
            (Kind::Silent, (Exit::Internal, "silent", None, vec![])),
            (Kind::Full { free: 0 }, (Exit::Io, "disk-full", Some("free space".into()), vec![])),
            (
                Kind::Full { free: 7 },
                (
                    Exit::Io,
                    "disk-nearly-full",
                    Some("7 bytes are left".into()),
                    vec![("expected", "more than that".into()), ("found", "7".into())],
                ),
            ),
            (Kind::Named(""), (Exit::BadInput, "no-name", None, vec![("name", "empty".into()); 2])),
            (Kind::Named("other"), (Exit::Usage, "other", None, vec![("name", "other".into())])),
        ];
        for (error, expected) in cases {
            assert_eq!(parts(&error), expected, "{error:?}");
            let outer = Kind::Inner(Box::new(error));
            assert_eq!(parts(&outer), expected, "{outer:?}");
        }
    }
}
