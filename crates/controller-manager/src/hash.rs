//! Short names for templates: a 32-bit FNV-1a hash in an alphabet that spells no words.

/// No vowels and nothing that looks like one.
const ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";

/// 32-bit FNV-1a.
#[must_use]
pub fn fnv(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, &byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// Each character of a text in the safe alphabet.
#[must_use]
pub fn safe_encode(text: &str) -> String {
    text.bytes().map(|byte| char::from(ALPHABET[usize::from(byte) % ALPHABET.len()])).collect()
}

/// The hash of a value's JSON, and of a collision count if there were collisions.
#[must_use]
pub fn of<T: serde::Serialize>(value: &T, collisions: Option<i32>) -> String {
    let mut bytes = serde_json::to_vec(value).expect("a typed object always serialises");
    if let Some(count) = collisions {
        bytes.extend_from_slice(&count.to_le_bytes());
    }
    safe_encode(&fnv(&bytes).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_stable_safe_and_moved_by_a_collision() {
        assert_eq!(fnv(b"a"), 0xe40c_292c);
        let hash = of(&"template", None);
        assert_eq!(hash, of(&"template", None));
        assert_ne!(hash, of(&"template", Some(1)));
        assert!(hash.bytes().all(|b| ALPHABET.contains(&b)));
    }
}
