//! Arrays of NumPy: the header says what their items are, and items that are objects follow as a pickle.

/// How much of a file its header needs, for the question that is asked here.
pub const HEAD: u64 = 512;

/// Whether an array, by its beginning, is one of objects: to load it is to run the pickle behind its header.
pub fn holds_pickle(head: &[u8]) -> bool {
    let Some([major, _, rest @ ..]) = head.strip_prefix(b"\x93NUMPY").filter(|_| head.len() > 8) else { return false };
    // The length of the header has two bytes in the first version, and four in the later ones.
    let header = rest.get(if *major == 1 { 2 } else { 4 }..).unwrap_or_default();
    let header = header.split(|byte| *byte == b'\n').next().unwrap_or_default();
    header.split(|byte| matches!(byte, b'\'' | b'"')).any(is_object)
}

/// How many bytes an array must have by its header, the header among them; nothing where its items have several parts or the header is longer than what
/// is here.
pub fn length(head: &[u8]) -> Option<u64> {
    let (begin, header) = match head.strip_prefix(b"\x93NUMPY")? {
        [1, _, a, b, header @ ..] => (10 + u64::from(u16::from_le_bytes([*a, *b])), header),
        [_, _, a, b, c, d, header @ ..] => (12 + u64::from(u32::from_le_bytes([*a, *b, *c, *d])), header),
        _ => return None,
    };
    let header = std::str::from_utf8(header.split(|byte| *byte == b'\n').next()?).ok()?;
    let item = header.split_once("'descr':")?.1.trim_start().strip_prefix('\'')?.split('\'').next()?;
    let item = item.trim_start_matches(['<', '>', '|', '=']);
    let (kind, width) = (item.get(..1)?, item.get(1..)?.parse::<u64>().ok()?);
    let width = match kind {
        "b" | "i" | "u" | "f" | "c" | "S" | "V" | "M" | "m" => width,
        "U" => width.checked_mul(4)?,
        _ => return None,
    };
    let shape = header.split_once("'shape':")?.1.trim_start().strip_prefix('(')?.split_once(')')?.0;
    let mut sides = shape.split(',').map(str::trim).filter(|side| !side.is_empty());
    let numbers = sides.try_fold(1_u64, |product, side| product.checked_mul(side.parse().ok()?))?;
    begin.checked_add(numbers.checked_mul(width)?)
}

/// `|O`, as NumPy writes it, and what else it reads so: another order of bytes, a size, the word.
fn is_object(word: &[u8]) -> bool {
    let word = word.strip_prefix(b"|").or_else(|| word.strip_prefix(b"<")).unwrap_or(word);
    let word = word.strip_prefix(b">").or_else(|| word.strip_prefix(b"=")).unwrap_or(word);
    word == b"object" || word.strip_prefix(b"O").is_some_and(|size| size.iter().all(u8::is_ascii_digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array(descr: &str) -> Vec<u8> {
        let header = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': (), }}\n");
        [&b"\x93NUMPY\x01\0"[..], &(header.len() as u16).to_le_bytes(), header.as_bytes()].concat()
    }

    #[test]
    fn an_array_is_as_long_as_its_header_says() {
        let of = |descr: &str, shape: &str| {
            let header = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n");
            length(&[&b"\x93NUMPY\x01\0"[..], &(header.len() as u16).to_le_bytes(), header.as_bytes()].concat())
                .map(|length| length - 10 - header.len() as u64)
        };
        assert_eq!(of("'<f4'", "(3, 5)"), Some(60));
        assert_eq!(of("'|u1'", "(7,)"), Some(7));
        assert_eq!(of("'<U3'", "()"), Some(12));
        assert_eq!(of("'<f4'", "(18446744073709551615, 2)"), None);
        assert_eq!(of("[('a', '<f4')]", "(3,)"), None);
        assert_eq!(length(b"\x93NUMPY\x01\0"), None);
    }

    #[test]
    fn an_array_of_objects_holds_a_pickle_and_one_of_numbers_does_not() {
        for descr in ["'|O'", "'O'", "\"O8\"", "'object'", "[('name', '<f4'), ('what', '|O')]"] {
            assert!(holds_pickle(&array(descr)), "{descr}");
        }
        for descr in ["'<f4'", "'|S8'", "[('Offset', '<f4')]", "'|b1'"] {
            assert!(!holds_pickle(&array(descr)), "{descr}");
        }
        assert!(!holds_pickle(b"\x93NUMPY") && !holds_pickle(b"'|O'"));
    }
}
