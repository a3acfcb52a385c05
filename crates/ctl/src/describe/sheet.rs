//! Lines with levels and tabs, aligned as Go's tabwriter aligns them.

use jiff::Timestamp;

use crate::output::harmless::harmless;

/// Spaces between columns.
const PADDING: usize = 2;

/// A text that grows.
#[derive(Clone, Debug)]
pub struct Sheet {
    /// The moment that ages are counted to.
    pub now: Timestamp,
    done: String,
    lines: Vec<String>,
}

// === impl Sheet ===

impl Sheet {
    /// Nothing on it.
    #[must_use]
    pub const fn new(now: Timestamp) -> Self {
        Self { now, done: String::new(), lines: Vec::new() }
    }

    /// A line, two spaces further right for each level.
    pub fn line(&mut self, level: usize, text: impl AsRef<str>) {
        self.lines.push(format!("{}{}", "  ".repeat(level), harmless(text.as_ref())));
    }

    /// A name and its value in the next column.
    pub fn field(&mut self, level: usize, name: &str, value: impl std::fmt::Display) {
        self.line(level, format!("{name}:\t{value}"));
    }

    /// The same, unless there is no value.
    pub fn field_if(&mut self, level: usize, name: &str, value: &str) {
        if !value.is_empty() {
            self.field(level, name, value);
        }
    }

    /// A name with one value for each line, or `<none>`.
    pub fn many(&mut self, level: usize, name: &str, values: &[String]) {
        let mut rest = values.iter();
        self.field(level, name, rest.next().map_or("<none>", String::as_str));
        for value in rest {
            self.line(level, format!("\t{value}"));
        }
    }

    /// What follows is aligned on its own.
    pub fn cut(&mut self) {
        self.done.push_str(&aligned(&std::mem::take(&mut self.lines)));
    }

    /// Everything.
    #[must_use]
    pub fn text(mut self) -> String {
        self.cut();
        self.done
    }
}

/// Aligns the cells of neighbouring lines. The last cell of a line belongs to no column.
#[must_use]
pub fn aligned(lines: &[String]) -> String {
    let cells: Vec<Vec<&str>> = lines.iter().map(|line| line.split('\t').collect()).collect();
    let mut widths: Vec<Vec<usize>> = cells.iter().map(|line| vec![0; line.len() - 1]).collect();
    for column in 0..widths.iter().map(Vec::len).max().unwrap_or(0) {
        let mut start = 0;
        while start < cells.len() {
            let length = widths[start..].iter().take_while(|line| line.len() > column).count();
            let block = start..start + length;
            let width = block.clone().map(|line| cells[line][column].chars().count()).max().unwrap_or(0) + PADDING;
            for line in block {
                widths[line][column] = width;
            }
            start += length.max(1);
        }
    }
    let mut text = String::new();
    for (line, widths) in cells.iter().zip(&widths) {
        for (cell, width) in line.iter().zip(widths) {
            text.push_str(cell);
            text.extend(std::iter::repeat_n(' ', width - cell.chars().count()));
        }
        text.push_str(line.last().copied().unwrap_or_default());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> String {
        aligned(&text.lines().map(Into::into).collect::<Vec<_>>())
    }

    #[test]
    fn a_column_is_as_wide_as_its_neighbours_need() {
        assert_eq!(lines("Name:\tx\nNamespace:\ty"), "Name:       x\nNamespace:  y\n");
        assert_eq!(lines("A:\tx\nplain\nLonger:\ty"), "A:  x\nplain\nLonger:  y\n");
        assert_eq!(lines("a\tb\tc\naa\tbbb\tc"), "a   b    c\naa  bbb  c\n");
    }

    #[test]
    fn many_values_stand_under_each_other() {
        let mut sheet = Sheet::new(Timestamp::UNIX_EPOCH);
        sheet.many(0, "Labels", &["a=b".into(), "c=d".into()]);
        sheet.many(0, "None", &[]);
        assert_eq!(sheet.text(), "Labels:  a=b\n         c=d\nNone:    <none>\n");
    }
}
