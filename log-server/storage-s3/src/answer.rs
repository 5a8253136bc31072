//! What an answer of the service says: AWS's words, and those of MinIO and versitygw where they are others.

use stele_explain::{Exit, Explain, explain};
use stele_fetch::http_client::{HttpError, Response, status_line};
use stele_object_store::bucket::{BucketError, Trouble};

/// The most bytes of an error's document, and of its code.
pub(crate) const MAX_ERROR: u64 = 64 << 10;
const MAX_CODE: usize = 64;

/// A request to which the service gave no bytes.
#[derive(Debug, thiserror::Error)]
pub(crate) enum S3Error {
    /// An error in the service's words.
    #[error("{what}: {} {code}", status_line(*status))]
    Answer {
        /// What was asked of which object. No secret is in it.
        what: String,
        status: u16,
        /// The code of the error's document; empty where there is none.
        code: String,
    },
    /// An answer that lacks what it must have.
    #[error("{what}: expected {expected} in the answer, found none")]
    Incomplete { what: String, expected: &'static str },
    /// The object is longer than may be read.
    #[error("{what}: it is longer than {limit} bytes")]
    TooLarge { what: String, limit: u64 },
    /// No answer.
    #[error("{what}: {error}")]
    Http {
        what: String,
        #[source]
        error: HttpError,
    },
}

/// What an answer other than success is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// The condition does not hold.
    ConditionFailed,
    /// There is no such object.
    NoObject,
    /// It will not be done.
    Refused,
    /// It may have been done, or may be done when it is asked again.
    Unclear,
}

/// The code of an error's document, `<Error><Code>NoSuchKey</Code>...`. An answer to `HEAD` has none.
pub(crate) fn code(answer: &Response) -> String {
    let code = between(&answer.body, "<Code>", "</Code>").next().unwrap_or_default();
    let known = code.len() <= MAX_CODE && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if known { code.to_owned() } else { String::new() }
}

/// What a status and a code say.
pub(crate) fn said(status: u16, code: &str, is_head: bool) -> Said {
    match (status, code) {
        (412, _) | (304, _) => Said::ConditionFailed,
        (404, "NoSuchKey" | "NoSuchObject" | "NotFound") => Said::NoObject,
        // Without a body nothing tells a missing object from a missing bucket; the probe has told before.
        (404, "") if is_head => Said::NoObject,
        // AWS has it for a body that came too slowly.
        (400, "RequestTimeout") => Said::Unclear,
        // What stands before a service answers 404 or 403 for itself, without the service's words: that is no absence and no decision.
        (403 | 404, "") if !is_head => Said::Unclear,
        (408 | 409 | 425 | 429, _) => Said::Unclear,
        (501, "NotImplemented") => Said::Refused,
        (300..=499, _) => Said::Refused,
        _ => Said::Unclear,
    }
}

/// What stands between two marks, each time. The names and codes that we read hold no character that XML writes otherwise.
pub(crate) fn between<'a>(bytes: &'a [u8], open: &'static str, close: &'static str) -> impl Iterator<Item = &'a str> {
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    text.split(open).skip(1).filter_map(move |rest| rest.split(close).next())
}

impl S3Error {
    /// The error of a request whose answer was none of those that it may have.
    pub(crate) fn of(what: &str, answer: &Response, is_head: bool) -> BucketError {
        let (status, code) = (answer.status, code(answer));
        let trouble = match said(status, &code, is_head) {
            Said::Refused => Trouble::Refused,
            Said::ConditionFailed | Said::NoObject | Said::Unclear => Trouble::Unclear,
        };
        BucketError::new(trouble, Self::Answer { what: what.to_owned(), status, code })
    }

    /// The error of a request that had no answer.
    pub(crate) fn unanswered(what: &str, error: HttpError, limit: u64) -> BucketError {
        let what = what.to_owned();
        match error {
            HttpError::TooLarge { .. } => BucketError::new(Trouble::TooLarge, Self::TooLarge { what, limit }),
            HttpError::BadUrl { .. } | HttpError::Roots(_) => {
                BucketError::new(Trouble::Refused, Self::Http { what, error })
            }
            error => BucketError::new(Trouble::Unclear, Self::Http { what, error }),
        }
    }

    pub(crate) fn incomplete(what: &str, expected: &'static str) -> BucketError {
        BucketError::new(Trouble::Unclear, Self::Incomplete { what: what.to_owned(), expected })
    }
}

impl Explain for S3Error {
    explain! {
        Self::Answer { code, .. } if code == "NoSuchBucket" => Exit::Unavailable, "no-bucket",
            hint: "make the bucket, and turn its versioning off; is its name right?";
        Self::Answer { code, .. } if code == "RequestTimeTooSkewed" => Exit::Unavailable, "clock-skewed",
            hint: "set this machine's clock: the store takes requests of the last 15 minutes";
        Self::Answer { status: 301 | 307 | 400, .. } => Exit::Unavailable, "objects-refused",
            hint: "are `endpoint` and `region` those of the bucket?";
        Self::Answer { status: 401 | 403, .. } => Exit::Unavailable, "access-denied",
            hint: "are these the credentials of the store, and may they read, list, put and delete in the bucket?";
        Self::Answer { status: 501, .. } => Exit::Unsupported, "objects-not-conditional",
            hint: "the store takes no conditional writes: a log cannot be kept in it";
        Self::Answer { .. } | Self::Incomplete { .. } => Exit::Unavailable, "objects-unavailable",
            hint: "the store answers with an error of its own: try again later";
        Self::TooLarge { .. } => Exit::Io, "object-too-large";
        Self::Http { error, .. } => error;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_service_is_understood_in_its_own_words() {
        for (status, code, is_head, expected) in [
            (412, "PreconditionFailed", false, Said::ConditionFailed),
            (404, "NoSuchKey", false, Said::NoObject),
            (404, "", true, Said::NoObject),
            // AWS: two writes of one name at a time. It is no conflict: nothing may be there.
            (409, "ConditionalRequestConflict", false, Said::Unclear),
            (409, "OperationAborted", false, Said::Unclear),
            (503, "SlowDown", false, Said::Unclear),
            (503, "XMinioServerNotInitialized", false, Said::Unclear),
            (507, "XMinioStorageFull", false, Said::Unclear),
            (500, "InternalError", false, Said::Unclear),
            (400, "RequestTimeout", false, Said::Unclear),
            (403, "SignatureDoesNotMatch", false, Said::Refused),
            (404, "NoSuchBucket", false, Said::Refused),
            (400, "InvalidArgument", false, Said::Refused),
            (301, "PermanentRedirect", false, Said::Refused),
            (501, "NotImplemented", false, Said::Refused),
            // What stands before the service speaks for itself.
            (404, "", false, Said::Unclear),
            (403, "", false, Said::Unclear),
            (502, "", false, Said::Unclear),
        ] {
            assert_eq!(said(status, code, is_head), expected, "{status} {code}");
        }
    }

    #[test]
    fn what_is_between_two_marks_is_found_in_any_bytes() {
        let found = |text: &'static str| between(text.as_bytes(), "<Key>", "</Key>").collect::<Vec<_>>();
        assert_eq!(found("<Key>a</Key><Key>b</Key>"), ["a", "b"]);
        assert_eq!(found("<Key>"), [""]);
        assert!(found("").is_empty());
        assert!(between(b"\xff<Key>a</Key>", "<Key>", "</Key>").next().is_none());
    }
}
