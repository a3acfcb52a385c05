//! [`About`]: what can be asked about an object without decoding it, in little memory: its texts lie one behind
//! the other in one piece.

use std::sync::Arc;

/// The names of an object's fields: objects of one kind share them.
pub type Names = Arc<[Arc<str>]>;

/// What can be asked about an object without decoding it.
#[derive(Debug, Default)]
pub struct About {
    /// The uid, then name and value of each label, then the values of the fields.
    text: Box<str>,
    /// Where each of them ends.
    ends: Box<[u32]>,
    fields: Names,
}

// === impl About ===

impl About {
    /// `metadata.uid`, `metadata.labels` in the order of the object, and the values of the fields that field selectors
    /// may name, one for each name.
    pub fn new<'a>(
        uid: &'a str,
        labels: impl IntoIterator<Item = (&'a str, &'a str)>,
        fields: Names,
        values: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let labels = labels.into_iter().flat_map(|(name, value)| [name, value]);
        let (mut text, mut ends) = (String::new(), Vec::new());
        for piece in std::iter::once(uid).chain(labels).chain(values) {
            text.push_str(piece);
            // objects are far smaller than 4 GiB
            ends.push(u32::try_from(text.len()).unwrap_or(u32::MAX));
        }
        Self { text: text.into(), ends: ends.into(), fields }
    }

    /// The same object with other fields.
    #[must_use]
    pub fn with_fields<'a>(&'a self, fields: Names, values: impl IntoIterator<Item = &'a str>) -> Self {
        Self::new(self.uid(), self.labels(), fields, values)
    }

    /// `metadata.uid`
    #[must_use]
    pub fn uid(&self) -> &str {
        self.piece(0)
    }

    /// `metadata.labels`, in the order of the object.
    pub fn labels(&self) -> impl Iterator<Item = (&str, &str)> {
        let count = self.first_field().saturating_sub(1) / 2;
        (0..count).map(|number| (self.piece(1 + 2 * number), self.piece(2 + 2 * number)))
    }

    /// The fields that field selectors may name.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().enumerate().map(|(number, name)| (&**name, self.piece(self.first_field() + number)))
    }

    fn first_field(&self) -> usize {
        self.ends.len() - self.fields.len()
    }

    fn piece(&self, number: usize) -> &str {
        let Some(end) = self.ends.get(number) else { return "" };
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start as usize..*end as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_can_be_asked() {
        let names: Names = ["spec.nodeName", "status.phase"].map(Arc::from).into();
        let about = About::new("u", [("app", "web"), ("tier", "")], names, ["n1", "Pending"]);
        assert_eq!(about.uid(), "u");
        assert_eq!(about.labels().collect::<Vec<_>>(), [("app", "web"), ("tier", "")]);
        assert_eq!(about.fields().collect::<Vec<_>>(), [("spec.nodeName", "n1"), ("status.phase", "Pending")]);
        let other = about.with_fields(["a"].map(Arc::from).into(), ["b"]);
        assert_eq!((other.uid(), other.labels().count()), ("u", 2));
        assert_eq!(other.fields().collect::<Vec<_>>(), [("a", "b")]);
    }

    #[test]
    fn about_nothing_nothing_is_known() {
        let about = About::default();
        assert_eq!((about.uid(), about.labels().count(), about.fields().count()), ("", 0, 0));
    }
}
