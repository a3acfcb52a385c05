//! What becomes of an input: bytes flipped, ranges dropped, doubled, repeated, and pieces of its neighbours put in.

/// Numbers that follow from a seed (splitmix64).
pub(crate) struct Random(pub(crate) u64);

/// No input grows beyond this.
const LONGEST: usize = 64 << 10;
/// What is special to one reader or the other.
const TOKENS: [&[u8]; 24] = [
    b"null",
    b"{}",
    b"[]",
    b"[",
    b"{\"a\":",
    b"\"",
    b"\\u0000",
    b"\\ud800",
    b"\xff",
    b"\0",
    b"-",
    b"1e400",
    b"9223372036854775808",
    b"-0",
    b"&a ",
    b"*a",
    b"<<: ",
    b"!!binary ",
    b"~1",
    b"/-",
    b",",
    b"(",
    b" in ",
    b"k8s\0",
];

// === impl Random ===

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below a limit; 0 if that is 0.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next() % limit).unwrap_or_default()
    }

    fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        start..start + self.below((length - start).min(64) + 1)
    }
}

/// A new input of one of the corpus.
pub(crate) fn mutate(random: &mut Random, corpus: &[&[u8]]) -> Vec<u8> {
    let mut input = corpus[random.below(corpus.len())].to_vec();
    for _ in 0..=random.below(6) {
        let other = corpus[random.below(corpus.len())];
        step(random, &mut input, other);
        input.truncate(LONGEST);
    }
    input
}

fn step(random: &mut Random, input: &mut Vec<u8>, other: &[u8]) {
    let range = random.range(input.len());
    match random.below(8) {
        0 if !input.is_empty() => {
            let at = random.below(input.len());
            input[at] ^= 1 << random.below(8);
        }
        1 => drop(input.drain(range)),
        2 => {
            let piece = input[range.clone()].to_vec();
            insert(input, range.start, &piece);
        }
        3 => {
            let times = 1 << random.below(14);
            let piece = input[range.clone()].to_vec();
            insert(input, range.start, &piece.repeat(times.min(LONGEST / piece.len().max(1))));
        }
        4 => {
            let piece = random.range(other.len());
            insert(input, range.start, &other[piece]);
        }
        5 => {
            let byte = u8::try_from(random.below(256)).unwrap_or_default();
            insert(input, range.start, &[byte]);
        }
        6 => {
            let token = TOKENS[random.below(TOKENS.len())];
            let times = if random.below(8) == 0 { 1 << random.below(14) } else { 1 };
            insert(input, range.start, &token.repeat(times.min(LONGEST / token.len())));
        }
        _ => input.truncate(range.start),
    }
}

fn insert(input: &mut Vec<u8>, at: usize, piece: &[u8]) {
    input.splice(at..at, piece.iter().copied());
}
