//! How large files and functions are.

use nakhoda_tests::source::{File, rust_files};

/// The median file has at most so many lines of code.
const MEDIAN: usize = 150;
/// No function has more lines.
const FUNCTION: usize = 80;

fn sources() -> Vec<File> {
    rust_files("crates").into_iter().filter(|f| f.path.contains("/src/")).collect()
}

/// Functions with their length: from the line of `fn` to the closing brace of the same indentation,
/// which rustfmt guarantees.
fn functions(file: &File) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    let lines: Vec<&str> = file.text.lines().collect();
    for (start, line) in lines.iter().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let is_function = line.trim_start().split(' ').any(|w| w == "fn") && !line.trim_start().starts_with("//");
        if !is_function || line.ends_with(';') {
            continue;
        }
        let end = format!("{}}}", " ".repeat(indent));
        if let Some(length) = lines[start..].iter().position(|l| *l == end) {
            found.push((line.trim().to_owned(), length + 1));
        }
    }
    found
}

#[test]
fn most_files_are_short() {
    let mut sizes: Vec<usize> = sources().iter().map(|f| f.code().len()).collect();
    sizes.sort_unstable();
    let median = sizes[sizes.len() / 2];
    assert!(median <= MEDIAN, "the median file has {median} lines of code");
}

#[test]
fn no_function_is_long() {
    let long: Vec<String> = sources()
        .iter()
        .flat_map(|file| {
            let long = functions(file).into_iter().filter(|(_, length)| *length > FUNCTION);
            long.map(|(name, length)| format!("{}: {name} has {length} lines", file.path)).collect::<Vec<_>>()
        })
        .collect();
    assert!(long.is_empty(), "{long:#?}");
}
