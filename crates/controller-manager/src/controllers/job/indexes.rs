//! Sets of completion indexes as their compact text: `1,3-5`.

use std::fmt;

/// Numbers as sorted ranges that do not touch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Indexes {
    ranges: Vec<(i32, i32)>,
}

// === impl Indexes ===

impl Indexes {
    /// Reads the text; what is broken in it, and what is not below `completions`, is left out.
    #[must_use]
    pub fn parse(text: &str, completions: i32) -> Self {
        let ranges = text.split(',').filter_map(|part| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last): (i32, i32) = (first.parse().ok()?, last.parse().ok()?);
            (first < completions).then_some((first, last.min(completions - 1)))
        });
        Self::from_ranges(ranges.collect())
    }

    /// Whether this index is one of them.
    #[must_use]
    pub fn has(&self, index: i32) -> bool {
        self.ranges.iter().any(|(first, last)| (*first..=*last).contains(&index))
    }

    /// How many they are.
    #[must_use]
    pub fn total(&self) -> i32 {
        self.ranges.iter().map(|(first, last)| last - first + 1).sum()
    }

    /// All of both.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self::from_ranges(self.ranges.iter().chain(&other.ranges).copied().collect())
    }

    /// How many both have.
    #[must_use]
    pub fn overlap(&self, other: &Self) -> i32 {
        let common = |a: &(i32, i32), b: &(i32, i32)| (a.1.min(b.1) - a.0.max(b.0) + 1).max(0);
        self.ranges.iter().map(|a| other.ranges.iter().map(|b| common(a, b)).sum::<i32>()).sum()
    }

    /// The first so many below `completions` that are not among them.
    #[must_use]
    pub fn missing(&self, count: usize, completions: i32) -> Vec<i32> {
        let mut found = Vec::new();
        let mut next = 0;
        for (first, last) in self.ranges.iter().copied().chain([(completions, completions)]) {
            let room = count - found.len();
            found.extend((next..first.min(completions)).take(room));
            next = last.saturating_add(1).max(next);
        }
        found
    }

    fn from_ranges(mut ranges: Vec<(i32, i32)>) -> Self {
        ranges.retain(|(first, last)| first <= last);
        ranges.sort_unstable();
        let mut merged: Vec<(i32, i32)> = Vec::new();
        for (first, last) in ranges {
            match merged.last_mut() {
                Some(open) if first <= open.1.saturating_add(1) => open.1 = open.1.max(last),
                _ => merged.push((first, last)),
            }
        }
        Self { ranges: merged }
    }
}

impl FromIterator<i32> for Indexes {
    fn from_iter<T: IntoIterator<Item = i32>>(indexes: T) -> Self {
        Self::from_ranges(indexes.into_iter().map(|i| (i, i)).collect())
    }
}

impl fmt::Display for Indexes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (first, last)) in self.ranges.iter().enumerate() {
            let comma = if at > 0 { "," } else { "" };
            match last - first {
                0 => write!(f, "{comma}{first}")?,
                1 => write!(f, "{comma}{first},{last}")?,
                _ => write!(f, "{comma}{first}-{last}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_compact_and_comes_back() {
        let table = [("", ""), ("0", "0"), ("1,2", "1,2"), ("1-3,5", "1-3,5"), ("5,1,2,3", "1-3,5"), ("8-20", "8,9")];
        for (text, expected) in table {
            assert_eq!(Indexes::parse(text, 10).to_string(), expected, "{text}");
        }
        assert_eq!(Indexes::parse("a,3-,-,4", 10).to_string(), "4");
    }

    #[test]
    fn sets_are_joined_compared_and_filled() {
        let (a, b) = (Indexes::parse("0-2,6", 9), Indexes::from_iter([2, 3, 6]));
        assert_eq!(a.union(&b).to_string(), "0-3,6");
        assert_eq!((a.overlap(&b), a.total(), a.has(1), a.has(4)), (2, 4, true, false));
        assert_eq!(a.missing(3, 9), [3, 4, 5]);
        assert_eq!(a.missing(9, 9), [3, 4, 5, 7, 8]);
        assert_eq!(Indexes::default().missing(2, 9), [0, 1]);
        assert_eq!(a.missing(5, 2), Vec::<i32>::new());
    }
}
