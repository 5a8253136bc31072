//! Parts of files, as the method `shards` names them: `path:start:end` (section 6.3.2).

use core::ops::Range;

use stele_spec::text;

/// A resource's name taken apart: the last two numbers are the part, since a path may have colons.
pub fn parse(name: &str) -> Option<(&str, Range<u64>)> {
    let (rest, end) = name.rsplit_once(':')?;
    let (path, start) = rest.rsplit_once(':')?;
    Some((path, text::decimal(start).ok()?..text::decimal(end).ok()?))
}

/// The name of a part.
pub fn format(path: &str, part: &Range<u64>) -> String {
    format!("{path}:{}:{}", part.start, part.end)
}

/// The parts of a file of so many bytes, in their order; an empty file has none.
pub fn parts(length: u64, size: u64) -> impl Iterator<Item = Range<u64>> {
    let size = size.max(1);
    (0..length.div_ceil(size)).map(move |at| at * size..length.min((at + 1).saturating_mul(size)))
}

/// Whether these are all the parts of one file, in any order: then the length of it.
pub fn length(parts: &mut [Range<u64>], size: u64) -> Option<u64> {
    parts.sort_unstable_by_key(|part| part.start);
    let length = parts.last()?.end;
    let is_whole = u64::try_from(parts.len()).ok()? == length.div_ceil(size)
        && parts.iter().zip(self::parts(length, size)).all(|(found, expected)| *found == expected);
    is_whole.then_some(length)
}

#[cfg(test)]
#[allow(clippy::single_range_in_vec_init, reason = "a list of one part")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_last_two_numbers_are_the_part() {
        assert_eq!(parse("a:b:0:20"), Some(("a:b", 0..20)));
        for name in ["a", "a:0", "a:0:", "a:00:1", "a:+0:1", "a:0:1:b", "a:0:18446744073709551616"] {
            assert_eq!(parse(name), None, "{name}");
        }
    }

    #[test]
    #[allow(clippy::reversed_empty_ranges, reason = "one that goes back is what is refused")]
    fn a_file_is_all_of_its_parts() {
        assert_eq!(length(&mut [20..30, 0..10, 10..20, 30..33], 10), Some(33));
        for parts in [
            &[][..],
            &[10..20],
            &[0..10, 20..30],
            &[0..10, 0..10],
            &[0..5, 5..10],
            &[0..10, 10..10],
            &[0..10, 10..21],
            &[0..10, 5..15],
            &[0..10, 20..10],
        ] {
            assert_eq!(length(&mut parts.to_vec(), 10), None, "{parts:?}");
        }
        assert_eq!(length(&mut [0..u64::MAX], 1), None);
    }

    proptest! {
        #[test]
        fn parts_are_put_together_again(length in 1_u64..10_000, size in 1_u64..2_000) {
            let mut found: Vec<_> = parts(length, size).collect();
            for part in &found {
                let name = format("a:b", part);
                prop_assert_eq!(parse(&name), Some(("a:b", part.clone())));
            }
            found.reverse();
            prop_assert_eq!(super::length(&mut found, size), Some(length));
            found.remove(0);
            prop_assert_eq!(super::length(&mut found, size), None);
        }
    }
}
