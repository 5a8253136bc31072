//! The body of a request that brings entries to a mirror.

// The parser alone: with the whole mirror, the sanitizers would have a web server and TLS to build.
#[allow(dead_code)]
#[path = "../../../witness/mirror/src/upload.rs"]
mod upload;

/// One input.
pub fn run(data: &[u8]) {
    let mut body = data;
    let Ok(upload) = upload::Upload::read(&mut body) else { return };
    let mut bytes = upload.to_bytes();
    let mut next = upload.start;
    while next < upload.end {
        let Some(package) = upload::Package::read(&mut body, next, upload.end) else { return };
        bytes.extend(package.to_bytes());
        next = package.end();
    }
    // What was read whole is written as it was.
    assert_eq!(data.strip_suffix(body), Some(&bytes[..]));
}
