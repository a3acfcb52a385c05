//! Aligned columns, three spaces apart, as kubectl prints them.

use serde_json::Value;

use super::colour;
use super::harmless::{first_line, harmless};

/// Which parts of a Table are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// Columns of lower priority too.
    pub wide: bool,
    /// The namespace first.
    pub namespace: bool,
    /// Labels last.
    pub labels: bool,
    /// No head line.
    pub headless: bool,
}

/// Rows of cells under heads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// The head line.
    pub heads: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<String>>,
}

// === impl Rows ===

impl Rows {
    /// The printed part of a meta/v1 Table. `prefix` stands before each name, for several kinds at once.
    #[must_use]
    pub fn of(table: &Value, shown: Shown, prefix: &str) -> Self {
        let columns = table["columnDefinitions"].as_array().map(Vec::as_slice).unwrap_or_default();
        let picked: Vec<usize> =
            (0..columns.len()).filter(|&i| shown.wide || columns[i]["priority"].as_i64().unwrap_or(0) == 0).collect();
        let mut heads: Vec<String> = picked.iter().map(|&i| cell(&columns[i]["name"]).to_uppercase()).collect();
        if shown.namespace {
            heads.insert(0, "NAMESPACE".into());
        }
        if shown.labels {
            heads.push("LABELS".into());
        }
        let rows = table["rows"].as_array().into_iter().flatten().map(|row| {
            let mut cells: Vec<String> = picked.iter().map(|&i| cell(&row["cells"][i])).collect();
            if let Some(name) = cells.first_mut() {
                name.insert_str(0, prefix);
            }
            let meta = &row["object"]["metadata"];
            if shown.namespace {
                cells.insert(0, cell(&meta["namespace"]));
            }
            if shown.labels {
                cells.push(labels(&meta["labels"]));
            }
            cells
        });
        Self { heads, rows: rows.collect() }
    }

    /// Columns of the values of labels, after all others.
    pub fn add_labels(&mut self, table: &Value, labels: &[String]) {
        for label in labels {
            self.heads.push(label.rsplit('/').next().unwrap_or(label).to_uppercase());
            for (row, of) in self.rows.iter_mut().zip(table["rows"].as_array().into_iter().flatten()) {
                row.push(cell(&of["object"]["metadata"]["labels"][label]));
            }
        }
    }

    /// The text, with or without the head line.
    #[must_use]
    pub fn text(&self, headless: bool) -> String {
        self.write(headless, false)
    }

    /// The text with colours, where the terminal has them.
    #[must_use]
    pub fn painted(&self, headless: bool) -> String {
        self.write(headless, colour::enabled())
    }

    /// The text with colours, in columns that are at least as wide as those before.
    #[must_use]
    pub fn following(&self, headless: bool, widths: &mut Vec<usize>) -> String {
        self.fit(headless, colour::enabled(), widths)
    }

    fn write(&self, headless: bool, coloured: bool) -> String {
        self.fit(headless, coloured, &mut Vec::new())
    }

    fn fit(&self, headless: bool, coloured: bool, widths: &mut Vec<usize>) -> String {
        let lines = (!headless).then_some(&self.heads).into_iter().chain(self.rows.iter());
        let lines: Vec<Vec<String>> = lines.map(|line| line.iter().map(|cell| harmless(cell)).collect()).collect();
        widths.resize(lines.iter().map(|line| line.len()).max().unwrap_or(0).max(widths.len()), 0);
        for (index, width) in widths.iter_mut().enumerate() {
            let cells = lines.iter().filter_map(|line| line.get(index)).map(|cell| cell.chars().count());
            *width = cells.max().unwrap_or(0).max(*width);
        }
        let painted = |i: usize| coloured && self.heads.get(i).is_some_and(|head| head == "STATUS");
        lines.iter().map(|line| aligned(line, widths, &painted)).collect()
    }
}

fn aligned(cells: &[String], widths: &[usize], painted: &dyn Fn(usize) -> bool) -> String {
    let mut line = String::new();
    for (index, (cell, width)) in cells.iter().zip(widths).enumerate() {
        match painted(index) {
            true => line.push_str(&colour::state(cell)),
            false => line.push_str(cell),
        }
        line.extend(std::iter::repeat_n(' ', width - cell.chars().count() + 3));
    }
    line.truncate(line.trim_end().len());
    line.push('\n');
    line
}

fn cell(value: &Value) -> String {
    match value {
        Value::String(text) => first_line(text),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn labels(value: &Value) -> String {
    let pairs: Vec<String> = value.as_object().into_iter().flatten().map(|(k, v)| format!("{k}={}", cell(v))).collect();
    if pairs.is_empty() { "<none>".into() } else { pairs.join(",") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_table_is_aligned_and_wide_columns_wait_for_wide() {
        let table = json!({"columnDefinitions": [{"name": "Name"}, {"name": "Age"}, {"name": "IP", "priority": 1}],
            "rows": [{"cells": ["long-name", "1s", "10.0.0.1"]}, {"cells": ["b", "10m", ""]}]});
        assert_eq!(
            Rows::of(&table, Shown::default(), "").text(false),
            "NAME        AGE\nlong-name   1s\nb           10m\n"
        );
        let wide = Rows::of(&table, Shown { wide: true, ..Shown::default() }, "pod/").text(true);
        assert_eq!(wide, "pod/long-name   1s    10.0.0.1\npod/b           10m\n");
    }

    /// The class of CVE-2021-25743: an object's texts that steer the terminal of who reads them.
    #[test]
    fn no_cell_steers_the_terminal() {
        let table = json!({"columnDefinitions": [{"name": "Name"}, {"name": "Message"}],
            "rows": [{"cells": ["a\u{1b}[2Jb", "one\rtwo"]}, {"cells": ["c", "\u{1b}]0;title\u{7}\u{9b}31m"]}]});
        let text = Rows::of(&table, Shown::default(), "").text(true);
        assert_eq!(text, "a^[[2Jb   one...\nc         ^[]0;title\\u{7}\\u{9b}31m\n");
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
    }
}
