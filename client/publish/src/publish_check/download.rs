//! What a download that failed leaves in the place of a file: nothing, zeros, the beginning of JSON, or what the host answered.

use std::fs::File;
use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use serde::de::IgnoredAny;
use serde_json::Value;

/// The longest answer of a host that is looked at, in bytes.
const MAX_ANSWER: u64 = 4 << 10;
/// The longest line that is an answer, in characters.
const MAX_LINE: usize = 200;
/// The largest JSON that is read to its end: a tokenizer of a quarter of a million words is shorter.
const MAX_JSON: u64 = 128 << 20;
/// The beginning that is there although nothing else came.
pub(super) const BEGINNING: u64 = 512;

/// Ends of an answer in a line: reasons of HTTP (RFC 9110 section 15), and what hubs say.
const REASONS: [&str; 11] = [
    "not found",
    "bad request",
    "unauthorized",
    "forbidden",
    "too many requests",
    "internal server error",
    "bad gateway",
    "service unavailable",
    "gateway timeout",
    "invalid username or password",
    "access denied",
];

/// What an answer in JSON says first.
const SAID: [&str; 4] = ["error", "errors", "message", "detail"];
/// What it may have beside that.
const BESIDE: [&str; 11] = [
    "code",
    "documentation_url",
    "ok",
    "path",
    "request_id",
    "requestid",
    "status",
    "status_code",
    "statuscode",
    "timestamp",
    "type",
];

/// Whether every byte from a place on is zero, and there is one.
pub(super) fn is_zeros(path: &Path, from: u64) -> io::Result<bool> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(from))?;
    let mut some = false;
    let mut block = vec![0; 64 << 10];
    loop {
        let read = file.read(&mut block)?;
        let bytes = block.get(..read).unwrap_or_default();
        if bytes.is_empty() || bytes.iter().any(|byte| *byte != 0) {
            return Ok(some && bytes.is_empty());
        }
        some = true;
    }
}

/// Whether a file is JSON that ends before its value does. Other mistakes are no sign of a download: people write comments and commas.
pub(super) fn is_cut_json(path: &Path, size: u64) -> io::Result<bool> {
    if size > MAX_JSON {
        return Ok(false);
    }
    let read = serde_json::from_reader::<_, IgnoredAny>(BufReader::new(File::open(path)?));
    Ok(read.is_err_and(|error| error.is_eof()))
}

/// What a short file is that is no file of a model: an answer of a host, or JSON of one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Short {
    /// `404: Not Found`, `{"error": "Repository not found"}`, a page of errors in XML.
    Answer,
    /// `null`, a number, a text.
    Word,
}

/// What a short file is, if it is one of these.
pub(super) fn short(path: &Path, size: u64) -> io::Result<Option<Short>> {
    if size > MAX_ANSWER {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_ANSWER).read_to_end(&mut bytes)?;
    Ok(std::str::from_utf8(&bytes).ok().and_then(of_text))
}

fn of_text(text: &str) -> Option<Short> {
    let text = text.trim_start_matches('\u{feff}').trim();
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Array(_)) => None,
        Ok(Value::Object(fields)) => {
            let says = |name: &String, value: &Value| {
                SAID.contains(&name.to_lowercase().as_str()) && !value.is_number() && !value.is_boolean()
            };
            let is_beside = |name: &String| BESIDE.contains(&name.to_lowercase().as_str());
            let all = fields.iter().all(|(name, value)| says(name, value) || is_beside(name));
            (all && fields.iter().any(|(name, value)| says(name, value))).then_some(Short::Answer)
        }
        Ok(_) => Some(Short::Word),
        Err(_) => is_answer(text).then_some(Short::Answer),
    }
}

/// Whether a text is a line such as `404: Not Found`, or the XML in which stores of objects say an error.
fn is_answer(text: &str) -> bool {
    if text.starts_with('<') {
        return text.contains("<Error>") && text.contains("<Code>");
    }
    let line = text.to_lowercase();
    let is_line = line.chars().count() <= MAX_LINE && !line.contains(['\n', '{', '#']);
    let said = line.trim_end_matches(['.', '!']);
    is_line
        && (REASONS.iter().any(|reason| said.ends_with(reason))
            || line.starts_with("access to ") && line.contains(" is restricted"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_a_host_is_known_and_a_short_file_of_a_model_is_none() {
        for text in [
            r#"{"error":"Repository not found"}"#,
            r#"{"error":"Invalid credentials in Authorization header"}"#,
            r#"{"message":"Not Found","documentation_url":"https://docs.example/rest","status":"404"}"#,
            r#"{"detail": "Not Found"}"#,
            r#"{"errors": [{"code": "MANIFEST_UNKNOWN"}]}"#,
            "404: Not Found",
            "HTTP/1.1 404 Not Found\r\n",
            "Entry not found",
            "Invalid username or password.",
            "Access to model acme/tiny is restricted. You must be authenticated to access it.",
            "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>",
        ] {
            assert_eq!(of_text(text), Some(Short::Answer), "{text}");
        }
        for text in ["null", "\"tiny\"", " 404\n"] {
            assert_eq!(of_text(text), Some(Short::Word), "{text}");
        }
        for text in [
            "{}",
            "[]",
            r#"{"model_type": "llama"}"#,
            r#"{"type": "act"}"#,
            r#"{"error": 0, "message": 1, "not": 2}"#,
            r#"{"error": 0, "message": 1}"#,
            r#"{"error": "x", "model_type": "llama"}"#,
            "# Not found",
            "#version: 0.2\nn o t\nf ound",
            "{% if not found %}not found",
            "Apache-2.0",
            "<?xml version=\"1.0\"?><net name=\"tiny\"/>",
            "",
        ] {
            assert_eq!(of_text(text), None, "{text}");
        }
    }

    #[test]
    fn zeros_and_cut_json_are_known() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let write = |bytes: &[u8]| std::fs::write(file.path(), bytes).unwrap();
        for (bytes, from, expected) in [
            (vec![0; 200_000], 0, true),
            ([vec![0; 100_000], vec![1]].concat(), 0, false),
            ([vec![7; 512], vec![0; 70_000]].concat(), 512, true),
            ([vec![7; 513], vec![0; 70_000]].concat(), 512, false),
            (vec![7; 512], 512, false),
            (Vec::new(), 0, false),
        ] {
            write(&bytes);
            assert_eq!(is_zeros(file.path(), from).unwrap(), expected, "{} bytes", bytes.len());
        }
        for (text, expected) in [
            (r#"{"version":"1.0","trunc"#, true),
            (r#"{"a": [1, 2"#, true),
            (r#"{"a": 1,}"#, false),
            ("{\"a\": NaN}", false),
            ("{\"a\": 1}\n{\"b\": 2}\n", false),
            ("// words\n{}", false),
            ("{}", false),
        ] {
            write(text.as_bytes());
            assert_eq!(is_cut_json(file.path(), text.len() as u64).unwrap(), expected, "{text}");
        }
    }
}
