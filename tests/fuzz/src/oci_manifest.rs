//! What a registry sends: a manifest or list, a challenge, an archive, a reference; the first byte picks the reader. Nothing panics, what is bounded stays so, and
//! an archive has the same members however its bytes come.

use std::io::Read;

use stele_oci::archive::{self, ArchiveLimits, Member};
use stele_oci::challenge::Challenge;
use stele_oci::{Document, Reference};

/// A reader that gives a byte at a time.
struct Slowly<'a>(&'a [u8]);

impl Read for Slowly<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let most = into.len().min(1);
        self.0.read(&mut into[..most])
    }
}

/// The members, or that there are none that count.
fn members(from: &mut dyn Read) -> Option<Vec<Member>> {
    let limits = ArchiveLimits { members: 100, bytes: 1 << 20 };
    let mut found = Vec::new();
    archive::read(from, limits, &mut |member| found.push(member)).ok()?;
    assert!(found.len() <= 100);
    Some(found)
}

/// One input.
pub fn run(data: &[u8]) {
    let Some((which, bytes)) = data.split_first() else { return };
    match which % 4 {
        0 => {
            if let Ok(Document::Image(image)) = Document::parse(bytes, None) {
                assert!(image.layers.len() <= 20_000);
                // What it says of itself is what it is served as.
                assert_eq!(Document::parse(bytes, Some(&image.media_type)), Ok(Document::Image(image)));
            }
        }
        1 => assert_eq!(members(&mut &bytes[..]), members(&mut Slowly(bytes))),
        2 => {
            let Ok(text) = std::str::from_utf8(bytes) else { return };
            let _ = Challenge::parse(text);
        }
        _ => {
            let Ok(text) = std::str::from_utf8(bytes) else { return };
            let Ok(reference) = text.parse::<Reference>() else { return };
            assert_eq!(reference.to_string().to_ascii_lowercase(), text.to_ascii_lowercase());
            assert_eq!(reference.to_string().parse(), Ok(reference));
        }
    }
}
