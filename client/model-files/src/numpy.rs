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
