//! The rounds of FIPS 180-4, section 6.2.2, with the instructions of x86-64, for `N` streams in turn.
//!
//! What must hold for the one unsafe call: a function of `target_feature` may run only where the processor has each feature of its list. Nothing else
//! here is unsafe: loads are from arrays, and the intrinsics take and give values.
#![allow(unsafe_code, reason = "the call of a function for instructions that the processor may not have")]
#![allow(clippy::indexing_slicing, reason = "each index is below the length of an array, known when this is compiled")]
#![allow(clippy::needless_range_loop, reason = "several arrays are walked side by side")]

use core::arch::x86_64::{
    __m128i, _mm_add_epi32, _mm_alignr_epi8, _mm_extract_epi32, _mm_set_epi32, _mm_set_epi64x, _mm_setzero_si128,
    _mm_sha256msg1_epu32, _mm_sha256msg2_epu32, _mm_sha256rnds2_epu32, _mm_shuffle_epi8, _mm_shuffle_epi32,
};
use std::arch::is_x86_feature_detected;

use crate::block::{Block, State};

/// The constants of the rounds (FIPS 180-4, section 4.2.2), four a row.
const K: [[u32; 4]; 16] = [
    [0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5],
    [0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5],
    [0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3],
    [0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174],
    [0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc],
    [0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da],
    [0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7],
    [0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967],
    [0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13],
    [0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85],
    [0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3],
    [0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070],
    [0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5],
    [0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3],
    [0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208],
    [0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2],
];

/// Takes as many blocks of each stream as the shortest has into its state; false, and nothing done, where the processor lacks the instructions.
pub(crate) fn compress<const N: usize>(states: &mut [State; N], blocks: [&[Block]; N]) -> bool {
    let has = is_x86_feature_detected!("sha")
        && is_x86_feature_detected!("sse2")
        && is_x86_feature_detected!("ssse3")
        && is_x86_feature_detected!("sse4.1");
    if has {
        // SAFETY: the processor has each feature that `rounds` is compiled for; it was asked just now.
        unsafe { rounds(states, blocks) }
    }
    has
}

#[target_feature(enable = "sha,sse2,ssse3,sse4.1")]
fn rounds<const N: usize>(states: &mut [State; N], blocks: [&[Block]; N]) {
    let common = blocks.iter().map(|blocks| blocks.len()).min().unwrap_or(0);
    // The instructions want the words as ABEF and CDGH, the first word highest.
    let mut abef = [_mm_setzero_si128(); N];
    let mut cdgh = [_mm_setzero_si128(); N];
    for n in 0..N {
        let [a, b, c, d, e, f, g, h] = states[n];
        abef[n] = words([f, e, b, a]);
        cdgh[n] = words([h, g, d, c]);
    }
    let big_endian = _mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203);
    for at in 0..common {
        let (abef_before, cdgh_before) = (abef, cdgh);
        // The last sixteen words of each message schedule, four a row: row `i` is at `i` modulo 4.
        let mut w = [[_mm_setzero_si128(); 4]; N];
        // Written out, so that each row's number is known when this is compiled.
        macro_rules! four_rounds {
            ($($row:literal)*) => { $(
                for n in 0..N {
                    let next = if $row < 4 {
                        _mm_shuffle_epi8(sixteen_bytes(&blocks[n][at], 16 * ($row % 4)), big_endian)
                    } else {
                        let [first, second, third, fourth] = [$row, $row + 1, $row + 2, $row + 3].map(|row| w[n][row % 4]);
                        let sums = _mm_add_epi32(_mm_sha256msg1_epu32(first, second), _mm_alignr_epi8::<4>(fourth, third));
                        _mm_sha256msg2_epu32(sums, fourth)
                    };
                    w[n][$row % 4] = next;
                    let with_constants = _mm_add_epi32(next, words(K[$row]));
                    cdgh[n] = _mm_sha256rnds2_epu32(cdgh[n], abef[n], with_constants);
                    abef[n] = _mm_sha256rnds2_epu32(abef[n], cdgh[n], _mm_shuffle_epi32::<0x0e>(with_constants));
                }
            )* };
        }
        four_rounds!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
        for n in 0..N {
            abef[n] = _mm_add_epi32(abef[n], abef_before[n]);
            cdgh[n] = _mm_add_epi32(cdgh[n], cdgh_before[n]);
        }
    }
    for n in 0..N {
        let [f, e, b, a] = four(abef[n]);
        let [h, g, d, c] = four(cdgh[n]);
        states[n] = [a, b, c, d, e, f, g, h];
    }
}

/// Four words, the first lowest.
#[target_feature(enable = "sse2")]
fn words(words: [u32; 4]) -> __m128i {
    let [a, b, c, d] = words.map(u32::cast_signed);
    _mm_set_epi32(d, c, b, a)
}

/// The words of a vector, the lowest first.
#[target_feature(enable = "sse4.1")]
fn four(vector: __m128i) -> [u32; 4] {
    let words = [
        _mm_extract_epi32::<0>(vector),
        _mm_extract_epi32::<1>(vector),
        _mm_extract_epi32::<2>(vector),
        _mm_extract_epi32::<3>(vector),
    ];
    words.map(i32::cast_unsigned)
}

/// Sixteen bytes of a block, the first lowest.
#[target_feature(enable = "sse2")]
fn sixteen_bytes(block: &Block, from: usize) -> __m128i {
    let eight = |from: usize| i64::from_le_bytes(core::array::from_fn(|at| block[from + at]));
    _mm_set_epi64x(eight(from + 8), eight(from))
}
